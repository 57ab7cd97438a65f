"""Which requests a policy would open among recorded history: one answer a patient and episode, by walk or by rule.

Nobody counts as authorized: what was granted under one policy says nothing of how many requests another one brings.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

from authz.policies.version import PolicyVersion
from authz.prescriptions.models import FillVersion, Patient, PrescriptionVersion
from authz.prescriptions.selectors import exempt_period, rule_records
from authz.prior_auths.needs import causes_of
from authz.rules.evaluate import evaluate
from authz.rules.formulary import Formulary
from authz.rules.policy import Policy
from authz.rules.records import Case, Record
from authz.rules.thresholds import FindingAction, Threshold, findings
from authz.rules.use_days import circumstances_of
from authz.simulations.crossings import Crossing, can_walk, crossings
from authz.simulations.history import History
from authz.simulations.report import Period, SimulatedNeed


def needs_of(
    piece: Sequence[History], policy: PolicyVersion, *, formulary: Formulary, period: Period
) -> dict[int, list[SimulatedNeed]]:
    """Return the needs in the period of each patient that has any, by the patient's key, as known on its last day."""
    found: dict[int, list[SimulatedNeed]] = {}
    closer: list[int] = []
    is_plain = _is_plain(policy)
    for history in piece:
        walked = _walked(history, policy.parameters, period) if is_plain else None
        if walked is None:
            closer.append(history.patient)
        elif walked:
            found[history.patient] = [_need(crossing) for crossing in walked]
    return found | needs_by_rule(closer, policy, formulary=formulary, period=period)


def _is_plain(policy: PolicyVersion) -> bool:
    """Return whether days alone decide, and in a way that a walk can tell."""
    return can_walk(policy.parameters) and not _requiring(policy)


def _requiring(policy: PolicyVersion) -> list[Threshold]:
    return [threshold for threshold in policy.thresholds if threshold.action is FindingAction.REQUIRE_AUTHORIZATION]


def _walked(history: History, policy: Policy, period: Period) -> list[Crossing] | None:
    """Return the crossings in the period that need authorization: none starts later than what is known on its last day.

    None where the patient's age or an exemption asks for the rule.
    """
    since = period.since.toordinal()
    if policy.minor_limit_days is None and not history.exemptions:
        return crossings(history.supplies, policy, since=since)
    facts = Case(
        id="simulated",
        as_of=period.until,
        birth_date=history.birth_date,
        policy=policy,
        exemptions=tuple(history.exemptions),
    )
    circumstances = circumstances_of(facts)
    if circumstances.adult_from > history.starts[0]:
        return None
    return crossings(history.supplies, policy, circumstances.released, since=since)


def _need(crossing: Crossing) -> SimulatedNeed:
    return SimulatedNeed(date.fromordinal(crossing.caused), date.fromordinal(crossing.first))


def needs_by_rule(
    patients: Collection[int], policy: PolicyVersion, *, formulary: Formulary, period: Period
) -> dict[int, list[SimulatedNeed]]:
    """Return the same by asking the rule itself about every patient, which takes some hundred times longer."""
    asked = _requiring(policy)
    found = {}
    for patient, case in _cases(patients, policy.parameters, period.until):
        verdict = evaluate(case, formulary)
        beside = findings(case, verdict, asked, formulary=formulary)
        newest = {record.id: record for record in case.records}
        causes = [(list(causes_of(episode, beside, newest)), episode.start) for episode in verdict.episodes]
        needs = [SimulatedNeed(min(day for day, _, _ in days), began_on) for days, began_on in causes if days]
        if needs := [need for need in needs if need.caused_on in period]:
            found[patient] = needs
    return found


def _cases(patients: Collection[int], policy: Policy, as_of: date) -> Iterator[tuple[int, Case]]:
    records = _newest_records(patients, as_of)
    known = Patient.objects.filter(pk__in=list(records)).prefetch_related("exemptions")
    for patient in known.iterator(chunk_size=1000):
        exemptions = tuple(exempt_period(row) for row in patient.exemptions.all() if row.withdrawn_at is None)
        yield (
            patient.pk,
            Case(
                id=str(patient.public_id),
                as_of=as_of,
                birth_date=patient.birth_date,
                policy=policy,
                records=tuple(records[patient.pk]),
                exemptions=exemptions,
            ),
        )


def _newest_records(patients: Collection[int], as_of: date) -> Mapping[int, list[Record]]:
    fills = FillVersion.objects.filter(fill__patient_id__in=patients, recorded_on__lte=as_of)
    orders = PrescriptionVersion.objects.filter(prescription__patient_id__in=patients, recorded_on__lte=as_of)
    found: dict[int, list[Record]] = defaultdict(list)
    for fill in fills.order_by("fill_id", "-version").distinct("fill_id").select_related("fill", "prescription"):
        found[fill.fill.patient_id].extend(rule_records([fill], []))
    newest = orders.order_by("prescription_id", "-version").distinct("prescription_id").select_related("prescription")
    for order in newest:
        found[order.prescription.patient_id].extend(rule_records([], [order]))
    return found
