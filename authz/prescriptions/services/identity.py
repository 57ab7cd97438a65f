"""A person's answer to whether two patients are one. Software asks; it never decides."""

from datetime import datetime

from django.db.models import Q

from authz.access.roles import Action, Actor, must_be_allowed
from authz.access.tenancy import across_tenants
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


@across_tenants("who else knows the two, and what hangs on them, is not only ours")
def _merge(question: IdentityQuestion, by: Actor) -> tuple[Patient, Patient] | None:
    both = _survivors(question)
    if len(both) < 2:
        return None
    merged = next((patient for patient in both if _is_ours_alone(patient, by)), None)
    if merged is None:
        raise SharedByOthers("Other organizations know both patients; ask the insurer which number is right.")
    (kept,) = (patient for patient in both if patient != merged)
    for model in (PatientIdentifier, Prescription, Fill, Exemption):
        model._default_manager.filter(patient=merged).update(patient=kept)
    for coverage in merged.coverages.all():
        if twin_of(coverage=coverage, patient=kept) is None:
            Coverage.objects.filter(pk=coverage.pk).update(patient=kept)
    # One step leads from any merged patient to the one that is kept.
    Patient.objects.filter(Q(pk=merged.pk) | Q(merged_into=merged)).update(merged_into=kept)
    return kept, merged


def twin_of(*, coverage: Coverage, patient: Patient) -> Coverage | None:
    """Return the patient's own coverage that says the same as this one, None when there is none."""
    return patient.coverages.filter(
        plan=coverage.plan_id,
        payer_name=coverage.payer_name,
        member_id_index=coverage.member_id,
        starts_on=coverage.starts_on,
    ).first()


def _survivors(question: IdentityQuestion) -> list[Patient]:
    """Lock and return the two patients asked about; of one merged meanwhile, the patient it was merged into."""
    asked = list(Patient.objects.select_for_update().filter(pk__in=question.patients.values("pk")).order_by("pk"))
    keys = {patient.merged_into_id or patient.pk for patient in asked}
    return list(Patient.objects.select_for_update().filter(pk__in=keys).order_by("pk"))


def _is_ours_alone(patient: Patient, by: Actor) -> bool:
    return not patient.identifiers.exclude(assigner_id=by.organization).exists()
