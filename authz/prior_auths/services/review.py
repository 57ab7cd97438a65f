"""The insurer's side of a request: claim it, ask, refer, decide."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from authz.access.models import Licence
from authz.access.roles import SYSTEM, Actor
from authz.errors import AuthzError, InvalidInput
from authz.ids import PriorAuthId
from authz.policies import catalog
from authz.prior_auths import deadlines
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.determination import Grant, Outcome, Reason
from authz.prior_auths.lifecycle import State, Step
from authz.prior_auths.models import (
    Authorization,
    Determination,
    DeterminationLine,
    InformationRequest,
    PriorAuth,
    RequestedLine,
)
from authz.prior_auths.services import papers, steps
from authz.prior_auths.services.numbers import next_authorization_number

LEASE = timedelta(minutes=30)
APPROVED_AS_ASKED = Reason(
    code="criteria-met", text="The request meets the plan's criteria.", criterion="Approved as requested"
)


class LeaseHeldByAnother(AuthzError):
    """Another reviewer has this request in hand."""

    code = "lease-held-by-another"


class LicenceNeeded(AuthzError):
    """Only a human with a licence that is valid at this instant may decide against what was asked."""

    code = "licence-needed"


class ReviewerNeeded(AuthzError):
    """A machine cannot hold a request in review or decide it."""

    code = "reviewer-needed"


@transaction.atomic
def claim(*, prior_auth_id: PriorAuthId, by: Actor, now: datetime, expected_version: int | None = None) -> PriorAuth:
    """Take a queued request into review, leased to this reviewer for half an hour."""
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.CLAIM, by)
    prior_auth.reviewer_id = _person(by)
    prior_auth.leased_until = now + LEASE
    steps.take(prior_auth, Step.CLAIM, by=by, now=now)
    return prior_auth


@transaction.atomic
def release(
    *, prior_auth_id: PriorAuthId, reason: str, by: Actor, now: datetime, expected_version: int | None = None
) -> PriorAuth:
    """Put a request back into the queue."""
    prior_auth = _in_hand(prior_auth_id, Step.RELEASE, by, now, expected_version)
    prior_auth.reviewer = prior_auth.leased_until = None
    steps.take(prior_auth, Step.RELEASE, by=by, now=now, note=reason)
    return prior_auth


def release_expired(*, now: datetime) -> int:
    """Put every request whose lease has run out back into the queue, and return how many there were."""
    expired = PriorAuth.objects.filter(state=State.IN_REVIEW.value, leased_until__lte=now)
    return sum(_release_one(key, now) for key in expired.values_list("pk", flat=True))


@transaction.atomic
def _release_one(key: int, now: datetime) -> int:
    prior_auth = (
        PriorAuth.objects.select_for_update(skip_locked=True)
        .filter(pk=key, state=State.IN_REVIEW.value, leased_until__lte=now)
        .first()
    )
    if prior_auth is None:
        return 0
    prior_auth.reviewer = prior_auth.leased_until = None
    steps.take(prior_auth, Step.RELEASE, by=SYSTEM, now=now, note="The reviewer's lease ran out.")
    return 1


@transaction.atomic
def ask(
    *,
    prior_auth_id: PriorAuthId,
    questions: Sequence[str],
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Ask the clinic, item by item. The generic regime's clock keeps running.

    :raises InvalidInput: without a question.
    """
    if not questions or not all(question.strip() for question in questions):
        raise InvalidInput({"questions": ["Ask at least one question, and none that is empty."]})
    prior_auth = _in_hand(prior_auth_id, Step.ASK, by, now, expected_version)
    for question in questions:
        InformationRequest.objects.create(
            prior_auth=prior_auth, question=question, asked_at=now, asked_by_id=_person(by)
        )
    prior_auth.reviewer_id, prior_auth.leased_until = _person(by), None
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
    asked = {row.public_id: row for row in prior_auth.information_requests.filter(answered_at=None)}
    _must_answer_all(set(asked), answers)
    for public_id, row in asked.items():
        row.answer, row.answered_at, row.answered_by_id = answers[public_id], now, by.person_id
        row.save(update_fields=["answer", "answered_at", "answered_by"])
    prior_auth.leased_until = now + LEASE
    steps.take(prior_auth, Step.ANSWER, by=by, now=now)
    return prior_auth


