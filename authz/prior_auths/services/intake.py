"""Take in a fact about a patient and, in the same transaction, bring requests and pain hints into line with it."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from authz import clock
from authz.access.models import Organization
from authz.access.roles import Actor
from authz.access.tenancy import across_tenants
from authz.errors import NotFound
from authz.ids import ExemptionId, FillId, IdentityQuestionId, PatientId, PrescriptionId
from authz.pain import services as pain
from authz.prescriptions.facts import CoverageFacts, ExemptionFacts, FillFacts, PatientFacts, PrescriptionFacts
from authz.prescriptions.models import Coverage, Exemption, Fill, Patient, Prescription
from authz.prescriptions.services import CoverageRecorded, RecordOutcome, identity, patients, records
from authz.prescriptions.services.records import Facts, Recorded
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.new_fact import StatedFact
from authz.prior_auths.services.detection import open_by_hand, recheck
from authz.rules.records import RecordStatus


@transaction.atomic
def register_patient(*, facts: PatientFacts, by: Actor, now: datetime) -> tuple[Patient, RecordOutcome]:
    """Register a patient, or update what is known of them. One other organizations know may need a request at once.

    :raises Forbidden: when the actor may not record patients.
    :raises InvalidInput: when the number is known with another birth date, or there is no such plan.
    """
    patient, outcome = patients.register_patient(facts=facts, by=by, now=now)
    if outcome is not RecordOutcome.UNCHANGED:
        locked = patients.lock_patient(patient_id=PatientId(patient.public_id), by=by)
        _bring_into_line(locked, by, now)
    return patient, outcome


@transaction.atomic
def record_all(*, patient_id: PatientId, facts: Sequence[Facts], by: Actor, now: datetime) -> list[Recorded]:
    """Record orders and fills of one patient in the order given, and recheck once. All are recorded, or none.

    :raises NotFound: when the organization does not know the patient.
    :raises Forbidden: when the actor may not record them.
    :raises InvalidInput: when a fact contradicts another patient's record or names an unknown order or prescriber.
    """
    patient = patients.lock_patient(patient_id=patient_id, by=by)
    done = records.record(patient=patient, facts=facts, by=by, now=now)
    if any(outcome is not RecordOutcome.UNCHANGED for _, outcome in done):
        _bring_into_line(patient, by, now)
    return done


def record_fill(*, patient_id: PatientId, facts: FillFacts, by: Actor, now: datetime) -> Recorded:
    """Record one dispensing; see `record_all`."""
    return record_all(patient_id=patient_id, facts=[facts], by=by, now=now)[0]


def record_prescription(*, patient_id: PatientId, facts: PrescriptionFacts, by: Actor, now: datetime) -> Recorded:
    """Record one written order; see `record_all`."""
    return record_all(patient_id=patient_id, facts=[facts], by=by, now=now)[0]


@transaction.atomic
def reverse_fill(*, fill_id: FillId, by: Actor, now: datetime) -> tuple[Fill, RecordOutcome]:
    """Record that a dispensing was reversed: a further version, after which it counts no more.

    :raises NotFound: when the organization recorded no such fill.
    """
    fill = Fill.objects.select_related("patient").filter(public_id=fill_id, organization_id=by.organization).first()
    if fill is None:
        raise NotFound("There is no such fill.")
    return fill, _end(fill, RecordStatus.REVERSED, by, now)


@transaction.atomic
def cancel_prescription(
    *, prescription_id: PrescriptionId, by: Actor, now: datetime
) -> tuple[Prescription, RecordOutcome]:
    """Record that an order was cancelled: a further version, after which it counts no more.

    :raises NotFound: when the organization recorded no such order.
    """
    orders = Prescription.objects.select_related("patient").filter(organization_id=by.organization)
    order = orders.filter(public_id=prescription_id).first()
    if order is None:
        raise NotFound("There is no such prescription.")
    return order, _end(order, RecordStatus.CANCELLED, by, now)


@transaction.atomic
def record_coverage(*, patient_id: PatientId, facts: CoverageFacts, by: Actor, now: datetime) -> CoverageRecorded:
    """Record a coverage; requests not yet submitted follow the patient to it.

    :raises NotFound: when the organization does not know the patient.
    """
    patient = patients.lock_patient(patient_id=patient_id, by=by)
    done = patients.record_coverage(patient=patient, facts=facts, by=by, now=now)
    if done.outcome is not RecordOutcome.UNCHANGED:
        _bring_into_line(patient, by, now)
    return done


@transaction.atomic
def record_exemption(
    *, patient_id: PatientId, facts: ExemptionFacts, by: Actor, now: datetime
) -> tuple[Exemption, RecordOutcome]:
    """Record an exemption; requests it makes needless lapse or are flagged.

    :raises NotFound: when the organization does not know the patient.
    """
    patient = patients.lock_patient(patient_id=patient_id, by=by)
    exemption, outcome = patients.record_exemption(patient=patient, facts=facts, by=by, now=now)
    if outcome is not RecordOutcome.UNCHANGED:
        _bring_into_line(patient, by, now)
    return exemption, outcome


@transaction.atomic
def withdraw_exemption(*, exemption_id: ExemptionId, by: Actor, now: datetime) -> Exemption:
    """Withdraw an exemption the organization recorded; what it excused is needed again.

    :raises NotFound: when the organization recorded no such exemption.
    """
    known = patients.own_exemption(exemption_id=exemption_id, by=by)
    patient = patients.lock_patient(patient_id=PatientId(known.patient.public_id), by=by)
    exemption = patients.withdraw_exemption(exemption_id=exemption_id, by=by, now=now)
    _bring_into_line(patient, by, now)
    return exemption


@transaction.atomic
def answer_identity_question(*, question_id: IdentityQuestionId, is_same: bool, by: Actor, now: datetime) -> None:
    """Keep a person's answer to whether two patients are one; if they are, their records and requests become one's.

    :raises NotFound: when the organization has no such open question.
    :raises SharedByOthers: when other organizations know both patients.
    """
    pair = identity.answer(question_id=question_id, is_same=is_same, by=by, now=now)
    if pair is not None:
        kept, merged = pair
        with across_tenants("what hangs on a merged patient moves, whoever has it"):
            _move(kept, merged, now)
        _bring_into_line(kept, by, now)


def _move(kept: Patient, merged: Patient, now: datetime) -> None:
    for request in PriorAuth.objects.select_for_update().filter(patient=merged):
        request.patient = kept
        request.coverage = _coverage_of(kept, request.coverage)
        request.save(update_fields=["patient", "coverage"])
    pain.follow_merge(kept=kept, merged=merged, now=now)


def _coverage_of(patient: Patient, coverage: Coverage | None) -> Coverage | None:
    """Return the patient's own coverage that says what this one says; both are kept when two patients become one."""
    return (identity.twin_of(coverage=coverage, patient=patient) or coverage) if coverage else None


