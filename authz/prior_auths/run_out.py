"""PURE: the last day that the patient's supply covers, beside the time by which the request is to be decided."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from authz.policies.regime import Regime, Span
from authz.prior_auths.deadline_words import moment

SOON: Final = timedelta(days=3)
"""So many days ahead both sides are told: a weekend and a day to act. An assumption of this product, not a source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOut:
    """When the patient is without medication unless somebody acts; days are those of the clinic's calendar.

    Nothing `is_dispensed` where there is an order alone: they are without from the day on which the use begins.
    `is_before_decision` is whether the time to decide may end later than the supply; `emergency_supply` is what the
    request's regime lets a pharmacy dispense meanwhile, and `citation` where it says so.
    """

    last_covered_on: date
    is_dispensed: bool
    is_before_decision: bool
    emergency_supply: Span | None
    citation: str
    says: str

    @property
    def without_from(self) -> date:
        """The first day without medication."""
        return self.last_covered_on + timedelta(days=1)

    def is_soon(self, *, today: date) -> bool:
        """Say whether it is time for both sides to be told."""
        return self.is_before_decision or self.without_from <= today + SOON


def run_out(
    *, last_covered_on: date, is_dispensed: bool = True, due_at: datetime | None, zone: ZoneInfo, regime: Regime
) -> RunOut:
    """Return the run-out of an open request, in the clinic's time zone; `due_at` is None while no clock runs."""
    ends_at = datetime.combine(last_covered_on + timedelta(days=1), datetime.min.time(), zone)
    is_before = due_at is not None and due_at >= ends_at
    supply = regime.emergency_supply
    cites = regime.sources[regime.marks["rules.emergency_supply"].source].cites if supply else ""
    day = _named(last_covered_on + timedelta(days=1))
    parts = [f"Without medication from {day}, unless more is dispensed."]
    if not is_dispensed:
        parts = [f"Not dispensed yet: without medication from {day}, unless it is."]
    if is_before and due_at is not None:
        parts.append(f"The decision may come later: it is due {moment(due_at, zone)}.")
    if supply:
        parts.append(f"A pharmacy may dispense a supply for {supply} meanwhile ({cites}).")
    return RunOut(
        last_covered_on=last_covered_on,
        is_dispensed=is_dispensed,
        is_before_decision=is_before,
        emergency_supply=supply,
        citation=cites,
        says=" ".join(parts),
    )


def _named(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B %Y}"
