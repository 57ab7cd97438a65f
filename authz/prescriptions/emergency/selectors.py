"""Whose record was opened in an emergency: for whoever opened it, and for those who must hear of it."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from authz.access.models import Organization
from authz.access.roles import Action, Actor, must_be_allowed
from authz.audit.circumstances import opened_by_emergency
from authz.ids import PatientId
from authz.prescriptions.emergency.models import EmergencyAccess
from authz.prescriptions.models import Coverage, Patient, PatientIdentifier


def opened_to(by: Actor, *, now: datetime) -> Exists:
    """Return the predicate that holds for the patients whose record this very person has open now."""
    return Exists(
        EmergencyAccess.objects.filter(
            patient=OuterRef("pk"),
            organization=by.organization_id,
            person=by.person_id,
            opened_at__lte=now,
            ends_at__gt=now,
        )
    )


def opened_patient(by: Actor, patient_id: PatientId, *, now: datetime) -> Patient | None:
    """Return a patient whose record the actor has open in an emergency, without any name or number of theirs."""
    if by.person_id is None:
        return None
    nothing = Prefetch("identifiers", queryset=PatientIdentifier.objects.none(), to_attr="own_identifiers")
    found = Patient.objects.filter(opened_to(by, now=now), public_id=patient_id).prefetch_related(nothing).first()
    if found is not None:
        mine = EmergencyAccess.objects.filter(patient=found, person=by.person_id, opened_at__lte=now, ends_at__gt=now)
        opened_by_emergency(mine.latest("pk").public_id)
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
