"""Decide a request, line by line: a reviewer approves as asked, a licensed human decides against it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from authz.access.models import Licence
from authz.access.roles import DENYING, Actor, Profession
from authz.errors import AuthzError, InvalidInput
from authz.ids import PriorAuthId
from authz.policies import regimes
from authz.policies.regime import Denier
from authz.policies.selectors import reasons_of
from authz.prior_auths.determination import Basis, Grant, Outcome, Reason, is_no_more
from authz.prior_auths.lifecycle import Step
from authz.prior_auths.models import PriorAuth, RequestedLine
from authz.prior_auths.services import steps
from authz.prior_auths.services.deciding import Decision, as_asked, in_full, write_determination
from authz.prior_auths.services.queue import in_hand, person_of
from authz.prior_auths.services.reopening import decided_against
from authz.rules.formulary import packaged

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
    """Approve everything as asked, line by line; an authorization opens for each.

    :raises AnotherDeciderNeeded: when the actor decided against it before.
    """
    prior_auth = _for_decision(prior_auth_id, Step.APPROVE, by, now, expected_version)
    grants = {line.line: as_asked(line) for line in prior_auth.lines.all()}
    decision = Decision(
        outcome=Outcome.APPROVED,
        basis=Basis.PERSON,
        reason=APPROVED_AS_ASKED,
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
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Approve less than was asked: `grants` by line number; a line without one is not granted.

    :raises InvalidInput: when more is granted than asked, nothing is, or everything is, or no library has the reason.
    :raises LicenceNeeded: without a licence valid at this instant.
    :raises AnotherDeciderNeeded: when the actor decided against it before.
    """
    prior_auth = _for_decision(prior_auth_id, Step.APPROVE_IN_PART, by, now, expected_version)
    _must_be_a_part(list(prior_auth.lines.order_by("line")), grants)
    decision = _against(prior_auth, Outcome.PARTIALLY_APPROVED, reason, by, now, grants)
    write_determination(prior_auth=prior_auth, decision=decision, now=now)
    steps.take(prior_auth, Step.APPROVE_IN_PART, by=by, now=now)
    return prior_auth


@transaction.atomic
def deny(
    *, prior_auth_id: PriorAuthId, reason: Reason, by: Actor, now: datetime, expected_version: int | None = None
) -> PriorAuth:
    """Deny the request. Only a licensed human can, and the database holds it.

    :raises InvalidInput: when the library has no such reason.
    :raises LicenceNeeded: without a licence valid at this instant.
    :raises AnotherDeciderNeeded: when the actor decided against it before.
    """
    prior_auth = _for_decision(prior_auth_id, Step.DENY, by, now, expected_version)
    decision = _against(prior_auth, Outcome.DENIED, reason, by, now)
    write_determination(prior_auth=prior_auth, decision=decision, now=now)
    steps.take(prior_auth, Step.DENY, by=by, now=now)
    return prior_auth


def _for_decision(
    prior_auth_id: PriorAuthId, step: Step, by: Actor, now: datetime, expected_version: int | None
) -> PriorAuth:
    prior_auth = in_hand(prior_auth_id, step=step, by=by, now=now, expected_version=expected_version)
    if decided_against(prior_auth, person_id=person_of(by)):
        raise AnotherDeciderNeeded("You decided against this request before; somebody else must look at it again.")
    return prior_auth


def _against(
    prior_auth: PriorAuth,
    outcome: Outcome,
    reason: Reason,
    by: Actor,
    now: datetime,
    grants: Mapping[int, Grant] | None = None,
) -> Decision:
    return Decision(
        outcome=outcome,
        basis=Basis.PERSON,
        reason=_from_library(prior_auth, reason),
        grants=grants or {},
        person_id=person_of(by),
        licence=_licence(prior_auth, by, now),
    )


def _from_library(prior_auth: PriorAuth, reason: Reason) -> Reason:
    """Return the reason with what would change it: said in the decider's words, by a code that the insurer knows."""
    library = reasons_of(prior_auth.insurer_id) if prior_auth.insurer_id else {}
    known = library.get(reason.code)
    if known is None:
        raise InvalidInput({"reason.code": [f"Use one of: {', '.join(sorted(library))}."]})
    return replace(reason, would_change=reason.would_change or known.would_change)


def _licence(prior_auth: PriorAuth, by: Actor, now: datetime) -> Licence:
    """Return a licence of the actor's that lets them decide against this request today."""
    on = now.date()
    denied_by = regimes.version(prior_auth.regime, prior_auth.regime_version).denied_by
    professions = {Profession.PHYSICIAN} if denied_by is Denier.PHYSICIAN else DENYING
    licence = (
        Licence.objects.filter(person_id=person_of(by), valid_from__lte=on, valid_until__gte=on)
        .filter(profession__in=[profession.value for profession in professions])
        .order_by("pk")
        .first()
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
    elif not faults and all(number in grants and _is_all(grants[number], line) for number, line in asked.items()):
        faults["grants"] = ["Everything is granted: approve the request instead."]
    if faults:
        raise InvalidInput(faults)


def _is_all(grant: Grant, line: RequestedLine) -> bool:
    return in_full(grant, line=line) == as_asked(line)


def _fault(grant: Grant, line: RequestedLine) -> str:
    """Return what is wrong with a grant of a line, in one sentence; empty when nothing is."""
    if line.quantity is not None and grant.quantity is None:
        return "Say how many units are granted."
    beyond = grant.starts_on < line.starts_on or grant.ends_on > line.ends_on
    amounts = [
        (grant.days, line.days_supply),
        (grant.quantity, line.quantity),
        (grant.daily_units, line.daily_units),
        (grant.refills, line.refills),
    ]
    if beyond or any(_is_more(granted, asked) for granted, asked in amounts):
        return "More is granted than was asked for."
    return "" if _is_same_drug(grant, line) else "Another product must be of the same ingredient, and no stronger."


def _is_more(granted: Decimal | int | None, asked: Decimal | int | None) -> bool:
    return granted is not None and asked is not None and granted > asked


def _is_same_drug(grant: Grant, line: RequestedLine) -> bool:
    if grant.rxcui is None or grant.rxcui == line.rxcui:
        return True
    asked, granted = packaged().product(line.rxcui), packaged().product(grant.rxcui)
    return asked is not None and granted is not None and is_no_more(granted, than=asked)
