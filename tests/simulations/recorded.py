"""Recorded history in bulk: random patients, as feeds would have told of them, written straight into the tables."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from authz.ids import new_id
from authz.prescriptions.models import (
    Coverage,
    Exemption,
    Fill,
    FillVersion,
    Patient,
    Prescription,
    PrescriptionVersion,
)
from tests.cast import Cast
from tests.rules.random_cases import random_case


def record_random_patients(cast: Cast, random: Random, how_many: int) -> None:
    """Record so many patients under Evergreen's plan, with everything a case of the rule's own tests can hold."""
    cases = [random_case(random) for _ in range(how_many)]
    patients = Patient.objects.bulk_create(
        Patient(birth_date=_day(case["patient"]["birth_date"]), registered_at=_at(date(2024, 1, 1))) for case in cases
    )
    pairs = list(zip(patients, cases, strict=True))
    Coverage.objects.bulk_create(coverage for patient, _ in pairs for coverage in _coverages(cast, random, patient))
    Exemption.objects.bulk_create(
        _exemption(cast, patient, row) for patient, case in pairs for row in case["exemptions"]
    )
    orders = {
        (patient.pk, key): Prescription(patient=patient, organization=cast.riverside, identifier=str(new_id()))
        for patient, case in pairs
        for key, versions in _by_id(case["records"], "rx").items()
    }
    Prescription.objects.bulk_create(orders.values())
    PrescriptionVersion.objects.bulk_create(
        PrescriptionVersion(prescription=orders[patient.pk, key], **_shared(version, number))
        for patient, case in pairs
        for key, versions in _by_id(case["records"], "rx").items()
        for number, version in enumerate(versions, start=1)
    )
    _record_fills(cast, pairs, orders)


def _record_fills(
    cast: Cast, pairs: Iterable[tuple[Patient, dict[str, Any]]], orders: dict[tuple[int, str], Prescription]
) -> None:
    listed = [
        (Fill(patient=patient, organization=cast.riverside, identifier=str(new_id())), case, versions)
        for patient, case in pairs
        for versions in _by_id(case["records"], "fill").values()
    ]
    Fill.objects.bulk_create(fill for fill, _, _ in listed)
    FillVersion.objects.bulk_create(
        FillVersion(
            fill=fill,
            prescription=order,
            rx_number="" if order else version["rx_id"] or "",
            fill_number=version["fill_number"],
            **_shared(version, number),
        )
        for fill, case, versions in listed
        for number, version in enumerate(versions, start=1)
        for order in [_order(fill.patient_id, case, version["rx_id"], orders)]
    )


def _order(
    patient: int, case: dict[str, Any], rx_id: str | None, orders: dict[tuple[int, str], Prescription]
) -> Prescription | None:
    """Return the order that a fill names, when the case has one of that number."""
    named = [key for key, versions in _by_id(case["records"], "rx").items() if rx_id and versions[0]["rx_id"] == rx_id]
    return orders[patient, named[0]] if named else None


def _by_id(records: Iterable[dict[str, Any]], kind: str) -> dict[str, list[dict[str, Any]]]:
    """Return the versions of each record of a kind, in the order in which they were learned."""
    found: dict[str, list[dict[str, Any]]] = {}
    for record in sorted(records, key=lambda record: (record["recorded_on"], record["version"])):
        if record["kind"] == kind:
            found.setdefault(record["id"], []).append(record)
    return found


def _shared(version: dict[str, Any], number: int) -> dict[str, Any]:
    recorded_on = date.fromisoformat(version["recorded_on"])
    return {
        "version": number,
        "status": version["status"],
        "starts_on": version["start"],
        "rxcui": version["rxcui"],
        "quantity": _amount(version["quantity"]),
        "days_supply": version["days_supply"],
        "daily_units": _amount(version["daily_units"]),
        "recorded_at": _at(recorded_on),
        "recorded_on": recorded_on,
    }


def _coverages(cast: Cast, random: Random, patient: Patient) -> list[Coverage]:
    """Return Evergreen's coverage, for some patients only until a day in the middle, or behind another payer's."""
    until = date(2024, 2, 20) + timedelta(days=random.randint(0, 20)) if random.random() < 0.2 else None
    own = {"patient": patient, "organization": cast.riverside, "recorded_at": _at(date(2024, 1, 1))}
    covered = [Coverage(plan=cast.plan, member_id="M", starts_on=date(2023, 1, 1), ends_on=until, priority=2, **own)]
    if random.random() < 0.1:
        covered.append(Coverage(payer_name="Other", member_id="M", starts_on=date(2024, 2, 10), priority=1, **own))
    return covered


def _exemption(cast: Cast, patient: Patient, row: dict[str, Any]) -> Exemption:
    return Exemption(
        patient=patient,
        organization=cast.riverside,
        category=row["category"],
        starts_on=row["start"],
        ends_on=None if row["start"] and row["end"] and row["end"] < row["start"] else row["end"],
        evidence="Told.",
        recorded_at=_at(date(2024, 1, 1)),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _amount(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _at(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=UTC)
