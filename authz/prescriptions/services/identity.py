"""A person's answer to whether two patients are one. Software asks; it never decides."""

from datetime import datetime

from authz.access.roles import Action, Actor, must_be_allowed
from authz.audit import services as audit
from authz.errors import AuthzError, NotFound
from authz.ids import IdentityQuestionId
from authz.prescriptions.models import (
    Coverage,
    Exemption,
    Fill,
    IdentityQuestion,
    Patient,
    PatientIdentifier,
    Prescription,
)


class SharedByOthers(AuthzError):
    """Other organizations know both patients, so no single one of them may join their records."""

    code = "patients-shared-by-others"


def answer(
    *, question_id: IdentityQuestionId, is_same: bool, by: Actor, now: datetime
) -> tuple[Patient, Patient] | None:
    """Keep a person's answer. When the two are one, move the records of the one only we know: (kept, merged).

    The caller rechecks the patient that is kept, in the same transaction.

    :raises Forbidden: when the actor may not record patients.
    :raises NotFound: when the organization has no such open question.
    :raises SharedByOthers: when others know both patients.
    """
    must_be_allowed(by, Action.RECORD_PATIENT)
    asked = IdentityQuestion.objects.select_for_update().filter(organization_id=by.organization, answered_at=None)
    question = asked.filter(public_id=question_id).first()
    if question is None:
        raise NotFound("There is no such open question.")
    pair = _merge(question, by) if is_same else None
    question.answered_at, question.is_same = now, is_same
    question.save(update_fields=["answered_at", "is_same"])
    audit.record(by=by, action="answer", subject_kind="identity-question", subject_id=question.public_id, now=now)
    return pair


def _merge(question: IdentityQuestion, by: Actor) -> tuple[Patient, Patient]:
    both = list(Patient.objects.select_for_update().filter(pk__in=question.patients.values("pk")).order_by("pk"))
    merged = next((patient for patient in both if _is_ours_alone(patient, by)), None)
    if merged is None:
        raise SharedByOthers("Other organizations know both patients; ask the insurer which number is right.")
    (kept,) = (patient for patient in both if patient != merged)
    for model in (PatientIdentifier, Coverage, Prescription, Fill, Exemption):
        model._default_manager.filter(patient=merged).update(patient=kept)
    merged.merged_into = kept
    merged.save(update_fields=["merged_into"])
    return kept, merged


def _is_ours_alone(patient: Patient, by: Actor) -> bool:
    return not patient.identifiers.exclude(assigner_id=by.organization).exists()
