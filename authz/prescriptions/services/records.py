"""Write what a sender tells of orders and fills: a new record, a new version, or nothing.

The same identifier from the same organization is the same record. Told again, nothing changes; told otherwise, a
version is added. Nothing is ever overwritten.
"""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from authz import clock
from authz.access.models import Organization
from authz.access.roles import Action, Actor, must_be_allowed
from authz.audit import services as audit
from authz.errors import InvalidInput
from authz.prescriptions.facts import FillFacts, PrescriptionFacts
from authz.prescriptions.models import Fill, FillVersion, Patient, Prescriber, Prescription, PrescriptionVersion
from authz.prescriptions.services.patients import RecordOutcome
from authz.rules.records import RecordStatus

Facts = FillFacts | PrescriptionFacts
Recorded = tuple[Fill | Prescription, RecordOutcome]

# The columns of a version that say something about the world; two versions that agree on them are the same knowledge.
_COMMON = (
    "status", "starts_on", "rxcui", "product_name", "quantity", "days_supply", "daily_units", "prescriber_id",
    "is_part2",
)  # fmt: skip
_OF_FILL = (*_COMMON, "fill_number", "rx_number", "prescription_id")
_OF_PRESCRIPTION = (*_COMMON, "refills", "directions")
_KEYS = {"identifier", "source_updated_at", "prescriber_npi", "prescription_identifier"}


def record(*, patient: Patient, facts: Sequence[Facts], by: Actor, now: datetime) -> list[Recorded]:
    """Record orders and fills of one locked patient, in the order given.

    :raises Forbidden: when the actor may record neither.
    :raises InvalidInput: when a number is another patient's record, or names an unknown order or prescriber.
    """
    for action in {Action.RECORD_FILL if isinstance(fact, FillFacts) else Action.RECORD_PRESCRIPTION for fact in facts}:
        must_be_allowed(by, action)
    organization = Organization.objects.get(pk=by.organization)
    return [_record_one(patient, organization, fact, by, now) for fact in facts]


def end(*, record: Fill | Prescription, status: RecordStatus, by: Actor, now: datetime) -> RecordOutcome:
    """Add a version of the record with this status and everything else as it was. Ended already: nothing changes.

    :raises Forbidden: when the actor may not record its kind.
    """
    must_be_allowed(by, Action.RECORD_FILL if isinstance(record, Fill) else Action.RECORD_PRESCRIPTION)
    latest = _latest(record)
    if latest is None or latest.status == status.value:
        return RecordOutcome.UNCHANGED
    columns = _OF_FILL if isinstance(latest, FillVersion) else _OF_PRESCRIPTION
    values = {name: getattr(latest, name) for name in columns} | {"status": status.value}
    organization = Organization.objects.get(pk=record.organization_id)
    _add_version(record, organization, values, latest.version + 1, source_updated_at=None, now=now)
    audit.record(by=by, action=status.value, subject_kind=_kind(record), subject_id=record.public_id, now=now)
    return RecordOutcome.CORRECTED


def _record_one(patient: Patient, organization: Organization, facts: Facts, by: Actor, now: datetime) -> Recorded:
    model = Fill if isinstance(facts, FillFacts) else Prescription
    values = _values(facts, patient, organization)
    row, is_new = model.objects.get_or_create(
        organization=organization, identifier=facts.identifier, defaults={"patient": patient}
    )
    if row.patient_id != patient.pk:
        raise InvalidInput({"identifier": ["This number is already a record of another patient."]})
    latest = None if is_new else _latest(row)
    if facts.is_part2 is None:
        values["is_part2"] = latest is not None and latest.is_part2
    if latest is not None and _says_nothing_new(latest, values, facts.source_updated_at):
        return row, RecordOutcome.UNCHANGED
    version = latest.version + 1 if latest else 1
    _add_version(row, organization, values, version, source_updated_at=facts.source_updated_at, now=now)
    outcome = RecordOutcome.CORRECTED if latest else RecordOutcome.CREATED
    audit.record(by=by, action=outcome.value, subject_kind=_kind(row), subject_id=row.public_id, now=now)
    return row, outcome


def _says_nothing_new(
    latest: FillVersion | PrescriptionVersion, values: dict[str, Any], source_updated_at: datetime | None
) -> bool:
    """Say whether this is what we know already, or older than it: feeds repeat themselves and overtake one another."""
    if all(getattr(latest, name) == value for name, value in values.items()):
        return True
    return bool(source_updated_at and latest.source_updated_at and source_updated_at < latest.source_updated_at)


def _add_version(
    record: Fill | Prescription,
    organization: Organization,
    values: dict[str, Any],
    version: int,
    *,
    source_updated_at: datetime | None,
    now: datetime,
) -> None:
    learned = {
        "version": version,
        "recorded_at": now,
        "recorded_on": clock.day_in(organization.time_zone, at=now),
        "source_updated_at": source_updated_at,
    }
    if isinstance(record, Fill):
        FillVersion.objects.create(fill=record, **learned, **values)
    else:
        PrescriptionVersion.objects.create(prescription=record, **learned, **values)


def _values(facts: Facts, patient: Patient, organization: Organization) -> dict[str, Any]:
    """Return the version's columns: the facts themselves, with the numbers they name resolved to rows."""
    values = {field.name: getattr(facts, field.name) for field in fields(facts) if field.name not in _KEYS}
    values["status"] = facts.status.value
    values["prescriber_id"] = _prescriber_key(facts.prescriber_npi)
    if isinstance(facts, FillFacts):
        values["prescription_id"] = _prescription_key(facts.prescription_identifier, patient, organization)
    return values


def _prescriber_key(npi: str | None) -> int | None:
    if npi is None:
        return None
    key = Prescriber.objects.filter(npi=npi).values_list("pk", flat=True).first()
    if key is None:
        raise InvalidInput(
            {"prescriber_npi": ["No prescriber is recorded under this NPI. Record the prescriber first."]}
        )
    return key


def _prescription_key(identifier: str | None, patient: Patient, organization: Organization) -> int | None:
    if identifier is None:
        return None
    orders = Prescription.objects.filter(organization=organization, identifier=identifier, patient=patient)
    key = orders.values_list("pk", flat=True).first()
    if key is None:
        raise InvalidInput({"prescription": ["This patient has no prescription of that number."]})
    return key


def _latest(record: Fill | Prescription) -> FillVersion | PrescriptionVersion | None:
    return record.versions.order_by("-version").first()


def _kind(record: Fill | Prescription) -> str:
    return "fill" if isinstance(record, Fill) else "prescription"
