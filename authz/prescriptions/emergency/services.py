"""Breaking the glass: a clinician looks at somebody who is not their clinic's patient, and all concerned hear of it."""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction

from authz.access.models import Membership
from authz.access.roles import Action, Actor, must_be_allowed
from authz.access.tenancy import across_tenants
from authz.audit import services as audit
from authz.errors import AuthzError, Forbidden, InvalidInput
from authz.ids import PlanId
from authz.outbox.services import announce
from authz.prescriptions.emergency.models import EmergencyAccess
from authz.prescriptions.models import Coverage, Patient, PatientIdentifier

OPENED = "emergency-access.opened"
SHORTEST_REASON = 20


class PatientOfYours(AuthzError):
    """The clinic knows the patient, so there is no glass to break."""

    code = "patient-of-yours"


@transaction.atomic
def open_record(
    *, plan_id: PlanId, member_id: str, birth_date: date, reason: str, by: Actor, now: datetime
) -> EmergencyAccess:
    """Let a clinician see the opioid use of a patient registered nowhere in their clinic, for a few hours.

    The patient is named by insurance card and birth date, all of which must be right. Administrators of the clinic, of
    whoever knows the patient, and of the insurer are told; the reason is not in what they are sent.

    :raises Forbidden: when the actor is no clinician, or is a machine.
    :raises InvalidInput: when the reason says too little, or there is no such patient, or more than one.
    :raises PatientOfYours: when the clinic knows the patient.
    """
    must_be_allowed(by, Action.OPEN_IN_EMERGENCY)
    if (
        by.person_id is None
        or not Membership.objects.filter(person=by.person_id, organization=by.organization).exists()
    ):
        raise Forbidden("Only a person can open a record in an emergency.")
    if len(reason.strip()) < SHORTEST_REASON:
        raise InvalidInput({"reason": [f"Say why in at least {SHORTEST_REASON} characters."]})
    patient = _patient(plan_id, member_id, birth_date)
    if PatientIdentifier.objects.filter(patient=patient, assigner=by.organization).exists():
        raise PatientOfYours("Your clinic knows the patient: open the record as usual.")
    made = EmergencyAccess.objects.create(
        patient=patient,
        organization_id=by.organization,
        person_id=by.person_id,
        reason=reason.strip(),
        opened_at=now,
        ends_at=now + timedelta(hours=settings.EMERGENCY_ACCESS_HOURS),
    )
    audit.record(
        by=by,
        action="break the glass",
        subject_kind="patient",
        subject_id=patient.public_id,
        now=now,
        emergency=made.public_id,
    )
    audit.record(by=by, action="open", subject_kind="emergency-access", subject_id=made.public_id, now=now)
    announce(topic=OPENED, subject_id=made.public_id, now=now)
    return made


@across_tenants("the card names a patient whom the clinic does not know")
def _patient(plan_id: PlanId, member_id: str, birth_date: date) -> Patient:
    named = Coverage.objects.filter(plan__public_id=plan_id, member_id_index=member_id).values("patient")
    found = list(Patient.objects.filter(pk__in=named, birth_date=birth_date, merged_into=None)[:2])
    if len(found) != 1:
        raise InvalidInput({"member_id": ["There is no patient of this plan, number and birth date."]})
    return found[0]
