"""Units a day from a structured dosage: the most it allows, or nothing."""

from decimal import Decimal
from typing import Any

import pytest

from authz.imports.dosage import daily_units
from authz.imports.elements import Element


def dosage(dose: Any = 1, unit: str = "tablet", repeat: dict[str, Any] | None = None, **other: Any) -> dict[str, Any]:
    timing = {"frequency": 4, "period": 1, "periodUnit": "d"} if repeat is None else repeat
    return {"doseAndRate": [{"doseQuantity": {"value": dose, "unit": unit}}], "timing": {"repeat": timing}} | other


def units(*dosages: dict[str, Any]) -> Decimal | None:
    return daily_units([Element.of(item, "dosage") for item in dosages])


RANGE = [{"doseRange": {"low": {"value": 1, "unit": "tablet"}, "high": {"value": 2, "unit": "tablet"}}}]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (dosage(), "4"),
        (dosage(2, repeat={"frequency": 1, "period": 6, "periodUnit": "h"}), "8"),
        (dosage(repeat={"frequency": 1, "period": 3, "periodUnit": "d"}, unit="patch"), None),  # a third is not exact
        (dosage(repeat={"frequency": 7, "period": 1, "periodUnit": "wk"}), "1"),
        (dosage(repeat={"frequency": 1, "frequencyMax": 6, "period": 1, "periodUnit": "d"}), "6"),
        (dosage(repeat={"period": 4, "periodMax": 6, "periodUnit": "h"}), "6"),
        (dosage(doseAndRate=RANGE), "8"),
        (dosage(asNeededBoolean=True), "4"),
        (dosage(Decimal("7.5"), unit="mL"), "30.0"),
    ],
)
def test_a_simple_dosage_gives_its_most_units_a_day(given: dict[str, Any], expected: str | None) -> None:
    assert units(given) == (None if expected is None else Decimal(expected))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"text": "1-2 tablets every 4-6 hours"},
        dosage(5, unit="mg"),
        dosage(0),
        dosage(-1),
        dosage(maxDosePerPeriod={"numerator": {"value": 3}}),
        dosage(repeat={"frequency": 4, "period": 1, "periodUnit": "d", "when": ["MORN"]}),
        dosage(repeat={"frequency": 1, "period": 1, "periodUnit": "mo"}),
        dosage(repeat={"frequency": 1, "period": 0, "periodUnit": "d"}),
        dosage(repeat={"frequency": 1, "period": Decimal("1E-99999999"), "periodUnit": "h"}),
        dosage(repeat={"frequency": 1, "period": -1, "periodUnit": "d"}),
        dosage(999, repeat={"frequency": 999, "period": 1, "periodUnit": "h"}),
        dosage(Decimal("1E-30")),
        dosage(repeat={}),
        dosage(doseAndRate=[]),
    ],
)
def test_anything_else_is_not_guessed(given: dict[str, Any]) -> None:
    assert units(given) is None


def test_two_dosages_are_not_added() -> None:
    assert units(dosage(), dosage()) is None
    assert units() is None
