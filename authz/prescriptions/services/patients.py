"""Patients, identifiers, coverages, prescribers, exemptions: every write. Orders and fills are in records.py."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db import transaction

from authz.access.models import Organization, Person
from authz.access.roles import Action, Actor, must_be_allowed
from authz.access.tenancy import across_tenants
from authz.audit import services as audit
from authz.errors import InvalidInput, NotFound
from authz.ids import ExemptionId, PatientId, PlanId
from authz.policies.models import Plan
from authz.prescriptions.facts import CoverageFacts, ExemptionFacts, PatientFacts
from authz.prescriptions.models import (
    Coverage,
    Exemption,
    IdentityQuestion,
    Patient,
    PatientIdentifier,
    Prescriber,
)
from authz.prescriptions.npi import is_valid_npi


class RecordOutcome(StrEnum):
    """What became of something told to us."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    CORRECTED = "corrected"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageRecorded:
    """A recorded coverage, or the question a person must answer first; exactly one of the two."""

    coverage: Coverage | None
    question: IdentityQuestion | None
    outcome: RecordOutcome


def lock_patient(*, patient_id: PatientId, by: Actor) -> Patient:
    """Lock a patient's row until the transaction ends: everything about one patient happens one at a time.

    Under the id of a patient that was merged into another, that other one is locked.

    :raises NotFound: when the actor's organization does not know the patient.
    """
    rows = Patient.objects.select_for_update(no_key=True)
    patient = rows.filter(public_id=patient_id).first()
    # Asked after locking: a merge may have been under way until now.
    if patient is not None and patient.merged_into_id is not None:
        patient = rows.get(pk=patient.merged_into_id)
    if patient is None or not patient.identifiers.filter(assigner_id=by.organization).exists():
        raise NotFound("There is no such patient.")
    return patient


@transaction.atomic
def register_patient(*, facts: PatientFacts, by: Actor, now: datetime) -> tuple[Patient, RecordOutcome]:
    """Register a patient under the organization's own number, or update the name given under that number.

    A new number that comes with a member id joins the patient of that member id, when the birth dates agree. When they
    do not, the patient is registered apart and a person is asked whether the two are one. Names are never compared.

    :raises Forbidden: when the actor may not record patients.
    :raises InvalidInput: when the number is known with another birth date, or there is no such plan.
    """
    must_be_allowed(by, Action.RECORD_PATIENT)
    # No key: whoever records something for the organization at the same time need not wait.
    Organization.objects.select_for_update(no_key=True).get(pk=by.organization)
    known = (
        PatientIdentifier.objects.select_related("patient")
        .filter(assigner_id=by.organization, value_index=facts.identifier)
        .first()
    )
    if known is not None:
        return known.patient, _update_names(known, facts, by, now)
    return _enter(facts, by, now), RecordOutcome.CREATED


@across_tenants("a member number joins whoever others know by it; who is new, nobody knows yet")
def _enter(facts: PatientFacts, by: Actor, now: datetime) -> Patient:
    member = _holder(_plan(facts.plan_id), facts.member_id)
    is_same = member is not None and member.birth_date is not None and member.birth_date == facts.birth_date
    patient = member if member and is_same else Patient.objects.create(birth_date=facts.birth_date, registered_at=now)
    _identify(patient, facts, by, now)
    audit.record(by=by, action="register", subject_kind="patient", subject_id=patient.public_id, now=now)
    if member is not None and not is_same:
        _ask_whether_same(patient, member, by, now)
    return patient


def _identify(patient: Patient, facts: PatientFacts, by: Actor, now: datetime) -> None:
    PatientIdentifier.objects.create(
        patient=patient,
        assigner_id=by.organization,
        value=facts.identifier,
        family_name=facts.family_name,
        given_name=facts.given_name,
        recorded_at=now,
    )


