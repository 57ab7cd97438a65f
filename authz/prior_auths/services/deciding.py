"""The one place where a determination is written, whoever or whatever makes it: a person, a rule, or the law."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from authz.access.models import Licence
from authz.formulary import selectors as formularies
from authz.policies.history import Kind
from authz.prior_auths import selectors
from authz.prior_auths.determination import ADVERSE, Basis, Grant, Outcome, Reason
from authz.prior_auths.models import Authorization, Determination, DeterminationLine, PriorAuth, RequestedLine
from authz.prior_auths.services import papers
from authz.prior_auths.services.breaches import note_breach
from authz.prior_auths.services.calling import cancel_open
from authz.prior_auths.services.numbers import next_authorization_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided: `grants` by line number, a line without one is not granted. A rule's has a `trace`.

    `reasons` are those that lines have of their own, by line number.
    """

    outcome: Outcome
    basis: Basis
    reason: Reason
    grants: Mapping[int, Grant] = field(default_factory=dict)
    reasons: Mapping[int, Reason] = field(default_factory=dict)
    person_id: int | None = None
    licence: Licence | None = None
    trace: list[dict[str, Any]] | None = None
    is_sampled: bool = False
    is_on_appeal: bool = False


def write_determination(*, prior_auth: PriorAuth, decision: Decision, now: datetime) -> Determination:
    """Write a locked request's determination, its lines, an authorization for each line granted, and the letter.

    It supersedes the one before, if any. The caller takes the step that saves the request. What else is to follow from
    every determination belongs at the end of this function: it runs in the same transaction.
    """
    due = selectors.due(prior_auth)
    is_late = due is not None and due.at < now
    if due is not None and is_late:
        note_breach(prior_auth=prior_auth, kind=Kind.DECIDE_BY, due_at=due.at, now=now)
    determination = Determination.objects.create(
        prior_auth=prior_auth,
        supersedes=prior_auth.determinations.order_by("-pk").first(),
        outcome=decision.outcome.value,
        basis=decision.basis.value,
        decided_at=now,
        decided_by_id=decision.person_id,
        licence=decision.licence,
        reason_code=decision.reason.code,
        reason_text=decision.reason.text,
        criterion=decision.reason.criterion,
        would_change=decision.reason.would_change,
        trace=decision.trace,
        is_sampled=decision.is_sampled,
        policy=prior_auth.policy,
        policy_version=prior_auth.policy_version,
        formulary_version=formularies.current().version,
        due_at=due.at if due else None,
        was_late=is_late,
    )
    for line in prior_auth.lines.order_by("line"):
        _write_line(determination, line, decision, now)
    papers.write_letter(determination=determination, is_on_appeal=decision.is_on_appeal, now=now)
    if decision.outcome not in ADVERSE:
        cancel_open(prior_auth=prior_auth, now=now)
    prior_auth.decided_at = now
    prior_auth.leased_until = None
    return determination


def as_asked(line: RequestedLine) -> Grant:
    """Return the grant of everything that a line asks for."""
    return Grant(
        days=line.days_supply,
        quantity=line.quantity,
        starts_on=line.starts_on,
        ends_on=line.ends_on,
        daily_units=line.daily_units,
        refills=line.refills,
        rxcui=line.rxcui,
    )


def as_granted(line: DeterminationLine) -> Grant | None:
    """Return what a line of a determination grants; None when it is nothing."""
    if line.starts_on is None or line.ends_on is None:
        return None
    return Grant(
        days=line.granted_days,
        quantity=line.granted_quantity,
        starts_on=line.starts_on,
        ends_on=line.ends_on,
        daily_units=line.granted_daily_units,
        refills=line.granted_refills,
        rxcui=line.granted_rxcui,
    )


def in_full(grant: Grant, *, line: RequestedLine) -> Grant:
    """Return the grant with what it leaves open said as the line asks for it."""
    return replace(
        grant,
        daily_units=line.daily_units if grant.daily_units is None else grant.daily_units,
        refills=line.refills if grant.refills is None else grant.refills,
        rxcui=grant.rxcui or line.rxcui,
    )


def _write_line(determination: Determination, line: RequestedLine, decision: Decision, now: datetime) -> None:
    grant, own = decision.grants.get(line.line), decision.reasons.get(line.line)
    granted = in_full(grant, line=line) if grant else None
    DeterminationLine.objects.create(
        determination=determination,
        line=line.line,
        rxcui=line.rxcui,
        asked_quantity=line.quantity,
        asked_days=line.days_supply,
        asked_daily_units=line.daily_units,
        asked_refills=line.refills,
        asked_from=line.starts_on,
        asked_until=line.ends_on,
        granted_rxcui=(granted.rxcui or "") if granted else "",
        granted_quantity=granted.quantity if granted else None,
        granted_days=granted.days if granted else 0,
        granted_daily_units=granted.daily_units if granted else None,
        granted_refills=granted.refills if granted else None,
        starts_on=granted.starts_on if granted else None,
        ends_on=granted.ends_on if granted else None,
        reason_code=own.code if own else "",
        reason_text=own.text if own else "",
        criterion=own.criterion if own else "",
        would_change=own.would_change if own else "",
    )
    if granted is not None:
        Authorization.objects.create(
            number=next_authorization_number(now=now),
            prior_auth=determination.prior_auth,
            determination=determination,
            rxcui=granted.rxcui or line.rxcui,
            starts_on=granted.starts_on,
            ends_on=granted.ends_on,
            days_granted=granted.days,
            quantity_granted=granted.quantity,
            opened_at=now,
        )
