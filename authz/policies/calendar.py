"""PURE: which days are business days: rules of holidays, as dated and cited values, and how a document says them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from functools import lru_cache
from typing import Any

from authz.policies.cited import read_name
from authz.policies.reading import Reading, join

_NEEDED = ("code", "version", "title", "citation", "confirmed", "holidays")
_MAY = ("month", "day", "weekday", "nth", "on_saturday", "on_sunday", "from_year", "days_after")
_WEEKDAY = re.compile("monday|tuesday|wednesday|thursday|friday")


class Weekday(IntEnum):
    """As `date.weekday` counts them."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """One holiday of every year from `from_year` on.

    Either a `day` of a month, which when it falls on a weekend is observed that many days from it, or the `nth`
    weekday of a month (the last is -1) and `days_after` it.
    """

    name: str
    month: int
    day: int | None = None
    weekday: Weekday | None = None
    nth: int = 1
    days_after: int = 0
    on_saturday: tuple[int, ...] = ()
    on_sunday: tuple[int, ...] = ()
    from_year: int = 1

    def observed(self, year: int) -> Iterator[date]:
        """Yield the days off for the holiday of a year; they can lie in the year before or after."""
        if year < self.from_year:
            return
        on = self._on(year)
        shifts = {Weekday.SATURDAY: self.on_saturday, Weekday.SUNDAY: self.on_sunday}.get(Weekday(on.weekday()), (0,))
        for shift in shifts:
            yield on + timedelta(days=shift)

    def _on(self, year: int) -> date:
        if self.day is not None:
            return date(year, self.month, self.day)
        first = date(year, self.month, 1)
        weekday = Weekday.MONDAY if self.weekday is None else self.weekday
        days = [
            day
            for day in (first + timedelta(days=n) for n in range(31))
            if day.month == self.month and day.weekday() == weekday
        ]
        return days[self.nth - 1 if self.nth > 0 else self.nth] + timedelta(days=self.days_after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """One version of a calendar. Saturdays and Sundays are never business days."""

    code: str
    version: str
    title: str
    citation: str
    confirmed: bool
    holidays: tuple[Holiday, ...]

    @property
    def key(self) -> str:
        """The version's name, such as us_federal-1."""
        return f"{self.code}-{self.version}"

    def is_business_day(self, day: date) -> bool:
        """Say whether business is done on a day."""
        return day.weekday() < Weekday.SATURDAY and day not in _days_off(self.holidays, day.year)


@lru_cache(maxsize=256)
def _days_off(holidays: tuple[Holiday, ...], year: int) -> frozenset[date]:
    """Return the days off that lie in a year; New Year's Day can be observed in the year before it."""
    years = (year - 1, year, year + 1)
    observed = (day for holiday in holidays for named in years for day in holiday.observed(named))
    return frozenset(day for day in observed if day.year == year)


def read_calendar(document: Mapping[str, Any]) -> Calendar:
    """Return the calendar that a document holds.

    :raises InvalidInput: naming by dotted path everything that is unknown, missing or makes no sense.
    """
    reading = Reading()
    table = reading.table(document, "", needed=_NEEDED)
    calendar = Calendar(
        **read_name(reading, table),
        citation=reading.text(table.get("citation", "missing"), "citation"),
        confirmed=reading.switch(table.get("confirmed", False), "confirmed"),
        holidays=tuple(
            _holiday(reading, row, path) for path, row in reading.rows(table.get("holidays", []), "holidays")
        ),
    )
    reading.finish()
    return calendar


def _holiday(reading: Reading, value: object, path: str) -> Holiday:
    row = reading.table(value, path, needed=("name", "month"), may=_MAY)
    if ("day" in row) == ("weekday" in row):
        reading.refuse(path, "Either a day or a weekday is needed.")
    numbers: dict[str, Any] = {
        name: reading.whole(row[name], join(path, name))
        for name in ("month", "day", "nth", "days_after", "from_year")
        if name in row
    }
    shifts: dict[str, Any] = {
        name: tuple(reading.whole(item, place) for place, item in reading.rows(row[name], join(path, name)))
        for name in ("on_saturday", "on_sunday")
        if name in row
    }
    weekday = reading.text(row["weekday"], join(path, "weekday"), _WEEKDAY) if "weekday" in row else ""
    _must_be_in_the_calendar(reading, numbers, path)
    return Holiday(
        name=reading.text(row.get("name", "missing"), join(path, "name")),
        weekday=Weekday.__members__.get(weekday.upper()),
        **{"month": 1, **numbers},
        **shifts,
    )


def _must_be_in_the_calendar(reading: Reading, numbers: Mapping[str, int], path: str) -> None:
    for name, allowed in (("month", range(1, 13)), ("day", range(1, 29)), ("nth", (-1, 1, 2, 3, 4))):
        if name in numbers and numbers[name] not in allowed:
            reading.refuse(join(path, name), f"Use one of {', '.join(map(str, allowed))}.")
