"""A second, slow answer to when a decision is due: the table of regimes, played hour by hour.

Written from the rules' words alone. It shares no figure, no calendar and no arithmetic with the product: it knows the
regimes by heart and lets the hours pass. Histories happen on full hours, where clocks differ from UTC by full hours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

HOUR, TICK = timedelta(hours=1), timedelta(microseconds=1)
ENOUGH_HOURS = 24 * 120

# Oklahoma's holidays of 2025 and 2026, off the wall calendar.
HOLIDAYS = {
    date.fromisoformat(day)
    for day in (
        "2025-01-01 2025-01-20 2025-02-17 2025-05-26 2025-07-04 2025-09-01 2025-11-11 2025-11-27 2025-11-28 2025-12-25 "
        "2026-01-01 2026-01-19 2026-02-16 2026-05-25 2026-07-03 2026-09-07 2026-11-11 2026-11-26 2026-11-27 2026-12-25 "
        "2027-01-01 2027-01-18 2027-02-15"
    ).split()
}


@dataclass
class Speed:
    """How one speed of a regime behaves: `unit` is h(ours), d(ays) or b(usiness days)."""

    unit: str
    limit: int
    missing: str = "runs"
    ask_hours: int | None = None
    reply_hours: int | None = None
    reply_days: int | None = None
    then_hours: int | None = None
    extend: int = 0


STANDARD = {
    "part_d": Speed("h", 72),
    "part_d_exception": Speed("h", 72),
    "medicaid": Speed("h", 24),
    "erisa": Speed("d", 15, "stops", reply_days=45, extend=15),
    "california": Speed("h", 72, "again", ask_hours=72),
    "oklahoma": Speed("b", 4, "again"),
    "medicare_advantage": Speed("d", 7, extend=14),
    "generic": Speed("h", 72),
}
EXPEDITED = {
    "part_d": Speed("h", 24),
    "part_d_exception": Speed("h", 24),
    "medicaid": Speed("h", 24),
    "erisa": Speed("h", 72, "again", ask_hours=24, reply_hours=48, then_hours=48),
    "california": Speed("h", 24, "again", ask_hours=24),
    "oklahoma": Speed("h", 24, "again"),
    "medicare_advantage": Speed("h", 72, extend=14),
    "generic": Speed("h", 24),
}


@dataclass
class Player:
    """One clock under way. `used` counts hours, or the ends of days that have gone by."""

    speed: Speed
    received_at: datetime
    running: bool = True
    used: int = 0
    limit: int = field(init=False)
    more_days: int = 0
    late_start: bool = False
    stopped_days: int | None = None
    has_stopped: bool = False
    waited_hours: int | None = None
    used_up_at: tuple[date, int] | None = None

    def __post_init__(self) -> None:
        self.limit = self.speed.limit

    def midnight(self, new_day: date) -> None:
        """A day has just ended and `new_day` begins."""
        ended = new_day - timedelta(days=1)
        if self.stopped_days is not None:
            self.stopped_days += 1
            if self.stopped_days <= (self.speed.reply_days or 0):
                return
            self.stopped_days = None  # the time to answer ended with this day
        if self.speed.unit == "d" and self.running:
            self.used += 1
        if self.speed.unit == "b" and self.running and (self.used == 0 or is_business_day(ended)):
            self.used += 1  # the first day ended is that of the start, and counts whatever it is

    def hour(self) -> None:
        """An hour has gone by."""
        if self.waited_hours is not None:
            self.waited_hours += 1
            if self.waited_hours > (self.speed.reply_hours or ENOUGH_HOURS):
                self.go_on()
                self.used = 1  # the time to answer ended an hour ago
                return
        if self.speed.unit == "h" and self.running:
            self.used += 1

    def asked(self, at: datetime, *, is_open: bool, noticed: bool) -> None:
        speed = self.speed
        in_time = speed.ask_hours is None or at - self.received_at <= timedelta(hours=speed.ask_hours)
        if speed.missing == "again" and in_time and not is_open:
            self.running, self.waited_hours = False, 0
        if speed.missing == "stops" and noticed and not self.has_stopped:
            self.has_stopped, self.stopped_days = True, 0

    def answered(self) -> None:
        self.stopped_days = None
        if self.waited_hours is not None:
            self.go_on()

    def go_on(self) -> None:
        self.running, self.waited_hours, self.used = True, None, 0
        self.limit = self.speed.then_hours or self.speed.limit

    def is_due(self, local: datetime) -> bool:
        """Say whether the time is used up now: for days, with the day that has just ended."""
        if not self.running or self.stopped_days is not None:
            return False
        if self.speed.unit != "h":
            return self.used > self.limit + self.more_days
        if self.used < self.limit:
            return False
        if self.used_up_at is None:
            self.used_up_at = (local.date(), local.hour)
        day, hour = self.used_up_at
        return (local.date(), local.hour) >= (day + timedelta(days=self.more_days), hour)


def is_business_day(day: date) -> bool:
    return day.weekday() < 5 and day not in HOLIDAYS


def decide_by(regime: str, events: Sequence[tuple[str, datetime]], zone: ZoneInfo) -> datetime | None:
    """Return the last instant at which the decision is in time; None while the clock waits for something.

    `events` are (what, when) in order: received, statement, asked, asked with notice, returned, answered, completed,
    extended, expedite, refused.
    """
    waiting = list(events)
    start = next(at for what, at in events if what == "received")
    standard = Player(STANDARD[regime], start)
    expedited = Player(EXPEDITED[regime], start)
    both = (standard, expedited)
    exception = regime == "part_d_exception"
    if exception:
        standard.running = expedited.running = False
    days_gone, is_open, speedy, has_extended, statement = 0, False, False, False, False
    for now, local, is_midnight in hours(min(at for _, at in events), zone):
        known = now > start
        if known:
            for player in both:
                player.hour()
        if is_midnight and known:
            days_gone += 1
            for player in both:
                player.midnight(local.date())
            if exception and days_gone == 15 and not standard.running:
                for player in both:
                    player.running, player.used, player.late_start = True, 0, True
        racing = both if speedy else (standard,)
        # What ends a microsecond before the hour is over when the hour strikes.
        if any(player.is_due(local) and ends_before_the_hour(player) for player in racing):
            return now - TICK
        while waiting and waiting[0][1] == now:
            what, at = waiting.pop(0)
            if what == "statement":
                statement = True
            elif now < start or (what != "received" and at < start):
                continue
            elif what in {"asked", "asked with notice", "returned"}:
                for player in both:
                    player.asked(at, is_open=is_open, noticed=what == "asked with notice")
                is_open = True
            elif what in {"answered", "completed"} and is_open:
                is_open = False
                for player in both:
                    player.answered()
            elif what == "extended" and not has_extended:
                has_extended = True
                for player in both:
                    player.more_days = player.speed.extend
            elif what == "expedite" and not speedy:
                speedy, expedited.used, expedited.used_up_at = True, 0, None
            elif what == "refused":
                speedy = False
            if exception and statement and now >= start and not standard.running:
                standard.running = expedited.running = True
        racing = both if speedy else (standard,)
        if now >= start and any(player.is_due(local) and not ends_before_the_hour(player) for player in racing):
            return now
    return None


def ends_before_the_hour(player: Player) -> bool:
    return player.speed.unit != "h" or player.late_start


def hours(first: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime, bool]]:
    before = first.astimezone(zone).date()
    for n in range(ENOUGH_HOURS):
        now = first + n * HOUR
        local = now.astimezone(zone)
        yield now.astimezone(UTC), local, local.date() != before
        before = local.date()
