"""PURE: the published figures. What each counts is one row of a table here and one in docs/metrics.md.

A figure is a number of requests. A request counts in it on one day of its plan's calendar: the day of its receipt, of
its first determination, or of its end without one.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from statistics import median_high, median_low
from typing import Final

from authz.prior_auths.determination import ADVERSE, Basis, Outcome
from authz.prior_auths.lifecycle import State
from authz.reporting.courses import Course, Ruling


class Figure(StrEnum):
    RECEIVED = "received"
    DECIDED = "decided"
    APPROVED = "approved"
    APPROVED_BY_RULE = "approved_by_rule"
    DEEMED_APPROVED = "deemed_approved"
    DENIED_FULLY_OR_PARTLY = "denied_fully_or_partly"
    PARTIALLY_APPROVED = "partially_approved"
    DENIED = "denied"
    DEEMED_ADVERSE = "deemed_adverse"
    APPROVED_AFTER_APPEAL = "approved_after_appeal"
    EXTENDED_AND_APPROVED = "extended_and_approved"
    DECIDED_LATE = "decided_late"
    NOTIFIED_LATE = "notified_late"
    WITHDRAWN = "withdrawn"
    DISMISSED = "dismissed"


class Speed(StrEnum):
    STANDARD = "standard"
    EXPEDITED = "expedited"
    ALL = "all"


def _is_approved(ruling: Ruling) -> bool:
    return ruling.outcome not in ADVERSE


OF_DECIDED: Final[Mapping[Figure, Callable[[Course, Ruling], bool]]] = {
    Figure.DECIDED: lambda course, first: True,
    Figure.APPROVED: lambda course, first: _is_approved(first),
    Figure.APPROVED_BY_RULE: lambda course, first: _is_approved(first) and first.basis is Basis.RULE,
    Figure.DEEMED_APPROVED: lambda course, first: first.outcome is Outcome.DEEMED_APPROVED,
    Figure.DENIED_FULLY_OR_PARTLY: lambda course, first: first.outcome in ADVERSE,
    Figure.PARTIALLY_APPROVED: lambda course, first: first.outcome is Outcome.PARTIALLY_APPROVED,
    Figure.DENIED: lambda course, first: first.outcome is Outcome.DENIED,
    Figure.DEEMED_ADVERSE: lambda course, first: first.outcome is Outcome.DEEMED_ADVERSE,
    Figure.APPROVED_AFTER_APPEAL: lambda course, first: any(r.on_appeal and _is_approved(r) for r in course.rulings),
    Figure.EXTENDED_AND_APPROVED: lambda course, first: course.is_extended and _is_approved(first),
    Figure.DECIDED_LATE: lambda course, first: first.was_late,
    Figure.NOTIFIED_LATE: lambda course, first: course.is_notified_late,
}
"""What holds of a request that was decided, given its first determination: it counts on the day of that."""

PERCENTAGES: Final = tuple(figure for figure in OF_DECIDED if figure is not Figure.DECIDED)
"""The figures that are published as a percentage, too: each of the requests decided."""

_OF_GIVEN_UP: Final = {State.WITHDRAWN: Figure.WITHDRAWN, State.DISMISSED: Figure.DISMISSED}


def counted(course: Course) -> Iterator[tuple[Figure, datetime]]:
    """Yield the figures in which a request counts, each with the instant whose day it counts on."""
    yield Figure.RECEIVED, course.received_at
    first = course.first_ruling
    if first is not None:
        yield from ((figure, first.at) for figure, holds in OF_DECIDED.items() if holds(course, first))
    elif course.given_up is not None and course.given_up_at is not None:
        yield _OF_GIVEN_UP[course.given_up], course.given_up_at


def speeds_of(course: Course) -> tuple[Speed, Speed]:
    """Return under which speeds a request counts."""
    return Speed.EXPEDITED if course.is_expedited else Speed.STANDARD, Speed.ALL


@dataclass(frozen=True, slots=True)
class Share:
    """A percentage with what it is made of. Of nothing there is none."""

    numerator: int
    denominator: int

    @property
    def percent(self) -> Fraction | None:
        """Exactly; None when the denominator is 0."""
        return Fraction(100 * self.numerator, self.denominator) if self.denominator else None


_MICROSECOND: Final = timedelta(microseconds=1)
_MICROSECONDS_AN_HOUR: Final = timedelta(hours=1) // _MICROSECOND


def hours(elapsed: timedelta) -> Fraction:
    """Return a length of time in hours, exact to the microsecond."""
    return Fraction(elapsed // _MICROSECOND, _MICROSECONDS_AN_HOUR)


@dataclass(slots=True)
class Times:
    """Lengths of time, exact to the microsecond; eight bytes each, so that a million of them fit."""

    microseconds: "array[int]" = field(default_factory=lambda: array("q"))

    def add(self, elapsed: timedelta) -> None:
        """Take one more into account."""
        self.microseconds.append(elapsed // _MICROSECOND)

    @property
    def mean_hours(self) -> Fraction | None:
        """The arithmetic mean; None of none."""
        many = len(self.microseconds)
        return Fraction(sum(self.microseconds), many * _MICROSECONDS_AN_HOUR) if many else None

    @property
    def median_hours(self) -> Fraction | None:
        """The one in the middle, of two in the middle their mean; None of none."""
        if not self.microseconds:
            return None
        ordered = sorted(self.microseconds)
        return Fraction(median_low(ordered) + median_high(ordered), 2 * _MICROSECONDS_AN_HOUR)


@dataclass(slots=True)
class Tally:
    """The figures of some requests: how many in each, and how long it took to decide."""

    counts: Counter[Figure] = field(default_factory=Counter)
    times: Times = field(default_factory=Times)

    def count(self, figure: Figure, course: Course) -> None:
        """Count one request in one figure."""
        self.counts[figure] += 1
        if figure is Figure.DECIDED and course.time_to_decision is not None:
            self.times.add(course.time_to_decision)

    def share(self, figure: Figure) -> Share:
        """Return the part of the requests decided that a figure is."""
        return Share(self.counts[figure], self.counts[Figure.DECIDED])
