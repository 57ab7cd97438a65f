"""Decide an appeal: uphold the decision, or overturn it wholly or in part. Never by whoever decided before."""

from collections.abc import Collection, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from django.db import transaction

from authz.access.models import Licence
from authz.access.roles import Actor, Profession
from authz.ids import AppealId
from authz.policies.history import Kind
from authz.prior_auths import appeals
from authz.prior_auths.appeal_lifecycle import AppealOutcome, AppealStep
from authz.prior_auths.determination import Basis, Grant, Outcome, Reason
from authz.prior_auths.lifecycle import Step
from authz.prior_auths.models import Appeal, AppealDecision, Determination
from authz.prior_auths.services import appeal_steps, papers, steps
from authz.prior_auths.services.breaches import note_breach
from authz.prior_auths.services.deciding import Decision, as_asked, write_determination
from authz.prior_auths.services.grounds import from_library, licence_of, must_be_a_part, must_be_more, reasons_by_line
from authz.prior_auths.services.queue import person_of

_PHYSICIAN: Final[Collection[Profession]] = frozenset({Profession.PHYSICIAN})


@transaction.atomic
def uphold(
    *, appeal_id: AppealId, reason: Reason, by: Actor, now: datetime, expected_version: int | None = None
) -> Appeal:
    """Let the decision stand. Only a licensed physician can, and the database holds it.

    :raises AnotherDeciderNeeded: when the actor, or somebody above them, determined the request at any time.
    :raises LicenceNeeded: without a physician's licence valid at this instant.
    :raises InvalidInput: when the library has no such reason.
    """
    step = AppealStep.UPHOLD
    appeal = appeal_steps.in_hand(appeal_id=appeal_id, step=step, by=by, now=now, expected_version=expected_version)
    known = from_library(reason, insurer_id=appeal.prior_auth.insurer_id)
    licence = licence_of(by, professions=_PHYSICIAN, prior_auth=appeal.prior_auth, now=now)
    _decide(appeal, AppealOutcome.UPHELD, known, by, now, licence=licence)
    return _done(appeal, step, by, now)


@transaction.atomic
def overturn(
    *, appeal_id: AppealId, reason: str, by: Actor, now: datetime, expected_version: int | None = None
) -> Appeal:
    """Approve everything that was asked; an authorization opens for each line.

    :raises AnotherDeciderNeeded: when the actor determined the request at any time.
    """
    step = AppealStep.OVERTURN
    appeal = appeal_steps.in_hand(appeal_id=appeal_id, step=step, by=by, now=now, expected_version=expected_version)
    said = Reason(code="overturned-on-appeal", text=reason, criterion="Approved as requested, on appeal")
    grants = {line.line: as_asked(line) for line in appeal.prior_auth.lines.all()}
    superseding = _supersede(appeal, Outcome.APPROVED, said, grants, by, now)
    _decide(appeal, AppealOutcome.OVERTURNED, said, by, now, superseding=superseding)
    steps.take(appeal.prior_auth, Step.OVERTURN, by=by, now=now)
    return _done(appeal, step, by, now)


@transaction.atomic
def overturn_in_part(
    *,
    appeal_id: AppealId,
    grants: Mapping[int, Grant],
    reason: Reason,
    reasons: Mapping[int, Reason] = MappingProxyType({}),
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> Appeal:
    """Approve more than before and less than was asked: `grants` by line number; a line without one is not granted.

    `reasons` are those of lines that have another reason than the whole, by line number.

    :raises AnotherDeciderNeeded: when the actor determined the request at any time.
    :raises LicenceNeeded: without a physician's licence valid at this instant.
    :raises InvalidInput: when it is not more than before, or not less than asked, or no library has the reason; when
        a line has a reason that was not asked for, or is granted as asked.
    """
    step = AppealStep.OVERTURN_IN_PART
    appeal = appeal_steps.in_hand(appeal_id=appeal_id, step=step, by=by, now=now, expected_version=expected_version)
    must_be_a_part(grants, lines=appeal.prior_auth.lines.order_by("line"))
    must_be_more(grants, than=appeal.determination)
    known = from_library(reason, insurer_id=appeal.prior_auth.insurer_id)
    licence = licence_of(by, professions=_PHYSICIAN, prior_auth=appeal.prior_auth, now=now)
    own = reasons_by_line(reasons, grants=grants, prior_auth=appeal.prior_auth)
    superseding = _supersede(appeal, Outcome.PARTIALLY_APPROVED, known, grants, by, now, licence, own)
    _decide(appeal, AppealOutcome.PARTLY_OVERTURNED, known, by, now, licence=licence, superseding=superseding)
    steps.take(appeal.prior_auth, Step.OVERTURN_IN_PART, by=by, now=now)
    return _done(appeal, step, by, now)


def _supersede(
    appeal: Appeal,
    outcome: Outcome,
    reason: Reason,
    grants: Mapping[int, Grant],
    by: Actor,
    now: datetime,
    licence: Licence | None = None,
    reasons: Mapping[int, Reason] = MappingProxyType({}),
) -> Determination:
    decision = Decision(
        outcome=outcome,
        basis=Basis.PERSON,
        reason=reason,
        reasons=reasons,
        grants=grants,
        person_id=by.person_id,
        licence=licence,
        is_on_appeal=True,
    )
    return write_determination(prior_auth=appeal.prior_auth, decision=decision, now=now)


def _decide(
    appeal: Appeal,
    outcome: AppealOutcome,
    reason: Reason,
    by: Actor,
    now: datetime,
    *,
    licence: Licence | None = None,
    superseding: Determination | None = None,
) -> None:
    due = appeals.due(appeal)
    decision = AppealDecision.objects.create(
        appeal=appeal,
        outcome=outcome.value,
        decided_at=now,
        decided_by_id=person_of(by),
        licence=licence,
        reason_code=reason.code,
        reason_text=reason.text,
        criterion=reason.criterion,
        would_change=reason.would_change,
        determination=superseding,
        due_at=due.at if due else None,
        was_late=due is not None and due.at < now,
    )
    if outcome is AppealOutcome.UPHELD:
        papers.write_appeal_letter(decision=decision, now=now)
    if due is not None and due.at < now:
        kind = Kind.APPEAL_DECIDE_BY
        note_breach(prior_auth=appeal.prior_auth, appeal=appeal, kind=kind, due_at=due.at, now=now)


def _done(appeal: Appeal, step: AppealStep, by: Actor, now: datetime) -> Appeal:
    appeal.leased_until = None
    appeal_steps.take(appeal, step, by=by, now=now)
    return appeal
