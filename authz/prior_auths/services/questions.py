"""What the insurer still needs to know: asked item by item, answered by the clinic."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from authz.access.roles import SYSTEM, Actor, Role
from authz.errors import AuthzError, InvalidInput
from authz.ids import PriorAuthId
from authz.policies.history import Kind
from authz.prior_auths import selectors
from authz.prior_auths.heard import may_be_returned, reply_time_if_asked
from authz.prior_auths.lifecycle import ASKED_OF_CLINIC, State, Step
from authz.prior_auths.models import ANSWERING, InformationRequest, PriorAuth
from authz.prior_auths.reply_time import ReplyTime
from authz.prior_auths.review_queue import AT_RISK, away_from
from authz.prior_auths.services import steps
from authz.prior_auths.services.queue import LEASE, in_hand, person_of
from authz.prior_auths.services.sweeping import sweep
from authz.prior_auths.visibility import may_attest

KEPT = timedelta(days=3)
"""So long what comes back is kept for the reviewer who asked: over a night, or a weekend."""


@dataclass(frozen=True, slots=True)
class Item:
    """One question: whose it is to answer, staff or prescriber, and by when; None leaves that to the regime."""

    question: str
    owner: Role = Role.STAFF
    reply_by: datetime | None = None


class ReturnNotAllowed(AuthzError):
    """The request's clock would not wait for what is missing, so nothing is returned."""

    code = "return-not-allowed"


