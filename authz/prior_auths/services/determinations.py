"""Decide a request, line by line; software may approve, only a licensed human decides against what was asked."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from authz.access.models import Licence
from authz.access.roles import Actor
from authz.errors import AuthzError, InvalidInput
from authz.ids import PriorAuthId
from authz.policies.history import Kind
from authz.prior_auths import selectors
from authz.prior_auths.determination import Grant, Outcome, Reason
from authz.prior_auths.lifecycle import Step
from authz.prior_auths.models import Authorization, Determination, DeterminationLine, PriorAuth, RequestedLine
from authz.prior_auths.services import steps
from authz.prior_auths.services.numbers import next_authorization_number
from authz.prior_auths.services.queue import in_hand, person_of
from authz.prior_auths.services.reopening import decided_against

APPROVED_AS_ASKED = Reason(
    code="criteria-met", text="The request meets the plan's criteria.", criterion="Approved as requested"
)


class LicenceNeeded(AuthzError):
    """Only a human with a licence that is valid at this instant may decide against what was asked."""

    code = "licence-needed"


class AnotherDeciderNeeded(AuthzError):
    """Who decided against a request does not decide it again."""

    code = "another-decider-needed"


@transaction.atomic
def refer(
    *, prior_auth_id: PriorAuthId, reason: str, by: Actor, now: datetime, expected_version: int | None = None
) -> PriorAuth:
    """Hand a request that cannot be approved in full to a physician."""
    prior_auth = in_hand(prior_auth_id, step=Step.REFER, by=by, now=now, expected_version=expected_version)
    prior_auth.reviewer = prior_auth.leased_until = None
    steps.take(prior_auth, Step.REFER, by=by, now=now, note=reason)
    return prior_auth


@transaction.atomic
def approve(*, prior_auth_id: PriorAuthId, by: Actor, now: datetime, expected_version: int | None = None) -> PriorAuth:
    """Approve everything as asked, line by line; an authorization opens for each."""
    prior_auth = in_hand(prior_auth_id, step=Step.APPROVE, by=by, now=now, expected_version=expected_version)
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
    prior_auth = in_hand(prior_auth_id, step=Step.APPROVE_IN_PART, by=by, now=now, expected_version=expected_version)
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
    prior_auth = in_hand(prior_auth_id, step=Step.DENY, by=by, now=now, expected_version=expected_version)
    licence = _licence(by, now)
    _decide(prior_auth, list(prior_auth.lines.order_by("line")), {}, Outcome.DENIED, reason, licence, by, now)
    steps.take(prior_auth, Step.DENY, by=by, now=now)
    return prior_auth


def _licence(by: Actor, now: datetime) -> Licence:
    on = now.date()
    licence = (
        Licence.objects.filter(person_id=person_of(by), valid_from__lte=on, valid_until__gte=on).order_by("pk").first()
    )
    if licence is None:
        raise LicenceNeeded(
            "You have no licence that is valid today; only a licensed human may deny, wholly or in part."
        )
    return licence


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


def _must_be_another(prior_auth: PriorAuth, by: Actor) -> None:
    if decided_against(prior_auth, person_id=person_of(by)):
        raise AnotherDeciderNeeded("You decided against this request before; somebody else must look at it again.")


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
    _must_be_another(prior_auth, by)
    determination = Determination.objects.create(
        prior_auth=prior_auth,
        supersedes=prior_auth.determinations.order_by("-pk").first(),
        outcome=outcome.value,
        decided_at=now,
        decided_by_id=person_of(by),
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
    if prior_auth.reopened_at is not None:
        return False
    clock = selectors.clocks_of(prior_auth).get(Kind.DECIDE_BY)
    return clock is not None and clock.is_missed(by=now)
