"""Ask for a simulation, and run what was asked: every write of this room.

A worker that dies lets its lease run out, and the next one begins anew: a simulation only reads, so nothing is doubled.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction

from authz.access.roles import Action, Actor, must_be_allowed
from authz.audit import services as audit
from authz.errors import AuthzError, Forbidden, InvalidInput
from authz.formulary import selectors as formularies
from authz.ids import PayerPolicyId, PlanId
from authz.outbox import leases
from authz.policies.models import Plan
from authz.policies.schema import read_policy
from authz.policies.selectors import document_of, payer_policy
from authz.simulations.comparison import compare, policy_in_force
from authz.simulations.models import Simulation
from authz.simulations.report import Period

log = logging.getLogger(__name__)

MINUTES_A_REQUEST = 15
"""A reviewer's time for one request unless the asker says otherwise: an assumption of this product, not a source."""


@transaction.atomic
def ask(
    *,
    policy_id: PayerPolicyId,
    since: date,
    until: date,
    plans: Sequence[PlanId] = (),
    minutes_a_request: int = MINUTES_A_REQUEST,
    by: Actor,
    now: datetime,
) -> Simulation:
    """Ask what a policy of the actor's insurer would have changed; by default for the plans that name its code.

    :raises Forbidden: when the actor is no person who may decide policies.
    :raises NotFound: when the insurer holds no such policy.
    :raises InvalidInput: for a period upside down, a plan that is not the insurer's, or plans under several policies.
    """
    must_be_allowed(by, Action.DECIDE_POLICIES)
    if by.person_id is None:
        raise Forbidden("Only a person, not a machine, decides on policies.")
    policy = payer_policy(by, policy_id)
    period = Period(since=since, until=until)
    if minutes_a_request < 1:
        raise InvalidInput({"minutes_a_request": ["At least one minute is needed."]})
    chosen = _plans(policy.insurer_id, policy.code, plans)
    policy_in_force(chosen, period)
    simulation = Simulation.objects.create(
        policy=policy,
        document=_plain(document_of(policy)),
        plans=[plan.pk for plan in chosen],
        since=since,
        until=until,
        minutes_a_request=minutes_a_request,
        asked_by_id=by.person_id,
        asked_at=now,
        due_at=now,
    )
    audit.record(by=by, action="simulate", subject_kind="policy", subject_id=policy.public_id, now=now)
    return simulation


def _plans(insurer: int, code: str, wanted: Sequence[PlanId]) -> list[Plan]:
    own = Plan.objects.filter(insurer_id=insurer).select_related("insurer").order_by("pk")
    if not wanted:
        return list(own.filter(policy=code))
    found = list(own.filter(public_id__in=wanted))
    missing = set(wanted) - {PlanId(plan.public_id) for plan in found}
    if missing:
        raise InvalidInput({"plans": [f"There is no plan {plan} of yours." for plan in sorted(missing)]})
    return found


def _plain(document: dict[str, object]) -> dict[str, object]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in document.items()}


def run_next(*, clock: Callable[[], datetime]) -> bool:
    """Run the simulation that waits for longest to its end; return whether there was any.

    `clock` returns this instant: a run takes longer than a lease, which is renewed on the way.

    :raises RuntimeError: inside a transaction, where nobody would see the lease.
    """
    simulation = leases.lease_next(Simulation.objects.filter(finished_at=None), now=clock())
    if simulation is None:
        return False
    try:
        leases.settle(simulation, report=_report(simulation, clock), now=clock())
    except leases.LeaseLost:
        log.info("lost simulation=%s", simulation.public_id)
    except AuthzError as refusal:
        leases.postpone(simulation, error=refusal.code, now=clock())
    return True


def _report(simulation: Simulation, clock: Callable[[], datetime]) -> dict[str, Any]:
    def tell(done: int, of: int) -> None:
        leases.renew(simulation, now=clock())
        Simulation.objects.filter(pk=simulation.pk).update(patients_done=done, patients_in_all=of)

    return compare(
        read_policy(simulation.document),
        list(Plan.objects.filter(pk__in=simulation.plans).select_related("insurer")),
        period=Period(since=simulation.since, until=simulation.until),
        minutes_a_request=simulation.minutes_a_request,
        formulary=formularies.current(),
        progress=tell,
    )
