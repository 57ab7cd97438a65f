"""Every write of this room: what a clinic tells of pain and surgery, whether it wants the signal, and the hints."""

from dataclasses import fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.db import transaction

from authz import clock
from authz.access.models import Organization
from authz.access.roles import SYSTEM, Action, Actor, must_be_allowed
from authz.access.tenancy import across_tenants
from authz.audit import services as audit
from authz.errors import InvalidInput, NotFound
from authz.ids import PainScoreId, PatientId, SurgeryId
from authz.outbox.services import announce
from authz.pain.facts import PainScoreFacts, SurgeryFacts
from authz.pain.models import PainHint, PainScore, PainScoreVersion, Surgery, SurgeryVersion
from authz.pain.sight import sight
from authz.prescriptions.models import Patient
from authz.prescriptions.services import RecordOutcome
from authz.prescriptions.services.patients import lock_patient
from authz.rules.pain_signal import PERIOD_DAYS, PainSignal
from authz.rules.records import RecordStatus

HINT_FOUND = "pain-hint.found"

# Columns that say something about the world: two versions that agree on them are the same knowledge.
_OF_SCORE = ("status", "scored_on", "instrument", "pain", "enjoyment", "activity")
_OF_SURGERY = ("status", "performed_on")
_KEYS = {"identifier", "source_updated_at"}


@transaction.atomic
def record_score(
    *, patient_id: PatientId, facts: PainScoreFacts, by: Actor, now: datetime
) -> tuple[PainScore, RecordOutcome]:
    """Record a pain score, or a correction of one, and look again whether it gives the signal. Said again: nothing.

    :raises Forbidden: when the actor may not record pain scores.
    :raises NotFound: when the organization does not know the patient.
    :raises InvalidInput: when the number is a score of another patient.
    """
    must_be_allowed(by, Action.RECORD_PAIN_SCORE)
    patient = lock_patient(patient_id=patient_id, by=by)
    row, is_new = PainScore.objects.get_or_create(
        organization_id=by.organization, identifier=facts.identifier, defaults={"patient": patient}
    )
    return row, _tell(row, patient, facts, is_new=is_new, by=by, now=now)


@transaction.atomic
def record_surgery(
    *, patient_id: PatientId, facts: SurgeryFacts, by: Actor, now: datetime
) -> tuple[Surgery, RecordOutcome]:
    """Record a day of surgery, or a correction of one, and look again at the signal. Said again: nothing.

    :raises Forbidden: when the actor may not record surgeries.
    :raises NotFound: when the organization does not know the patient.
    :raises InvalidInput: when the number is a surgery of another patient.
    """
    must_be_allowed(by, Action.RECORD_SURGERY)
    patient = lock_patient(patient_id=patient_id, by=by)
    row, is_new = Surgery.objects.get_or_create(
        organization_id=by.organization, identifier=facts.identifier, defaults={"patient": patient}
    )
    return row, _tell(row, patient, facts, is_new=is_new, by=by, now=now)


@transaction.atomic
def take_back_score(*, score_id: PainScoreId, by: Actor, now: datetime) -> tuple[PainScore, RecordOutcome]:
    """Record that a score was entered in error: a further version, after which it counts no more.

    :raises Forbidden: when the actor may not record pain scores.
    :raises NotFound: when the organization recorded no such score.
    """
    must_be_allowed(by, Action.RECORD_PAIN_SCORE)
    own = PainScore.objects.select_related("patient").filter(organization_id=by.organization)
    row = own.filter(public_id=score_id).first()
    if row is None:
        raise NotFound("There is no such pain score.")
    return row, _take_back(row, by, now)


@transaction.atomic
def take_back_surgery(*, surgery_id: SurgeryId, by: Actor, now: datetime) -> tuple[Surgery, RecordOutcome]:
    """Record that a surgery was entered in error: a further version, after which it counts no more.

    :raises Forbidden: when the actor may not record surgeries.
    :raises NotFound: when the organization recorded no such surgery.
    """
    must_be_allowed(by, Action.RECORD_SURGERY)
    own = Surgery.objects.select_related("patient").filter(organization_id=by.organization)
    row = own.filter(public_id=surgery_id).first()
    if row is None:
        raise NotFound("There is no such surgery.")
    return row, _take_back(row, by, now)


@transaction.atomic
def switch(*, is_on: bool, by: Actor, now: datetime) -> None:
    """Switch the pain signal of the actor's clinic on or off. Signals are looked for from the next fact on.

    :raises Forbidden: when the actor does not look after the clinic.
    """
    must_be_allowed(by, Action.CHANGE_CLINIC_SETTINGS)
    clinic = Organization.objects.select_for_update(no_key=True).get(pk=by.organization)
    if clinic.has_pain_signal != is_on:
        clinic.has_pain_signal = is_on
        clinic.save(update_fields=["has_pain_signal"])
        action = f"pain-signal-{'on' if is_on else 'off'}"
        audit.record(by=by, action=action, subject_kind="organization", subject_id=clinic.public_id, now=now)


@across_tenants("the dose that a signal weighs may come from any clinic, and each that scored is told")
def look_again(*, patient: Patient, now: datetime) -> None:
    """Find out whether a locked patient's pain gives the signal, at each clinic that scored it and wants to know.

    A signal is news, and its prescriber is told, when none held before and it rests on scores that never gave one. One
    that goes on holding is news again after the length of a period.
    """
    scored = PainScore.objects.filter(patient=patient).values("organization")
    for clinic in Organization.objects.filter(pk__in=scored, has_pain_signal=True).order_by("pk"):
        _compare(patient, clinic, now)


