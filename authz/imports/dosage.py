"""PURE: how many units a day a FHIR dosage allows at most, where it says so simply; otherwise nothing is guessed."""

from collections.abc import Sequence
from decimal import Decimal

from authz.imports.elements import Element

_HOURS = {"h": 1, "d": 24, "wk": 168}
# Units in which products are dispensed, so that units a day and the dispensed quantity speak of the same thing.
_UNITS = {
    *("tablet", "tablets", "tab", "tabs", "tbl", "{tbl}", "capsule", "capsules", "cap", "caps", "{capsule}"),
    *("patch", "patches", "{patch}", "film", "films", "suppository", "suppositories", "lozenge", "lozenges"),
    *("spray", "sprays", "{spray}", "ml"),
}
_MOST = 10_000
_SIMPLE_TIMING = {"frequency", "frequencyMax", "period", "periodMax", "periodUnit", "boundsPeriod", "boundsDuration"}
_ODD_DOSAGE = ("maxDosePerPeriod", "maxDosePerAdministration", "maxDosePerLifetime")


def daily_units(dosages: Sequence[Element]) -> Decimal | None:
    """Return the most units a day, at the upper ends of ranges; None for anything but one dose at one regular interval.

    :raises Refusal: when an element is not of the type FHIR gives it.
    """
    if len(dosages) != 1 or any(dosages[0].has(name) for name in _ODD_DOSAGE):
        return None
    doses = list(dosages[0].children("doseAndRate"))
    timing = dosages[0].child("timing")
    if len(doses) != 1 or timing.has("event"):
        return None
    dose, times = _dose(doses[0]), _times_a_day(timing.child("repeat"))
    if dose is None or times is None:
        return None
    hours, count = times
    units = dose * count * 24 / hours
    # What four decimals cannot hold exactly is no simple dosage.
    return units if units < _MOST and units == units.quantize(Decimal("0.0001")) else None


def _dose(dose: Element) -> Decimal | None:
    amount = dose.child("doseRange").child("high") if dose.has("doseRange") else dose.child("doseQuantity")
    names = {amount.text("unit").casefold(), amount.text("code").casefold()}
    value = amount.number("value")
    is_simple = value is not None and 0 < value < 1000 and not amount.has("comparator") and names & _UNITS
    return value if is_simple else None


def _times_a_day(repeat: Element) -> tuple[Decimal, int] | None:
    """Return the hours of the period and how often in it."""
    hours = _HOURS.get(repeat.text("periodUnit"))
    period = repeat.number("period")
    often = repeat.whole_number("frequencyMax") or repeat.whole_number("frequency") or 1
    if hours is None or period is None or set(repeat.members) - _SIMPLE_TIMING:
        return None
    # Bounds far beyond any real dosage keep the arithmetic exact.
    return (period * hours, often) if Decimal("0.01") <= period < 1000 and 0 < often < 1000 else None