@transaction.atomic
def refer(
    *, prior_auth_id: PriorAuthId, reason: str, by: Actor, now: datetime, expected_version: int | None = None
) -> PriorAuth:
    """Hand a request that cannot be approved in full to a physician."""
    prior_auth = _in_hand(prior_auth_id, Step.REFER, by, now, expected_version)
    prior_auth.reviewer = prior_auth.leased_until = None
    steps.take(prior_auth, Step.REFER, by=by, now=now, note=reason)
    return prior_auth


@transaction.atomic
def approve(*, prior_auth_id: PriorAuthId, by: Actor, now: datetime, expected_version: int | None = None) -> PriorAuth:
    """Approve everything as asked, line by line; an authorization opens for each."""
    prior_auth = _in_hand(prior_auth_id, Step.APPROVE, by, now, expected_version)
    lines = list(prior_auth.lines.order_by("line"))
    grants = {line.line: _as_asked(line) for line in lines}
    _decide(prior_auth, lines, grants, Outcome.APPROVED, APPROVED_AS_ASKED, None, by, now)
    steps.take(prior_auth, Step.APPROVE, by=by, now=now)
    return prior_auth


@transaction.atomic
def approve_in_part(
    *,
    prior_auth_id: PriorAuthId,
    grants: Mapping[int, Grant],
    reason: Reason,
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Approve less than was asked: `grants` by line number; a line without one is not granted.

    :raises InvalidInput: when more is granted than asked, nothing is, or everything is.
    :raises LicenceNeeded: without a licence valid at this instant.
    """
    prior_auth = _in_hand(prior_auth_id, Step.APPROVE_IN_PART, by, now, expected_version)
    lines = list(prior_auth.lines.order_by("line"))
    _must_be_a_part(lines, grants)
    licence = _licence(by, now)
    _decide(prior_auth, lines, grants, Outcome.PARTIALLY_APPROVED, reason, licence, by, now)
    steps.take(prior_auth, Step.APPROVE_IN_PART, by=by, now=now)
    return prior_auth


@transaction.atomic
def deny(
    *, prior_auth_id: PriorAuthId, reason: Reason, by: Actor, now: datetime, expected_version: int | None = None
) -> PriorAuth:
    """Deny the request. Only a licensed human can, and the database holds it.

    :raises InvalidInput: without a reason code, a plain sentence and the criterion's clause.
    :raises LicenceNeeded: without a licence valid at this instant.
    """
    prior_auth = _in_hand(prior_auth_id, Step.DENY, by, now, expected_version)
    licence = _licence(by, now)
    _decide(prior_auth, list(prior_auth.lines.order_by("line")), {}, Outcome.DENIED, reason, licence, by, now)
    steps.take(prior_auth, Step.DENY, by=by, now=now)
    return prior_auth


def _in_hand(
    prior_auth_id: PriorAuthId, step: Step, by: Actor, now: datetime, expected_version: int | None
) -> PriorAuth:
    """Lock a request for a step of the reviewer who has it; one nobody has is anyone's who may take the step."""
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, step, by)
    held = prior_auth.leased_until is not None and prior_auth.leased_until > now
    if held and prior_auth.reviewer_id != by.person_id:
        raise LeaseHeldByAnother("Another reviewer has this request in hand.")
    return prior_auth


def _person(by: Actor) -> int:
    if by.person_id is None:
        raise ReviewerNeeded("Only a person reviews and decides; log in as one.")
    return by.person_id


def _licence(by: Actor, now: datetime) -> Licence:
    on = now.date()
    licence = (
        Licence.objects.filter(person_id=_person(by), valid_from__lte=on, valid_until__gte=on).order_by("pk").first()
    )
    if licence is None:
        raise LicenceNeeded(
            "You have no licence that is valid today; only a licensed human may deny, wholly or in part."
        )
    return licence


