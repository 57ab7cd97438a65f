"""PURE: the days that figures are for, and the months, quarters and years they fall into."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from operator import attrgetter
from typing import Final

from authz.errors import InvalidInput

LONGEST_DAYS: Final = 3653
"""Ten years, however many of them are leap years."""


class Every(StrEnum):
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


_MONTHS: Final = {Every.MONTH: 1, Every.QUARTER: 3, Every.YEAR: 12}


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """The days from `since` to `until`, both included.

    :raises InvalidInput: when it ends before it begins, or is longer than ten years.
    """

    since: date
    until: date

    def __post_init__(self) -> None:
        if self.until < self.since:
            raise InvalidInput({"until": ["The period ends before it begins."]})
        if (self.until - self.since).days >= LONGEST_DAYS:
            raise InvalidInput({"until": [f"A period has at most ten years ({LONGEST_DAYS} days)."]})

    def __contains__(self, day: date) -> bool:
        return self.since <= day <= self.until


def pieces(period: Period, every: Every | None) -> list[Period]:
    """Return the calendar's months, quarters or years in a period, the first and the last cut to it; or it whole."""
    return list(_cut(period, _MONTHS[every])) if every else [period]


def piece_with(day: date, parts: Sequence[Period]) -> Period | None:
    """Return the piece that a day falls into; None when it falls outside all of them. They come oldest first."""
    place = bisect_right(parts, day, key=attrgetter("since")) - 1
    return parts[place] if place >= 0 and day in parts[place] else None


def _cut(period: Period, months: int) -> Iterator[Period]:
    since = period.since
    while since <= period.until:
        following = _next(since, months)
        yield Period(since, min(following - timedelta(days=1), period.until))
        since = following


def _next(day: date, months: int) -> date:
    """Return the first day of the following month, quarter or year."""
    month = (day.month - 1) // months * months + months
    return date(day.year + month // 12, month % 12 + 1, 1)