def follow_merge(*, kept: Patient, merged: Patient, now: datetime) -> None:
    """Move what is known of a patient's pain to the patient they were merged into; the caller looks again."""
    PainHint.objects.filter(patient=merged, ended_at=None).update(ended_at=now)
    for model in (PainScore, Surgery, PainHint):
        model._default_manager.filter(patient=merged).update(patient=kept)


def _compare(patient: Patient, clinic: Organization, now: datetime) -> None:
    """Bring the hint of a patient at a clinic into line with what the rule says today."""
    today = clock.day_in(clinic.time_zone, at=now)
    seen = sight(patient, clinic, on=today)
    holding = PainHint.objects.filter(patient=patient, clinic=clinic, ended_at=None)
    # A hint is somebody's: while there is nobody to tell, it waits for a fact that says who prescribes.
    prescriber_id = seen.prescriber_id if isinstance(seen.answer, PainSignal) else None
    if prescriber_id is not None and holding.filter(found_on__gt=today - timedelta(days=PERIOD_DAYS)).exists():
        return
    holding.update(ended_at=now)
    if prescriber_id is not None:
        told = {"prescriber_id": prescriber_id, "found_on": today, "found_at": now}
        hint, is_news = PainHint.objects.get_or_create(
            patient=patient, clinic=clinic, facts_sha256=seen.facts_sha256, defaults=told
        )
        if is_news:
            _announce(hint, now)
        else:
            _hold_again(hint)


def _announce(hint: PainHint, now: datetime) -> None:
    audit.record(by=SYSTEM, action="hint", subject_kind="pain-hint", subject_id=hint.public_id, now=now)
    announce(topic=HINT_FOUND, subject_id=hint.public_id, now=now)


def _hold_again(hint: PainHint) -> None:
    hint.ended_at = None
    hint.save(update_fields=["ended_at"])


def _tell(
    row: PainScore | Surgery,
    patient: Patient,
    facts: PainScoreFacts | SurgeryFacts,
    *,
    is_new: bool,
    by: Actor,
    now: datetime,
) -> RecordOutcome:
    if row.patient_id != patient.pk:
        raise InvalidInput({"identifier": ["This number is already a record of another patient."]})
    values = _values(facts)
    latest = None if is_new else row.versions.order_by("-version").first()
    if latest is not None and _says_nothing_new(latest, values, facts.source_updated_at):
        return RecordOutcome.UNCHANGED
    number = latest.version + 1 if latest else 1
    _add_version(row, values, number, source_updated_at=facts.source_updated_at, by=by, now=now)
    outcome = RecordOutcome.CORRECTED if latest else RecordOutcome.CREATED
    audit.record(by=by, action=outcome.value, subject_kind=_kind(row), subject_id=row.public_id, now=now)
    look_again(patient=patient, now=now)
    return outcome


def _values(facts: PainScoreFacts | SurgeryFacts) -> dict[str, Any]:
    """Return the version's columns."""
    told = {field.name: getattr(facts, field.name) for field in fields(facts) if field.name not in _KEYS}
    return {name: value.value if isinstance(value, StrEnum) else value for name, value in told.items()}


def _take_back(row: PainScore | Surgery, by: Actor, now: datetime) -> RecordOutcome:
    patient = lock_patient(patient_id=PatientId(row.patient.public_id), by=by)
    latest = row.versions.order_by("-version").first()
    in_error = RecordStatus.ENTERED_IN_ERROR.value
    if latest is None or latest.status == in_error:
        return RecordOutcome.UNCHANGED
    columns = _OF_SCORE if isinstance(latest, PainScoreVersion) else _OF_SURGERY
    values = {name: getattr(latest, name) for name in columns} | {"status": in_error}
    _add_version(row, values, latest.version + 1, source_updated_at=None, by=by, now=now)
    audit.record(by=by, action=in_error, subject_kind=_kind(row), subject_id=row.public_id, now=now)
    look_again(patient=patient, now=now)
    return RecordOutcome.CORRECTED


def _says_nothing_new(
    latest: PainScoreVersion | SurgeryVersion, values: dict[str, Any], source_updated_at: datetime | None
) -> bool:
    """Say whether this is what we know already, or older than it: feeds repeat themselves and overtake one another."""
    if all(getattr(latest, name) == value for name, value in values.items()):
        return True
    return bool(source_updated_at and latest.source_updated_at and source_updated_at < latest.source_updated_at)


def _add_version(
    row: PainScore | Surgery,
    values: dict[str, Any],
    number: int,
    *,
    source_updated_at: datetime | None,
    by: Actor,
    now: datetime,
) -> None:
    learned = {
        "version": number,
        "recorded_at": now,
        "recorded_on": clock.day_in(row.organization.time_zone, at=now),
        "recorded_by": by.name,
        "source_updated_at": source_updated_at,
    }
    if isinstance(row, PainScore):
        PainScoreVersion.objects.create(record=row, **learned, **values)
    else:
        SurgeryVersion.objects.create(record=row, **learned, **values)


def _kind(row: PainScore | Surgery) -> str:
    return "pain-score" if isinstance(row, PainScore) else "surgery"