@transaction.atomic
def return_incomplete(
    *,
    prior_auth_id: PriorAuthId,
    missing: Sequence[str],
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Say, item by item, what is missing before the insurer's clock may start.

    :raises InvalidInput: without an item.
    :raises ReturnNotAllowed: where the clock runs on, or goes on by itself, while something is missing.
    """
    _must_say_something("missing", missing)
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.RETURN, by)
    steps.must_precede_the_law(prior_auth, Step.RETURN, now)
    if not may_be_returned(prior_auth, now=now):
        raise ReturnNotAllowed("Under this request's regime the clock does not wait for what is missing: ask for it.")
    _ask(prior_auth, [Item(item) for item in missing], by, now)
    steps.take(prior_auth, Step.RETURN, by=by, now=now)
    return prior_auth


@transaction.atomic
def complete(
    *,
    prior_auth_id: PriorAuthId,
    answers: Mapping[UUID, str],
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Give everything that was missing, and was asked before and is open; the request is back in the queue.

    :raises InvalidInput: when an item is not given, or an answer fits none.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.COMPLETE, by)
    _keep_answers(prior_auth, answers, by, now, needed_of=ANSWERING, even_late=True)
    prior_auth.screened_at = None
    steps.take(prior_auth, Step.COMPLETE, by=by, now=now)
    return prior_auth


@transaction.atomic
def ask(
    *,
    prior_auth_id: PriorAuthId,
    questions: Sequence[Item | str],
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Ask the clinic, item by item; what the decision clock does meanwhile, the regime says.

    A text alone is the staff's to answer. What is not said by when it is wanted is so by the regime's time to reply,
    or, where the clock does not wait, early enough to decide in time. The review then goes on without an answer.

    :raises InvalidInput: without a question, or when an answer is wanted in the past, sooner than the regime allows,
        or later than the decision is due.
    """
    items = [Item(item) if isinstance(item, str) else item for item in questions]
    _must_say_something("questions", [item.question for item in items])
    prior_auth = in_hand(prior_auth_id, step=Step.ASK, by=by, now=now, expected_version=expected_version)
    _ask(prior_auth, _wanted_in_time(prior_auth, items, now), by, now)
    prior_auth.reviewer_id, prior_auth.leased_until = person_of(by), None
    steps.take(prior_auth, Step.ASK, by=by, now=now)
    return prior_auth


def answer(
    *,
    prior_auth_id: PriorAuthId,
    answers: Mapping[UUID, str],
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Answer the insurer's open questions; with the last one the request goes back to the same reviewer.

    Each gives at least what is theirs: staff what is asked of the staff, prescribers what is asked of the prescriber.

    :raises InvalidInput: when a question of theirs stays unanswered, an answer fits none, or is only the prescriber's.
    """
    return _answer(Step.ANSWER, prior_auth_id, answers, by, now, expected_version, needed_of=by.roles)


def answer_in_part(
    *,
    prior_auth_id: PriorAuthId,
    answers: Mapping[UUID, str],
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Answer some of the insurer's open questions; with the last one the request goes back all the same.

    :raises InvalidInput: when nothing is answered, an answer fits no open question, or is only the prescriber's.
    """
    return _answer(Step.ANSWER_IN_PART, prior_auth_id, answers, by, now, expected_version)


def answer_late(
    *,
    prior_auth_id: PriorAuthId,
    answers: Mapping[UUID, str],
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Give answers after their time, while the request is undecided; whoever has it keeps it, and is told.

    :raises InvalidInput: when nothing is answered, an answer fits no open question, or is only the prescriber's.
    """
    return _answer(Step.ANSWER_LATE, prior_auth_id, answers, by, now, expected_version)


@transaction.atomic
def _answer(
    step: Step,
    prior_auth_id: PriorAuthId,
    answers: Mapping[UUID, str],
    by: Actor,
    now: datetime,
    expected_version: int | None,
    *,
    needed_of: Collection[Role] = (),
) -> PriorAuth:
    """Keep the answers, and take the step that they come to: a clock that waits goes on when nothing is open."""
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, step, by)
    is_late = State(prior_auth.state) not in ASKED_OF_CLINIC
    _keep_answers(prior_auth, answers, by, now, needed_of=needed_of)
    if prior_auth.information_requests.filter(answered_at=None).exists():
        steps.take(prior_auth, Step.ANSWER_IN_PART, by=by, now=now)
    elif is_late:
        steps.take(prior_auth, Step.ANSWER_LATE, by=by, now=now)
    else:
        _give_back(prior_auth, Step.ANSWER, by, now)
    return prior_auth


def resume_unanswered(*, now: datetime) -> int:
    """Take on every review whose answers did not come in time, and return how many there were."""
    waiting = PriorAuth.objects.filter(state=State.INFO_REQUESTED.value).order_by("pk")
    return sweep(waiting.values_list("pk", flat=True), work=_resume_one, now=now)


@transaction.atomic
def _resume_one(key: int, now: datetime) -> int:
    rows = PriorAuth.objects.select_for_update(skip_locked=True)
    prior_auth = rows.filter(pk=key, state=State.INFO_REQUESTED.value).first()
    if prior_auth is None or not _is_reply_over(prior_auth, now):
        return 0
    _give_back(prior_auth, Step.RESUME, SYSTEM, now)
    return 1


def _is_reply_over(prior_auth: PriorAuth, now: datetime) -> bool:
    """Say whether nothing that is open is waited for any more, or the time of what was asked last is over."""
    if not any(_is_wanted(row, now) for row in prior_auth.information_requests.filter(answered_at=None)):
        return True
    clock = selectors.clocks_of(prior_auth).get(Kind.INFORMATION_REPLY_BY)
    return clock is not None and clock.is_missed(by=now)


def _give_back(prior_auth: PriorAuth, step: Step, by: Actor, now: datetime) -> None:
    """Take the review on, and keep it for the same reviewer by the clock as it is then."""
    steps.take(prior_auth, step, by=by, now=now)
    prior_auth.leased_until = _kept_until(prior_auth, now)
    prior_auth.save(update_fields=["leased_until"])


def _kept_until(prior_auth: PriorAuth, now: datetime) -> datetime:
    """Return until when the same reviewer has it again: not into the risk of a breach, nor while they are away."""
    at_risk = prior_auth.due_at - AT_RISK if prior_auth.due_at else now + KEPT
    until = max(min(now + KEPT, at_risk), now + LEASE)
    away = away_from(prior_auth.reviewer_id, organization_id=prior_auth.insurer_id, now=now)
    return min(until, max(away, now)) if away else until


def _wanted_in_time(prior_auth: PriorAuth, items: Sequence[Item], now: datetime) -> list[Item]:
    """Return the items, each with by when it is wanted."""
    time = reply_time_if_asked(prior_auth, now=now)
    is_one_for_all = len({item.reply_by for item in items}) == 1
    faults: dict[str, list[str]] = {}
    for n, item in enumerate(items):
        if item.reply_by and (fault := _fault_of_time(item.reply_by, time, now)):
            faults["reply_by" if is_one_for_all else f"items[{n}].reply_by"] = [fault]
    if faults:
        raise InvalidInput(faults)
    return [replace(item, reply_by=item.reply_by or time.at) for item in items]


def _fault_of_time(wanted_by: datetime, time: ReplyTime, now: datetime) -> str:
    if wanted_by <= now:
        return "It must lie ahead."
    if time.is_law and wanted_by < time.at:
        return "The regime gives more time to answer."
    return "The decision is due before that." if time.latest and wanted_by > time.latest else ""


def _must_say_something(name: str, items: Sequence[str]) -> None:
    if not items or not all(item.strip() for item in items):
        raise InvalidInput({name: ["Name at least one item, and none that is empty."]})


def _ask(prior_auth: PriorAuth, items: Iterable[Item], by: Actor, now: datetime) -> None:
    for item in items:
        InformationRequest.objects.create(
            prior_auth=prior_auth,
            question=item.question,
            asked_at=now,
            asked_by_id=person_of(by),
            owner=item.owner.value,
            reply_by=item.reply_by,
        )


def _keep_answers(
    prior_auth: PriorAuth,
    answers: Mapping[UUID, str],
    by: Actor,
    now: datetime,
    *,
    needed_of: Collection[Role] = (),
    even_late: bool = False,
) -> None:
    asked = {row.public_id: row for row in prior_auth.information_requests.filter(answered_at=None)}
    may_speak = by.person_id is not None and may_attest(prior_auth, by)
    faults = {key: _fault(asked.get(key), text, may_speak=may_speak) for key, text in answers.items()}
    for key, row in asked.items():
        if key not in answers and Role(row.owner) in needed_of and (even_late or _is_wanted(row, now)):
            faults[key] = "Answer this question."
    if any(faults.values()):
        raise InvalidInput({f"answers.{key}": [fault] for key, fault in faults.items() if fault})
    if not answers:
        raise InvalidInput({"answers": ["Answer at least one question."]})
    for public_id, text in answers.items():
        row = asked[public_id]
        row.answer, row.answered_at, row.answered_by_id = text, now, by.person_id
        row.save(update_fields=["answer", "answered_at", "answered_by"])


def _is_wanted(row: InformationRequest, now: datetime) -> bool:
    """Say whether the insurer still waits for the answer: its time is not over."""
    return row.reply_by is None or row.reply_by >= now


def _fault(asked: InformationRequest | None, text: str, *, may_speak: bool) -> str:
    if asked is None:
        return "This question is not open."
    if asked.owner == Role.PRESCRIBER.value and not may_speak:
        return "Only the prescriber can answer this."
    return "" if text.strip() else "Answer this question."
