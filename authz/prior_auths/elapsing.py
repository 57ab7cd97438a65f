"""PURE: when a length of legal time ends, in a time zone and by a calendar of business days.

Hours elapse: 72 hours are 72 hours whatever clocks do. Days are days of the calendar: the day something happens on is
not counted, and the last one ends with its last microsecond, 23:59:59.999999 where the plan is. So one rule holds for
both: what happens at the instant returned is in time, a microsecond later it is late, and nothing is in between.
"""

from calendar import isleap
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from authz.policies.calendar import Calendar
from authz.policies.regime import Span, Unit

_TICK = timedelta(microseconds=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where legal days begin and end, and which of them are business days."""

    zone: ZoneInfo
    calendar: Calendar

    def day_of(self, at: datetime) -> date:
        """Return the day that it is here at an instant."""
        return at.astimezone(self.zone).date()

    def end_of(self, day: date) -> datetime:
        """Return the last instant of a day, a microsecond before the next one begins."""
        # Where clocks skip midnight, fold 0 reads 00:00 with the offset before: the instant at which the day begins.
        return datetime.combine(day + _DAY, time.min, self.zone).astimezone(UTC) - _TICK

    def after(self, start: datetime, span: Span) -> datetime:
        """Return the last instant of a length of time that begins at `start`."""
        if span.unit is Unit.HOURS:
            return start + timedelta(hours=span.amount)
        return self.end_of(self.last_day(self.day_of(start), span))

    def last_day(self, first: date, span: Span) -> date:
        """Return the last day of a length of time in days or years that something on `first` begins."""
        if span.unit is Unit.BUSINESS_DAYS:
            return self._business_days_after(first, span.amount)
        if span.unit is Unit.YEARS:
            return _years_after(first, span.amount)
        return first + timedelta(days=span.amount)

    def days_later(self, at: datetime, days: int) -> datetime:
        """Return the same time of day, here, some days later."""
        then = at.astimezone(self.zone).replace(tzinfo=None, fold=0) + timedelta(days=days)
        return then.replace(tzinfo=self.zone).astimezone(UTC)

    def _business_days_after(self, day: date, amount: int) -> date:
        while amount:
            day += _DAY
            amount -= self.calendar.is_business_day(day)
        return day


def _years_after(day: date, years: int) -> date:
    """Return the anniversary; that of 29 February is the 28th in a year without a 29th."""
    year = day.year + years
    is_missing = (day.month, day.day) == (2, 29) and not isleap(year)
    return day.replace(year=year, day=28 if is_missing else day.day)
