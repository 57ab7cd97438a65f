"""Pain scores and surgeries, which are their own clinic's alone, and the pain signal, which is for its prescribers."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Prefetch, QuerySet

from authz import clock
from authz.access.roles import Action, Actor, must_be_allowed
from authz.access.selectors import organization
from authz.ids import PatientId
from authz.pain.models import PainScore, PainScoreVersion, Surgery, SurgeryVersion
from authz.pain.sight import sight
from authz.prescriptions import selectors as prescriptions
from authz.prescriptions.models import Patient
from authz.rules.pain_signal import NoPainSignal, PainSignal


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenSignal:
    """What the rule says of a patient's pain today, in the clinic's calendar; None while the clinic has it off."""

    patient: Patient
    as_of: date
    answer: PainSignal | NoPainSignal | None


def pain_scores(by: Actor) -> QuerySet[PainScore]:
    """Return the scores the organization recorded; `newest_first` holds each one's versions."""
    must_be_allowed(by, Action.READ_PATIENTS)
    versions = PainScoreVersion.objects.order_by("-version")
    return (
        PainScore.objects.filter(organization_id=by.organization)
        .select_related("patient")
        .prefetch_related(Prefetch("versions", queryset=versions, to_attr="newest_first"))
    )


def surgeries(by: Actor) -> QuerySet[Surgery]:
    """Return the surgeries the organization recorded; `newest_first` holds each one's versions."""
    must_be_allowed(by, Action.READ_PATIENTS)
    versions = SurgeryVersion.objects.order_by("-version")
    return (
        Surgery.objects.filter(organization_id=by.organization)
        .select_related("patient")
        .prefetch_related(Prefetch("versions", queryset=versions, to_attr="newest_first"))
    )


def has_pain_signal(by: Actor) -> bool:
    """Say whether the actor's clinic has the pain signal on.

    :raises Forbidden: when the actor works for no clinic.
    """
    must_be_allowed(by, Action.READ_CLINIC_SETTINGS)
    return organization(by).has_pain_signal


def signal(by: Actor, patient_id: PatientId, *, now: datetime) -> SeenSignal:
    """Return the pain signal of a patient, for a prescriber of a clinic that knows them.

    :raises NotFound: when the clinic does not know the patient.
    :raises Forbidden: when the actor is no prescriber there.
    """
    patient = prescriptions.patient(by, patient_id)
    must_be_allowed(by, Action.READ_PAIN_SIGNAL)
    clinic = organization(by)
    day = clock.day_in(clinic.time_zone, at=now)
    answer = sight(patient, clinic, on=day).answer if clinic.has_pain_signal else None
    return SeenSignal(patient=patient, as_of=day, answer=answer)
