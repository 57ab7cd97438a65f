"""PURE: when a notice goes out: quiet hours and the daily digest of its person, and what both of them yield to."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from authz.notifications.matrix import Notice, Pace

NEAR: Final = timedelta(days=1)
"""So long before a clock or a run-out, what needs an act waits no longer: a day to act in. The product's choice."""

_A_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From a time of the day to another, by the person's wall clock; past midnight when it ends before it starts.

    A time that the clock leaves out in spring is read as that much later, and of one that it repeats in autumn the
    first is meant.

    :raises ValueError: when both are the same, or one is not a plain time of the day.
    """

    starts: time
    ends: time

    def __post_init__(self) -> None:
        if self.starts == self.ends:
            raise ValueError("quiet hours start and end at different times")
        if self.starts.tzinfo is not None or self.ends.tzinfo is not None:
            raise ValueError("quiet hours are times of the wall clock")

    def over_at(self, at: datetime, zone: ZoneInfo) -> datetime:
        """Return when it is quiet no longer: `at` itself when it is not quiet then."""
        day = at.astimezone(zone).date() - _A_DAY
        for _ in range(4):  # those of yesterday, today and tomorrow, in turn; one may end inside the next
            starts, ends = self._beginning_on(day, zone)
            if starts <= at < ends:
                at = ends
            day += _A_DAY
        return at

    def has(self, at: time) -> bool:
        """Say whether a time of the day is quiet."""
        if self.starts < self.ends:
            return self.starts <= at < self.ends
        return at >= self.starts or at < self.ends

    def _beginning_on(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        last = day if self.starts < self.ends else day + _A_DAY
        return _instant(day, self.starts, zone), _instant(last, self.ends, zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """When a person wants to hear of what can wait, in their time zone. `digest_hour` is 0 to 23; None is no digest.

    :raises ValueError: for an hour that no day has, or one in the quiet hours.
    """

    zone: ZoneInfo
    quiet: QuietHours | None = None
    digest_hour: int | None = None

    def __post_init__(self) -> None:
        if self.digest_hour is None:
            return
        if not 0 <= self.digest_hour <= 23:
            raise ValueError("a day has the hours 0 to 23")
        if self.quiet is not None and self.quiet.has(time(self.digest_hour)):
            raise ValueError("the digest must not come in the quiet hours")

    @property
    def waits(self) -> bool:
        """Whether anything ever waits."""
        return self.quiet is not None or self.digest_hour is not None

    def quiet_over_at(self, at: datetime) -> datetime:
        """Return when the quiet hours at that instant end: `at` itself outside of them."""
        return at if self.quiet is None else self.quiet.over_at(at, self.zone)

    def digest_at(self, at: datetime) -> datetime | None:
        """Return when the next digest comes, at that instant or after it; None when the person wants none."""
        if self.digest_hour is None:
            return None
        today = at.astimezone(self.zone).date()
        days = (today + n * _A_DAY for n in range(-1, 3))
        comes = (_instant(day, time(self.digest_hour), self.zone) for day in days)
        return next(one for one in comes if one >= at)


@dataclass(frozen=True, slots=True)
class Sending:
    """The instant (UTC) at which a notice goes out, and whether the day's digest takes it along."""

    at: datetime
    by_digest: bool = False


def when_to_send(notice: Notice, wishes: Wishes, *, now: datetime, presses_at: datetime | None = None) -> Sending:
    """Return when a notice that goes out is sent: with the digest, after the quiet hours, or now.

    What presses goes now. What needs an act waits only for what comes a day before `presses_at`, the instant of the
    clock or run-out that stands behind it, if one does.
    """
    if notice.pace is Pace.PRESSING:
        return Sending(now)
    latest = presses_at - NEAR if notice.needs_act and presses_at is not None else None
    digest = wishes.digest_at(now)
    if digest is not None and (latest is None or digest <= latest):
        return Sending(digest, by_digest=True)
    awake = wishes.quiet_over_at(now)
    return Sending(awake if latest is None or awake <= latest else now)


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