def _must_answer_all(asked: set[UUID], answers: Mapping[UUID, str]) -> None:
    faults = {f"answers.{key}": ["This question is not open."] for key in answers if key not in asked}
    faults |= {f"answers.{key}": ["Answer this question."] for key in asked if not answers.get(key, "").strip()}
    if faults:
        raise InvalidInput(faults)


def _must_be_a_part(lines: Sequence[RequestedLine], grants: Mapping[int, Grant]) -> None:
    asked = {line.line: line for line in lines}
    faults: dict[str, list[str]] = {}
    for number, grant in grants.items():
        if number not in asked:
            faults[f"grants.{number}"] = ["No such line was asked for."]
        elif fault := _fault(grant, asked[number]):
            faults[f"grants.{number}"] = [fault]
    if not grants:
        faults["grants"] = ["Nothing is granted: that is a denial."]
    elif not faults and {number: _as_asked(line) for number, line in asked.items()} == dict(grants):
        faults["grants"] = ["Everything is granted: approve the request instead."]
    if faults:
        raise InvalidInput(faults)


def _fault(grant: Grant, line: RequestedLine) -> str:
    """Return what is wrong with a grant of a line, in one sentence; empty when nothing is."""
    if line.quantity is not None and grant.quantity is None:
        return "Say how many units are granted."
    more = grant.quantity is not None and line.quantity is not None and grant.quantity > line.quantity
    beyond = grant.starts_on < line.starts_on or grant.ends_on > line.ends_on
    return "More is granted than was asked for." if more or beyond or grant.days > line.days_supply else ""


def _as_asked(line: RequestedLine) -> Grant:
    return Grant(days=line.days_supply, quantity=line.quantity, starts_on=line.starts_on, ends_on=line.ends_on)


def _decide(
    prior_auth: PriorAuth,
    lines: Sequence[RequestedLine],
    grants: Mapping[int, Grant],
    outcome: Outcome,
    reason: Reason,
    licence: Licence | None,
    by: Actor,
    now: datetime,
) -> None:
    """Write the determination with its lines, and an authorization for each line granted."""
    determination = Determination.objects.create(
        prior_auth=prior_auth,
        outcome=outcome.value,
        decided_at=now,
        decided_by_id=_person(by),
        licence=licence,
        reason_code=reason.code,
        reason_text=reason.text,
        criterion=reason.criterion,
        policy=prior_auth.policy,
        policy_version=prior_auth.policy_version,
        was_late=_is_late(prior_auth, now),
    )
    for line in lines:
        _decide_line(determination, line, grants.get(line.line), now)
    papers.write_letter(determination=determination, now=now)
    prior_auth.decided_at = now
    prior_auth.leased_until = None


def _decide_line(determination: Determination, line: RequestedLine, grant: Grant | None, now: datetime) -> None:
    DeterminationLine.objects.create(
        determination=determination,
        line=line.line,
        rxcui=line.rxcui,
        asked_quantity=line.quantity,
        asked_days=line.days_supply,
        granted_quantity=grant.quantity if grant else None,
        granted_days=grant.days if grant else 0,
        starts_on=grant.starts_on if grant else None,
        ends_on=grant.ends_on if grant else None,
    )
    if grant is not None:
        Authorization.objects.create(
            number=next_authorization_number(now=now),
            prior_auth=determination.prior_auth,
            determination=determination,
            rxcui=line.rxcui,
            starts_on=grant.starts_on,
            ends_on=grant.ends_on,
            days_granted=grant.days,
            quantity_granted=grant.quantity,
            opened_at=now,
        )


def _is_late(prior_auth: PriorAuth, now: datetime) -> bool:
    received_at = prior_auth.submitted_at or now
    due = deadlines.decide_by(
        regime=catalog.regime(prior_auth.regime), urgency=Urgency(prior_auth.urgency), received_at=received_at
    )
    return now > due.at
