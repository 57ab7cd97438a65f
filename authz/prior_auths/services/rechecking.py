"""Recheck patients of whom nobody recorded anything: a day has passed, a policy or the formulary has changed.

Who is to be rechecked is a row in PostgreSQL; workers lease the rows one by one, and each patient is one transaction.
So whatever is killed or told twice, everybody asked for is rechecked, and a patient whose recheck fails stops no other.
"""

from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import islice
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from authz import clock
from authz.formulary.services import IN_USE
from authz.outbox import leases
from authz.outbox.models import OutboxMessage
from authz.policies.models import PayerPolicy
from authz.policies.selectors import plans_that_count_days_as_they_pass, written_expiries
from authz.policies.services import ACTIVATED, RETIRED
from authz.prescriptions.models import Coverage, FillVersion, Patient, PatientIdentifier, PrescriptionVersion
from authz.prior_auths.lifecycle import ACTIVE
from authz.prior_auths.models import Recheck
from authz.prior_auths.services.detection import recheck
from authz.rules.selection import LONGEST_SUPPLY

_BATCH = 1000

# As SQL: put together anew from querysets, the question takes longer than its answer.
_DUE: Final = """
WITH ordered AS NOT MATERIALIZED (
    SELECT written.patient_id, version.starts_on
    FROM authz_prescriptionversion version JOIN authz_prescription written ON written.id = version.prescription_id
), told AS NOT MATERIALIZED (
    SELECT patient_id, starts_on FROM ordered
    UNION ALL
    SELECT fill.patient_id, version.starts_on
    FROM authz_fillversion version JOIN authz_fill fill ON fill.id = version.fill_id
), known AS (
    SELECT patient.id, (
        SELECT as_of FROM authz_evaluation WHERE patient_id = patient.id ORDER BY as_of DESC LIMIT 1
    ) AS evaluated_on
    FROM authz_patient patient
    WHERE %(zone)s = (
        SELECT assigner.time_zone FROM authz_patientidentifier identifier
        JOIN authz_organization assigner ON assigner.id = identifier.assigner_id
        WHERE identifier.patient_id = patient.id ORDER BY identifier.id LIMIT 1
    )
)
SELECT id FROM known
WHERE evaluated_on < %(today)s
    AND NOT EXISTS (SELECT FROM authz_recheck WHERE patient_id = known.id AND asked_at >= %(midnight)s)
    AND (
        EXISTS (SELECT FROM authz_priorauth WHERE patient_id = known.id AND state = ANY(%(active)s))
        OR EXISTS (
            SELECT FROM told WHERE patient_id = known.id AND starts_on > evaluated_on AND starts_on <= %(today)s
        )
        OR EXISTS (
            SELECT FROM ordered CROSS JOIN unnest(%(expiries)s::int[]) days
            WHERE patient_id = known.id AND starts_on + days >= evaluated_on AND starts_on + days < %(today)s
        )
        OR EXISTS (SELECT FROM authz_coverage WHERE patient_id = known.id AND plan_id = ANY(%(day_by_day)s))
        AND EXISTS (
            SELECT FROM told
            WHERE patient_id = known.id AND starts_on > evaluated_on - %(longest)s::int AND starts_on <= %(today)s
        )
    )
ORDER BY id
"""


def ask_for(*, patients: QuerySet[Patient], now: datetime) -> int:
    """Ask for a recheck of each of the patients, and return how many there are. Who waits for one is asked for once."""
    return _ask_for(patients.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=_BATCH), now)


def _ask_for(keys: Iterator[int], now: datetime) -> int:
    count = 0
    while batch := [Recheck(patient_id=key, asked_at=now, due_at=now) for key in islice(keys, _BATCH)]:
        Recheck.objects.bulk_create(batch, ignore_conflicts=True)
        count += len(batch)
    return count