def _update_names(known: PatientIdentifier, facts: PatientFacts, by: Actor, now: datetime) -> RecordOutcome:
    patient = Patient.objects.select_for_update(no_key=True).get(pk=known.patient_id)
    if facts.birth_date is not None and patient.birth_date not in {None, facts.birth_date}:
        raise InvalidInput({"birth_date": ["This number is known with another birth date. Ask a person to check."]})
    before = (known.family_name, known.given_name, patient.birth_date)
    after = (facts.family_name, facts.given_name, facts.birth_date or patient.birth_date)
    if before == after:
        return RecordOutcome.UNCHANGED
    known.family_name, known.given_name, patient.birth_date = after
    known.save(update_fields=["family_name", "given_name"])
    patient.save(update_fields=["birth_date"])
    audit.record(by=by, action="correct", subject_kind="patient", subject_id=patient.public_id, now=now)
    return RecordOutcome.CORRECTED


@across_tenants("the insurer's number and the coverage itself may be recorded already, by others")
def record_coverage(*, patient: Patient, facts: CoverageFacts, by: Actor, now: datetime) -> CoverageRecorded:
    """Record a coverage of a locked patient. A member number that is another patient's becomes a question for a person.

    :raises Forbidden: when the actor may not record coverages.
    :raises InvalidInput: when there is no such plan.
    """
    must_be_allowed(by, Action.RECORD_COVERAGE)
    plan = _plan(facts.plan_id)
    if plan is not None and (other := _number(patient, plan, facts.member_id, now)) != patient:
        question = _ask_whether_same(patient, other, by, now)
        return CoverageRecorded(coverage=None, question=question, outcome=RecordOutcome.UNCHANGED)
    same = {"plan": plan, "payer_name": "" if plan else facts.payer_name, "starts_on": facts.starts_on}
    coverage = Coverage.objects.filter(patient=patient, member_id_index=facts.member_id, **same).first()
    if coverage is not None:
        return CoverageRecorded(coverage=coverage, question=None, outcome=_update_end(coverage, facts, by, now))
    coverage = Coverage.objects.create(
        patient=patient,
        **same,
        member_id=facts.member_id,
        ends_on=facts.ends_on,
        priority=facts.priority,
        organization_id=by.organization,
        recorded_at=now,
    )
    audit.record(by=by, action="record", subject_kind="coverage", subject_id=coverage.public_id, now=now)
    return CoverageRecorded(coverage=coverage, question=None, outcome=RecordOutcome.CREATED)


def _plan(plan_id: PlanId | None) -> Plan | None:
    if plan_id is None:
        return None
    plan = Plan.objects.select_related("insurer").filter(public_id=plan_id).first()
    if plan is None:
        raise InvalidInput({"plan": ["There is no such plan."]})
    return plan


def _holder(plan: Plan | None, member_id: str) -> Patient | None:
    """Return the patient whom the plan's insurer knows by that number."""
    if plan is None:
        return None
    numbered = PatientIdentifier.objects.select_related("patient").filter(assigner=plan.insurer, value_index=member_id)
    known = numbered.first()
    return known.patient if known else None


def _number(patient: Patient, plan: Plan, member_id: str, now: datetime) -> Patient:
    """Give a patient the insurer's number, unless somebody has it; return who has it now."""
    numbered, _ = PatientIdentifier.objects.select_related("patient").get_or_create(
        assigner=plan.insurer,
        value_index=member_id,
        defaults={"patient": patient, "value": member_id, "recorded_at": now},
    )
    return numbered.patient


def _ask_whether_same(patient: Patient, other: Patient, by: Actor, now: datetime) -> IdentityQuestion:
    asked = IdentityQuestion.objects.filter(organization_id=by.organization, answered_at=None, patients=patient)
    if question := asked.filter(patients=other).first():
        return question
    question = IdentityQuestion.objects.create(
        organization_id=by.organization,
        asked_at=now,
        reason="The member number already belongs to another patient. Are they the same person?",
    )
    question.patients.set([patient, other])
    audit.record(by=by, action="ask", subject_kind="identity-question", subject_id=question.public_id, now=now)
    return question


def _update_end(coverage: Coverage, facts: CoverageFacts, by: Actor, now: datetime) -> RecordOutcome:
    if (coverage.ends_on, coverage.priority) == (facts.ends_on, facts.priority):
        return RecordOutcome.UNCHANGED
    coverage.ends_on, coverage.priority = facts.ends_on, facts.priority
    coverage.save(update_fields=["ends_on", "priority"])
    audit.record(by=by, action="correct", subject_kind="coverage", subject_id=coverage.public_id, now=now)
    return RecordOutcome.CORRECTED


