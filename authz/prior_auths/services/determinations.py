"""Decide a request, line by line: a reviewer approves as asked, a licensed human decides against it."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from django.db import transaction

from authz.access.roles import Actor
from authz.ids import PriorAuthId
from authz.prior_auths.deciders import denying_under
from authz.prior_auths.determination import Basis, Grant, Ground, Outcome, Reason
from authz.prior_auths.heard import regime_of
from authz.prior_auths.lifecycle import Step
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.review_criteria import meets_criteria
from authz.prior_auths.services import steps
from authz.prior_auths.services.calling import offer_where_required
from authz.prior_auths.services.deciding import Decision, as_asked, write_determination
from authz.prior_auths.services.grounds import from_library, licence_of, must_be_a_part, reasons_by_line
from authz.prior_auths.services.queue import in_hand, must_be_another_decider, person_of

APPROVED: Final[Mapping[Ground, Reason]] = {
    Ground.CRITERIA_MET: Reason(
        code=Ground.CRITERIA_MET.value,
        text="The request meets the plan's criteria.",
        criterion="Approved as requested",
    ),
    Ground.BEYOND_CRITERIA: Reason(
        code=Ground.BEYOND_CRITERIA.value,
        text="Not all of the plan's criteria are shown to be met. The request is approved on clinical grounds.",
        criterion="Approved as requested, on clinical grounds",
    ),
}
"""What is said of each ground to approve everything as asked."""


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
def approve(
    *,
    prior_auth_id: PriorAuthId,
    ground: Ground | None = None,
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Approve everything as asked, line by line; an authorization opens for each.

    `ground` is why. None: the criteria, where what was sent meets them, else the case beyond them.

    :raises AnotherDeciderNeeded: when the actor decided against it before.
    """
    prior_auth = _for_decision(prior_auth_id, Step.APPROVE, by, now, expected_version)
    grants = {line.line: as_asked(line) for line in prior_auth.lines.all()}
    decision = Decision(
        outcome=Outcome.APPROVED,
        basis=Basis.PERSON,
        reason=APPROVED[ground or _ground(prior_auth)],
        grants=grants,
        person_id=person_of(by),
    )
    write_determination(prior_auth=prior_auth, decision=decision, now=now)
    steps.take(prior_auth, Step.APPROVE, by=by, now=now)
    return prior_auth


@transaction.atomic
def approve_in_part(
    *,
    prior_auth_id: PriorAuthId,
    grants: Mapping[int, Grant],
    reason: Reason,
    reasons: Mapping[int, Reason] = MappingProxyType({}),
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Approve less than was asked: `grants` by line number; a line without one is not granted.

    `reasons` are those of lines that have another reason than the whole, by line number.

    :raises InvalidInput: when more is granted than asked, nothing is, or everything is, or no library has the reason;
        when a line has a reason that was not asked for, or is granted as asked.
    :raises LicenceNeeded: without a licence valid at this instant.
    :raises AnotherDeciderNeeded: when the actor decided against it before.
    """
    prior_auth = _for_decision(prior_auth_id, Step.APPROVE_IN_PART, by, now, expected_version)
    must_be_a_part(grants, lines=prior_auth.lines.order_by("line"))
    decision = _against(prior_auth, Outcome.PARTIALLY_APPROVED, reason, by, now, reasons=reasons, grants=grants)
    write_determination(prior_auth=prior_auth, decision=decision, now=now)
    steps.take(prior_auth, Step.APPROVE_IN_PART, by=by, now=now)
    offer_where_required(prior_auth=prior_auth, regime=regime_of(prior_auth), now=now)
    return prior_auth


@transaction.atomic
def deny(
    *,
    prior_auth_id: PriorAuthId,
    reason: Reason,
    reasons: Mapping[int, Reason] = MappingProxyType({}),
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Deny the request. Only a licensed human can, and the database holds it.

    `reasons` are those of lines that have another reason than the whole, by line number.

    :raises InvalidInput: when the library has no such reason, or a line has one that was not asked for.
    :raises LicenceNeeded: without a licence valid at this instant.
    :raises AnotherDeciderNeeded: when the actor decided against it before.
    """
    prior_auth = _for_decision(prior_auth_id, Step.DENY, by, now, expected_version)
    decision = _against(prior_auth, Outcome.DENIED, reason, by, now, reasons=reasons)
    write_determination(prior_auth=prior_auth, decision=decision, now=now)
    steps.take(prior_auth, Step.DENY, by=by, now=now)
    offer_where_required(prior_auth=prior_auth, regime=regime_of(prior_auth), now=now)
    return prior_auth


def _for_decision(
    prior_auth_id: PriorAuthId, step: Step, by: Actor, now: datetime, expected_version: int | None
) -> PriorAuth:
    prior_auth = in_hand(prior_auth_id, step=step, by=by, now=now, expected_version=expected_version)
    must_be_another_decider(prior_auth, person_id=person_of(by))
    return prior_auth


def _ground(prior_auth: PriorAuth) -> Ground:
    return Ground.CRITERIA_MET if meets_criteria(prior_auth) else Ground.BEYOND_CRITERIA


def _against(
    prior_auth: PriorAuth,
    outcome: Outcome,
    reason: Reason,
    by: Actor,
    now: datetime,
    *,
    reasons: Mapping[int, Reason],
    grants: Mapping[int, Grant] = MappingProxyType({}),
) -> Decision:
    return Decision(
        outcome=outcome,
        basis=Basis.PERSON,
        reason=from_library(reason, insurer_id=prior_auth.insurer_id),
        reasons=reasons_by_line(reasons, grants=grants, prior_auth=prior_auth),
        grants=grants,
        person_id=person_of(by),
        licence=licence_of(by, professions=denying_under(regime_of(prior_auth)), prior_auth=prior_auth, now=now),
    )
