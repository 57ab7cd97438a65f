"""A draft policy beside the policy in force, over recorded history: what would have been different."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any

from authz.errors import InvalidInput
from authz.policies.models import Plan
from authz.policies.selectors import rules_of
from authz.policies.version import PolicyVersion
from authz.prescriptions.selectors import coverage_on
from authz.rules.evaluate import RULE_VERSION
from authz.rules.formulary import Formulary
from authz.simulations.history import Covered, coverages, histories, members, selection_of
from authz.simulations.needs import needs_of
from authz.simulations.report import Period, Report, SimulatedNeed

Progress = Callable[[int, int], None]
"""Called with how many patients are done, and of how many."""


@contextmanager
def collection_paused() -> Iterator[None]:
    """Leave off looking for cycles: millions of small values come and go here and form none, and the search for them
    costs a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


_Both = tuple[Sequence[SimulatedNeed], Sequence[SimulatedNeed]]
_NOTHING: Sequence[SimulatedNeed] = ()


def policy_in_force(plans: Sequence[Plan], period: Period) -> PolicyVersion:
    """Return the one version that the plans are under on the period's first day.

    :raises InvalidInput: without a plan, or when they are under several.
    """
    found = {version.key: version for version in (rules_of(plan).on(period.since) for plan in plans)}
    if len(found) != 1:
        names = ", ".join(" ".join(key) for key in sorted(found)) or "no plan at all"
        raise InvalidInput({"plans": [f"Name plans that are under one policy on {period.since}; these are: {names}."]})
    return next(iter(found.values()))


@collection_paused()
def compare(
    draft: PolicyVersion,
    plans: Sequence[Plan],
    *,
    period: Period,
    minutes_a_request: int,
    formulary: Formulary,
    progress: Progress,
) -> dict[str, Any]:
    """Return the figures of both policies for the plans' members, as plain JSON values.

    What is known on the period's last day decides, and nobody counts as authorized. A request counts when the record
    that causes it lies in the period, on a day on which one of the plans covers the patient.

    :raises InvalidInput: see `policy_in_force`.
    """
    in_force = policy_in_force(plans, period)
    keys = {plan.pk for plan in plans}
    report = Report(period=period, minutes_a_request=minutes_a_request, members=members(keys))
    for piece in _pieces(in_force, draft, keys, formulary, period):
        report.with_use += len(piece)
        covered = coverages([patient for patient, needs in piece.items() if any(needs)])
        for patient, needs in piece.items():
            report.add(*(_theirs(side, covered.get(patient, ()), keys) for side in needs))
        progress(report.with_use, report.members)
    progress(report.members, report.members)
    return report.to_mapping() | {
        "policy_in_force": " ".join(in_force.key),
        "policy_drafted": " ".join(draft.key),
        "plans": sorted(plan.code for plan in plans),
        "rule_version": RULE_VERSION,
        "formulary_version": formulary.version,
    }


def _theirs(needs: Sequence[SimulatedNeed], covered: Sequence[Covered], plans: set[int]) -> list[SimulatedNeed]:
    """Return the needs that are for one of the plans to decide."""
    payers = ((need, coverage_on(covered, need.caused_on)) for need in needs)
    return [need for need, coverage in payers if coverage is not None and coverage.plan_id in plans]


def _pieces(
    in_force: PolicyVersion, draft: PolicyVersion, plans: set[int], formulary: Formulary, period: Period
) -> Iterator[Mapping[int, _Both]]:
    """Yield the needs in the period under both policies of each patient with use, piece by piece."""
    if selection_of(in_force.parameters) != selection_of(draft.parameters):
        yield from _apart(in_force, draft, plans, formulary, period)
        return
    for piece in histories(plans, policy=draft.parameters, formulary=formulary, as_of=period.until):
        now = needs_of(piece, in_force, formulary=formulary, period=period)
        then = needs_of(piece, draft, formulary=formulary, period=period)
        yield {
            history.patient: (now.get(history.patient, _NOTHING), then.get(history.patient, _NOTHING))
            for history in piece
        }


def _apart(
    in_force: PolicyVersion, draft: PolicyVersion, plans: set[int], formulary: Formulary, period: Period
) -> Iterator[Mapping[int, _Both]]:
    """Read history once for each policy, side by side: other records count under each."""

    def side(number: int, policy: PolicyVersion) -> Iterator[tuple[int, int, Sequence[SimulatedNeed]]]:
        for piece in histories(plans, policy=policy.parameters, formulary=formulary, as_of=period.until):
            found = needs_of(piece, policy, formulary=formulary, period=period)
            yield from ((history.patient, number, found.get(history.patient, _NOTHING)) for history in piece)

    told = merge(side(0, in_force), side(1, draft), key=itemgetter(0, 1))
    for patient, group in groupby(told, key=itemgetter(0)):
        needs = {number: found for _, number, found in group}
        yield {patient: (needs.get(0, _NOTHING), needs.get(1, _NOTHING))}
