"""PURE: what a draft policy would have changed, counted: patients and requests, never who."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

from authz.errors import InvalidInput
from authz.rules.amounts import two_decimals

_A_WEEK = timedelta(days=7)


class SimulatedNeed(NamedTuple):
    """A request that would open: on the day of the record that causes it, in an episode of use that began on a day."""

    caused_on: date
    began_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The days from `since` to `until`, both included, in which requests are counted."""

    since: date
    until: date

    def __post_init__(self) -> None:
        if self.until < self.since:
            raise InvalidInput({"until": ["The period ends before it begins."]})

    def __contains__(self, day: date) -> bool:
        return self.since <= day <= self.until

    @property
    def weeks(self) -> Fraction:
        """How many weeks it lasts, exactly."""
        return Fraction((self.until - self.since).days + 1, 7)


@dataclass(slots=True)
class Side:
    """What one of the two policies brings: requests by the day that causes them, and the patients they are for."""

    patients: int = 0
    days: Counter[date] = field(default_factory=Counter)

    @property
    def requests(self) -> int:
        """How many requests there are in all."""
        return self.days.total()

    def add(self, needs: Sequence[SimulatedNeed]) -> None:
        """Count the needs of one patient."""
        if needs:
            self.patients += 1
            self.days.update([need.caused_on for need in needs])

    def in_week(self, monday: date) -> int:
        """Return how many requests the week brings that begins on a Monday."""
        return sum(self.days[monday + timedelta(days=n)] for n in range(7))


@dataclass(slots=True)
class Report:
    """Patients are compared, not episodes, for two policies may cut use into episodes differently.

    A patient is newly caught when only the draft brings a request in the period, and released when only the policy in
    force does. Mid-therapy are those newly caught in an episode that had begun before the period.
    """

    period: Period
    minutes_a_request: int
    members: int = 0
    with_use: int = 0
    in_force: Side = field(default_factory=Side)
    draft: Side = field(default_factory=Side)
    newly_caught: int = 0
    released: int = 0
    mid_therapy: int = 0

    def add(self, in_force: Sequence[SimulatedNeed], draft: Sequence[SimulatedNeed]) -> None:
        """Count one patient's needs in the period under each of the two."""
        self.in_force.add(in_force)
        self.draft.add(draft)
        self.released += bool(in_force and not draft)
        if draft and not in_force:
            self.newly_caught += 1
            self.mid_therapy += any(need.began_on < self.period.since for need in draft)

    def to_mapping(self) -> dict[str, Any]:
        """Return the figures as plain JSON values; rates and hours as texts with two decimals, rounded half up."""
        return {
            "since": self.period.since.isoformat(),
            "until": self.period.until.isoformat(),
            "members": self.members,
            "members_with_use": self.with_use,
            "newly_caught": self.newly_caught,
            "released": self.released,
            "caught_by_both": self.draft.patients - self.newly_caught,
            "newly_caught_in_mid_therapy": self.mid_therapy,
            "minutes_a_request": self.minutes_a_request,
            "in_force": self._figures(self.in_force),
            "draft": self._figures(self.draft),
            "by_week": [
                {
                    "week_of": week.isoformat(),
                    "in_force": self.in_force.in_week(week),
                    "draft": self.draft.in_week(week),
                }
                for week in self._weeks()
            ],
        }

    def _figures(self, side: Side) -> dict[str, Any]:
        return {
            "patients": side.patients,
            "requests": side.requests,
            "requests_a_week": two_decimals(side.requests / self.period.weeks),
            "reviewer_hours": two_decimals(Fraction(side.requests * self.minutes_a_request, 60)),
        }

    def _weeks(self) -> list[date]:
        """Return the Monday of every week that the period touches."""
        first = self.period.since - timedelta(days=self.period.since.weekday())
        return [first + n * _A_WEEK for n in range((self.period.until - first).days // 7 + 1)]