def ask_after(*, message: OutboxMessage, now: datetime) -> None:
    """Ask for the patients whom a fact concerns: those under a policy that came into force or ended, and everybody
    when another release of the formulary came into use.

    A policy decides about orders and fills of its own days, so only patients with one since its first or last are.
    """
    if message.topic == IN_USE:
        ask_for(patients=Patient.objects.filter(merged_into=None), now=now)
    if message.topic not in {ACTIVATED, RETIRED}:
        return
    policy = PayerPolicy.objects.get(public_id=message.subject_id)
    since = policy.retired_on or policy.in_force_from
    covered = Coverage.objects.filter(
        patient=OuterRef("pk"), plan__insurer_id=policy.insurer_id, plan__policy=policy.code
    )
    ask_for(patients=Patient.objects.filter(Exists(covered), _told_of(starts_on__gte=since)), now=now)


def ask_for_due(*, now: datetime) -> int:
    """Ask for the patients for whom a day alone may change the answer, and return how many there are.

    Nobody records anything on the day on which an order written for later becomes current or an unfilled one expires,
    supply in hand is used up day by day where that counts, or a use becomes too old to go on. Other days are told at
    once: a day in the future on which an exemption or an authorization ends is evaluated when it is recorded.
    Each patient is asked for once a day, in the calendar of the clinic that knew them first.
    """
    zones = PatientIdentifier.objects.order_by().values_list("assigner__time_zone", flat=True).distinct()
    return sum(_ask_for(iter(_due(zone, now)), now) for zone in sorted(zones))


def recheck_next(*, now: datetime) -> bool:
    """Recheck the patient who has waited longest; return whether there was one.

    :raises LeaseLost: when the lease ran out meanwhile and another worker has the patient.
    """
    asked = leases.lease_next(waiting(), now=now)
    if asked is None:
        return False
    with transaction.atomic():
        patient = Patient.objects.select_for_update(no_key=True).get(pk=asked.patient_id)
        recheck(patient=patient, on=_day_for(patient, now), now=now)
        leases.settle(asked, now=now)
    return True


def patients_of(*, plan_code: str) -> QuerySet[Patient]:
    """Return the patients whom plans of a code cover or ever covered, whosever plans they are."""
    return Patient.objects.filter(Exists(Coverage.objects.filter(patient=OuterRef("pk"), plan__code=plan_code)))


def waiting() -> QuerySet[Recheck]:
    """Return the rechecks that are still to be made, dead ones left out."""
    return Recheck.objects.filter(done_at=None, dead_at=None)


def _day_for(patient: Patient, now: datetime) -> date:
    """Return today where the patient was known first; never a day before one on which they were evaluated already.

    What a clinic further east has recorded on its next day would be forgotten.
    """
    first = patient.identifiers.select_related("assigner").order_by("pk").first()
    today = clock.day_in(first.assigner.time_zone if first else "UTC", at=now)
    latest = patient.evaluations.order_by("-as_of").first()
    return max(today, latest.as_of) if latest else today


def _due(zone: str, now: datetime) -> list[int]:
    """Return the keys of the patients of a calendar whom a day since their last evaluation may concern."""
    today = clock.day_in(zone, at=now)
    asked: dict[str, Any] = {
        "zone": zone,
        "today": today,
        "midnight": datetime.combine(today, time.min, ZoneInfo(zone)),
        "active": sorted(state.value for state in ACTIVE),
        "expiries": sorted(written_expiries()),
        "day_by_day": list(plans_that_count_days_as_they_pass().values_list("pk", flat=True)),
        "longest": LONGEST_SUPPLY,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DUE, asked)
        return [key for (key,) in cursor.fetchall()]


def _told_of(**when: Any) -> Q:
    """Return patients with an order or a fill of which any version starts then."""
    fills = FillVersion.objects.filter(fill__patient=OuterRef("pk"), **when)
    orders = PrescriptionVersion.objects.filter(prescription__patient=OuterRef("pk"), **when)
    return Q(Exists(fills)) | Q(Exists(orders))