@transaction.atomic
def open_request(
    *, patient_id: PatientId, reason: str, by: Actor, now: datetime, new_fact: StatedFact | None = None
) -> PriorAuth:
    """Open a request by hand, on the patient's latest use; see `detection.open_by_hand`.

    :raises NotFound: when the organization does not know the patient.
    """
    patient = patients.lock_patient(patient_id=patient_id, by=by)
    return open_by_hand(patient=patient, reason=reason, by=by, on=_today(by, now), now=now, new_fact=new_fact)


def _bring_into_line(patient: Patient, by: Actor, now: datetime) -> None:
    today = _today(by, now)
    with across_tenants("a fact may open, follow or end requests of any clinic that knows the patient"):
        recheck(patient=patient, on=today, now=now)
        pain.look_again(patient=patient, now=now)


def _end(record: Fill | Prescription, status: RecordStatus, by: Actor, now: datetime) -> RecordOutcome:
    patient = patients.lock_patient(patient_id=PatientId(record.patient.public_id), by=by)
    outcome = records.end(record=record, status=status, by=by, now=now)
    if outcome is not RecordOutcome.UNCHANGED:
        _bring_into_line(patient, by, now)
    return outcome


def _today(by: Actor, now: datetime) -> date:
    return clock.day_in(Organization.objects.get(pk=by.organization).time_zone, at=now)
