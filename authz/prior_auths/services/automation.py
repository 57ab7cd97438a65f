"""Approve by rule what a policy lets software approve; everything else is left to people, and nothing is denied."""

from datetime import datetime

from django.db import transaction

from authz.access.roles import SYSTEM
from authz.policies.automation import Automation, Fact
from authz.policies.selectors import automation_of
from authz.prior_auths.determination import Basis, Outcome, Reason
from authz.prior_auths.lifecycle import State, Step
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import steps
from authz.prior_auths.services.deciding import Decision, as_asked, write_determination
from authz.prior_auths.services.sweeping import sweep

APPROVED_BY_RULE = Reason(
    code="criteria-met",
    text="The request meets every criterion of the plan's policy for approval without review.",
    criterion="Approved as requested, by rule",
)


def approve_by_rule(*, now: datetime) -> int:
    """Look once at every request that waits in the queue, and return how many were approved."""
    # What comes in while this begins is decided by the next sweep: nothing is before it was submitted.
    waiting = PriorAuth.objects.filter(state=State.QUEUED.value, screened_at=None, submitted_at__lte=now)
    return sweep(waiting.order_by("pk").values_list("pk", flat=True), work=_screen, now=now)


@transaction.atomic
def _screen(key: int, now: datetime) -> int:
    rows = PriorAuth.objects.select_for_update(skip_locked=True, of=("self",)).select_related("coverage__plan")
    prior_auth = rows.filter(pk=key, state=State.QUEUED.value, screened_at=None).first()
    if prior_auth is None:
        return 0
    prior_auth.screened_at = now
    prior_auth.save(update_fields=["screened_at"])
    automation = automation_of(prior_auth.insurer_id, prior_auth.policy, prior_auth.policy_version)
    # What was decided once is people's: a rule does not look again.
    decision = _decision(prior_auth, automation, now) if automation and prior_auth.reopened_at is None else None
    if decision is None:
        return 0
    write_determination(prior_auth=prior_auth, decision=decision, now=now)
    steps.take(prior_auth, Step.APPROVE_BY_RULE, by=SYSTEM, now=now)
    return 1


def _decision(prior_auth: PriorAuth, automation: Automation, now: datetime) -> Decision | None:
    lines = list(prior_auth.lines.all())
    rows = prior_auth.answers.answers.all() if prior_auth.answers else ()
    facts = {row.question: Fact(row.value, row.source, row.confirmed_at) for row in rows}
    trace = automation.trace(facts, days=max((line.days_with_refills for line in lines), default=0), now=now)
    if not lines or prior_auth.need_in_doubt_at is not None or not all(row["is_met"] for row in trace):
        return None
    return Decision(
        outcome=Outcome.APPROVED,
        basis=Basis.RULE,
        reason=APPROVED_BY_RULE,
        grants={line.line: as_asked(line) for line in lines},
        trace=trace,
        is_sampled=automation.is_sampled(prior_auth.public_id),
    )
