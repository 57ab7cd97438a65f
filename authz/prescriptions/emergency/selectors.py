"""Whose record was opened in an emergency: for whoever opened it, and for those who must hear of it."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from authz.access.models import Organization
from authz.access.roles import Action, Actor, must_be_allowed
from authz.audit.circumstances import opened_by_emergency
from authz.ids import PatientId
from authz.prescriptions.emergency.models import EmergencyAccess
from authz.prescriptions.models import Coverage, PatientIdentifier


def opened(by: Actor, patient_id: PatientId, *, now: datetime) -> EmergencyAccess | None:
    """Return the emergency in which this very person has a patient's record open now, without a name or a number."""
    if by.person_id is None:
        return None
    theirs = EmergencyAccess.objects.filter(organization=by.organization_id, person=by.person_id)
    lasting = theirs.filter(patient__public_id=patient_id, opened_at__lte=now, ends_at__gt=now)
    found = lasting.select_related("patient").order_by("-pk").first()
    if found is not None:
        found.patient.own_identifiers = []  # type: ignore[attr-defined]  # as `prescriptions.selectors` puts it there
        opened_by_emergency(found.public_id)
    return found


def accesses(by: Actor) -> QuerySet[EmergencyAccess]:
    """Return the emergencies that the actor's organization is concerned with: its own, and those of its patients.

    :raises Forbidden: when the actor does not administer it.
    """
    must_be_allowed(by, Action.READ_EMERGENCIES)
    known = PatientIdentifier.objects.filter(patient=OuterRef("patient"), assigner=by.organization)
    insured = Coverage.objects.filter(patient=OuterRef("patient"), plan__insurer=by.organization)
    ours = Q(organization=by.organization) | Exists(known) | Exists(insured)
    return EmergencyAccess.objects.filter(ours).select_related("patient", "organization", "person")


def concerned(access: EmergencyAccess) -> QuerySet[Organization]:
    """Return the organizations that are told: whose clinician it was, who knows the patient, and who insures them."""
    assigners = PatientIdentifier.objects.filter(patient=access.patient_id).values("assigner")
    insurers = Coverage.objects.filter(patient=access.patient_id, plan__isnull=False).values("plan__insurer")
    return Organization.objects.filter(Q(pk=access.organization_id) | Q(pk__in=assigners) | Q(pk__in=insurers))