@transaction.atomic
def record_prescriber(
    *, npi: str, family_name: str, given_name: str, by: Actor, now: datetime
) -> tuple[Prescriber, RecordOutcome]:
    """Record that a prescriber works with the actor's organization. A known NPI keeps the name it has.

    :raises Forbidden: when the actor may not record prescribers.
    :raises InvalidInput: when the NPI's check digit is wrong.
    """
    must_be_allowed(by, Action.RECORD_PRESCRIBER)
    if not is_valid_npi(npi):
        raise InvalidInput({"npi": ["Not a National Provider Identifier: the check digit does not fit."]})
    prescriber, _ = Prescriber.objects.get_or_create(
        npi=npi, defaults={"family_name": family_name, "given_name": given_name}
    )
    if prescriber.organizations.filter(pk=by.organization).exists():
        return prescriber, RecordOutcome.UNCHANGED
    prescriber.organizations.add(by.organization)
    audit.record(by=by, action="record", subject_kind="prescriber", subject_id=prescriber.public_id, now=now)
    return prescriber, RecordOutcome.CREATED


@transaction.atomic
def link_log_in(*, npi: str, person: Person, by: Actor, now: datetime) -> Prescriber:
    """Say which log-in is a prescriber's own, so that the prescriber is told. Said again, nothing changes.

    :raises Forbidden: when the actor may not record prescribers.
    :raises NotFound: when no prescriber of that NPI works with the actor's organization, or the person does not.
    """
    must_be_allowed(by, Action.RECORD_PRESCRIBER)
    prescriber = Prescriber.objects.filter(npi=npi, organizations=by.organization).first()
    if prescriber is None or not person.memberships.filter(organization=by.organization).exists():
        raise NotFound("There is no such prescriber or no such person in your organization.")
    if prescriber.person_id != person.pk:
        prescriber.person = person
        prescriber.save(update_fields=["person"])
        audit.record(by=by, action="link", subject_kind="prescriber", subject_id=prescriber.public_id, now=now)
    return prescriber


def record_exemption(
    *, patient: Patient, facts: ExemptionFacts, by: Actor, now: datetime
) -> tuple[Exemption, RecordOutcome]:
    """Record an exemption of a locked patient; the same one told again changes nothing.

    :raises Forbidden: when the actor may not record exemptions.
    """
    must_be_allowed(by, Action.RECORD_EXEMPTION)
    same = {"category": facts.category.value, "starts_on": facts.starts_on, "ends_on": facts.ends_on}
    known = patient.exemptions.filter(organization_id=by.organization, withdrawn_at=None, **same).first()
    if known is not None:
        return known, RecordOutcome.UNCHANGED
    exemption = Exemption.objects.create(
        patient=patient, organization_id=by.organization, evidence=facts.evidence, recorded_at=now, **same
    )
    audit.record(by=by, action="record", subject_kind="exemption", subject_id=exemption.public_id, now=now)
    return exemption, RecordOutcome.CREATED


def withdraw_exemption(*, exemption_id: ExemptionId, by: Actor, now: datetime) -> Exemption:
    """Withdraw an exemption the actor's organization recorded, of a patient the caller has locked.

    :raises Forbidden: when the actor may not record exemptions.
    :raises NotFound: when the organization recorded no such exemption.
    """
    must_be_allowed(by, Action.RECORD_EXEMPTION)
    exemption = own_exemption(exemption_id=exemption_id, by=by)
    if exemption.withdrawn_at is None:
        exemption.withdrawn_at = now
        exemption.save(update_fields=["withdrawn_at"])
        audit.record(by=by, action="withdraw", subject_kind="exemption", subject_id=exemption.public_id, now=now)
    return exemption


def own_exemption(*, exemption_id: UUID, by: Actor) -> Exemption:
    """Return an exemption of the actor's organization.

    :raises NotFound: when it recorded no such exemption.
    """
    exemption = (
        Exemption.objects.select_related("patient")
        .filter(public_id=exemption_id, organization_id=by.organization)
        .first()
    )
    if exemption is None:
        raise NotFound("There is no such exemption.")
    return exemption
