"""What the insurer still needs to know: asked item by item, answered by the clinic."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from authz.access.roles import SYSTEM, Actor, Role
from authz.errors import AuthzError, InvalidInput
from authz.ids import PriorAuthId
from authz.policies import regimes
from authz.policies.history import Kind
from authz.policies.regime import MissingInformation
from authz.prior_auths import selectors
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.lifecycle import State, Step
from authz.prior_auths.models import InformationRequest, PriorAuth
from authz.prior_auths.review_queue import is_absent
from authz.prior_auths.services import steps
from authz.prior_auths.services.queue import LEASE, in_hand, person_of
from authz.prior_auths.services.sweeping import sweep

# Where the clock runs on whatever is missing, nothing is returned: it would only cost the clinic time.
_RUNS_ON = frozenset({MissingInformation.KEEPS_RUNNING, MissingInformation.MAY_EXTEND})


class ReturnNotAllowed(AuthzError):
    """The request's regime knows no return of an incomplete request."""

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
    :raises ReturnNotAllowed: where the regime's clock runs on while something is missing.
    """
    _must_say_something("missing", missing)
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.RETURN, by)
    _must_be_waited_for(prior_auth)
    _ask(prior_auth, missing, by, now)
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
    """Give everything that was missing; the request is back in the queue.

    :raises InvalidInput: when an item is not given, or an answer fits none.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.COMPLETE, by)
    _keep_answers(prior_auth, answers, by, now)
    prior_auth.screened_at = None
    steps.take(prior_auth, Step.COMPLETE, by=by, now=now)
    return prior_auth


@transaction.atomic
def ask(
    *,
    prior_auth_id: PriorAuthId,
    questions: Sequence[str],
    by: Actor,
    now: datetime,
    owner: Role = Role.STAFF,
    reply_by: datetime | None = None,
    expected_version: int | None = None,
) -> PriorAuth:
    """Ask the clinic, item by item. The generic regime's clock keeps running.

    `owner` is whose it is to answer, staff or prescriber; `reply_by` by when the answers are wanted. Without them the
    review goes on then, or when the regime says so.

    :raises InvalidInput: without a question, or when the answers are wanted before they are asked for.
    """
    _must_say_something("questions", questions)
    if reply_by is not None and reply_by <= now:
        raise InvalidInput({"reply_by": ["It must lie ahead."]})
    prior_auth = in_hand(prior_auth_id, step=Step.ASK, by=by, now=now, expected_version=expected_version)
    _ask(prior_auth, questions, by, now, owner=owner, reply_by=reply_by)
    prior_auth.reviewer_id, prior_auth.leased_until = person_of(by), None
    steps.take(prior_auth, Step.ASK, by=by, now=now)
    return prior_auth


@transaction.atomic
def answer(
    *,
    prior_auth_id: PriorAuthId,
    answers: Mapping[UUID, str],
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Answer every open question of the insurer; the request goes back to the same reviewer.

    :raises InvalidInput: when an open question stays unanswered, or an answer fits none.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.ANSWER, by)
    _keep_answers(prior_auth, answers, by, now)
    prior_auth.leased_until = _lease_of_returning(prior_auth, now)
    steps.take(prior_auth, Step.ANSWER, by=by, now=now)
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
    prior_auth.leased_until = _lease_of_returning(prior_auth, now)
    steps.take(prior_auth, Step.RESUME, by=SYSTEM, now=now)
    return 1


def _is_reply_over(prior_auth: PriorAuth, now: datetime) -> bool:
    """Say whether the regime's time to reply is over, or that of every open question, where each has one."""
    clock = selectors.clocks_of(prior_auth).get(Kind.INFORMATION_REPLY_BY)
    if clock is not None:
        return clock.is_missed(by=now)
    open_ones = list(prior_auth.information_requests.filter(answered_at=None).values_list("reply_by", flat=True))
    return bool(open_ones) and all(reply_by is not None and reply_by < now for reply_by in open_ones)


def _lease_of_returning(prior_auth: PriorAuth, now: datetime) -> datetime:
    """Return until when the same reviewer has it again; what comes back to one who is away is released at once."""
    is_away = is_absent(prior_auth.reviewer_id, organization_id=prior_auth.insurer_id, now=now)
    return now if is_away else now + LEASE


def _must_be_waited_for(prior_auth: PriorAuth) -> None:
    regime = regimes.version(prior_auth.regime, prior_auth.regime_version)
    track = regime.expedited if prior_auth.urgency == Urgency.EXPEDITED.value else regime.standard
    if track.missing_information in _RUNS_ON:
        raise ReturnNotAllowed("Under this request's regime the clock runs on while something is missing: ask for it.")


def _must_say_something(name: str, items: Sequence[str]) -> None:
    if not items or not all(item.strip() for item in items):
        raise InvalidInput({name: ["Name at least one item, and none that is empty."]})


def _ask(
    prior_auth: PriorAuth,
    items: Sequence[str],
    by: Actor,
    now: datetime,
    *,
    owner: Role = Role.STAFF,
    reply_by: datetime | None = None,
) -> None:
    for item in items:
        InformationRequest.objects.create(
            prior_auth=prior_auth,
            question=item,
            asked_at=now,
            asked_by_id=person_of(by),
            owner=owner.value,
            reply_by=reply_by,
        )


def _keep_answers(prior_auth: PriorAuth, answers: Mapping[UUID, str], by: Actor, now: datetime) -> None:
    asked = {row.public_id: row for row in prior_auth.information_requests.filter(answered_at=None)}
    _must_answer_all(set(asked), answers)
    for public_id, row in asked.items():
        row.answer, row.answered_at, row.answered_by_id = answers[public_id], now, by.person_id
        row.save(update_fields=["answer", "answered_at", "answered_by"])


def _must_answer_all(asked: set[UUID], answers: Mapping[UUID, str]) -> None:
    faults = {f"answers.{key}": ["This question is not open."] for key in answers if key not in asked}
    faults |= {f"answers.{key}": ["Answer this question."] for key in asked if not answers.get(key, "").strip()}
    if faults:
        raise InvalidInput(faults)
