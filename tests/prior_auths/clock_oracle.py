"""A second, slow answer to when each clock is due: the table of regimes, played hour by hour.

Written from the rules' words alone. It shares no figure, no calendar and no arithmetic with the product: it knows the
regimes by heart and lets the hours pass. Histories happen on full hours, where clocks differ from UTC by full hours.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

Told = tuple[str, datetime]
HOUR, TICK = timedelta(hours=1), timedelta(microseconds=1)
ENOUGH_HOURS = 24 * 300

# Oklahoma's holidays of 2025 and 2026, off the wall calendar.
_HOLIDAYS = """
    2025-01-01 2025-01-20 2025-02-17 2025-05-26 2025-07-04 2025-09-01 2025-11-11 2025-11-27 2025-11-28 2025-12-25
    2026-01-01 2026-01-19 2026-02-16 2026-05-25 2026-07-03 2026-09-07 2026-11-11 2026-11-26 2026-11-27 2026-12-25
    2027-01-01 2027-01-18 2027-02-15
"""
HOLIDAYS = {date.fromisoformat(day) for day in re.findall(r"\S+", _HOLIDAYS)}


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
# Appeals: days or hours to decide one; days to file one, the five until a notice is presumed to be there, and whether
# they count from its date. Who must send on what was not decided in time has this many hours for it.
APPEAL_STANDARD = {
    "part_d": Speed("d", 7),
    "part_d_exception": Speed("d", 7),
    "medicaid": Speed("d", 30, extend=14),
    "erisa": Speed("d", 30),
    "medicare_advantage": Speed("d", 30, extend=14),
    "generic": Speed("d", 30),
}
APPEAL_EXPEDITED = {regime: Speed("h", 72, extend=speed.extend) for regime, speed in APPEAL_STANDARD.items()}
FILE_DAYS = {
    "part_d": 60,
    "part_d_exception": 60,
    "medicaid": 60,
    "erisa": 180,
    "medicare_advantage": 60,
    "generic": 60,
}
PRESUMED_DAYS = {"part_d": 5, "part_d_exception": 5, "medicare_advantage": 5}
FROM_ITS_DATE = {"medicaid"}
FORWARD_HOURS = {"part_d": 24, "part_d_exception": 24}
ENDS = {"approved", "denied", "closed"}
APPEAL_ENDS = {"appeal decided", "appeal closed"}
APPEAL_AS_REQUEST = {
    "appeal filed": "received",
    "appeal expedite": "expedite",
    "appeal refused": "refused",
    "appeal extended": "extended",
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
    hurried_at: datetime | None = None

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

    def hurry(self, at: datetime, *, is_open: bool) -> None:
        """Speed is asked for: the time begins now, or when what is missing now has come."""
        self.received_at = self.hurried_at = at
        self.used, self.used_up_at = 0, None
        self.late_start = self.late_start and not self.running
        if self.speed.missing == "again":
            self.running, self.limit, self.waited_hours = True, self.speed.limit, None
            if is_open:
                self.running, self.waited_hours = False, 0

    def asked(self, at: datetime, *, is_open: bool, noticed: bool) -> None:
        speed = self.speed
        in_time = speed.ask_hours is None or at - self.received_at <= timedelta(hours=speed.ask_hours)
        if speed.missing == "again" and in_time and not is_open:
            self.running, self.waited_hours = False, 0
        if speed.missing == "stops" and noticed and not self.has_stopped:
            self.has_stopped, self.stopped_days = True, 0

    def answered(self, at: datetime) -> None:
        self.stopped_days = None
        if self.waited_hours is not None:
            self.go_on()
        if at == self.hurried_at:
            self.limit = self.speed.limit

    def go_on(self) -> None:
        self.running, self.waited_hours, self.used = True, None, 0
        self.limit = self.speed.then_hours or self.speed.limit

    @property
    def ends_before_the_hour(self) -> bool:
        return self.speed.unit != "h" or self.late_start

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


class Game:
    """One request under one regime, from hour to hour."""

    def __init__(self, speeds: tuple[Speed, Speed], received_at: datetime, *, is_exception: bool) -> None:
        self.received_at = received_at
        self.standard, self.expedited = (Player(speed, received_at) for speed in speeds)
        self.both = (self.standard, self.expedited)
        self.is_exception = is_exception
        self.days_gone, self.is_open, self.is_speedy, self.has_extended, self.has_statement = (
            0,
            False,
            False,
            False,
            False,
        )
        for player in self.both:
            player.running = not self.is_exception

    @property
    def racing(self) -> tuple[Player, ...]:
        return self.both if self.is_speedy else (self.standard,)

    def strike(self, new_day: date | None) -> None:
        """An hour has gone by, and with it perhaps a day."""
        for player in self.both:
            player.hour()
        if new_day is None:
            return
        self.days_gone += 1
        for player in self.both:
            player.midnight(new_day)
        if self.is_exception and self.days_gone == 15 and not self.standard.running:
            for player in self.both:
                player.running, player.used, player.late_start = True, 0, True

    def hear(self, what: str, at: datetime) -> None:
        """Something happens at this hour."""
        if what == "statement":
            self.has_statement = True
        if at >= self.received_at:
            self._heed(what, at)
            if self.is_exception and self.has_statement and not self.standard.running:
                self.standard.running = self.expedited.running = True

    def _heed(self, what: str, at: datetime) -> None:
        if what in {"asked", "asked with notice", "returned"}:
            for player in self.both:
                player.asked(at, is_open=self.is_open, noticed=what == "asked with notice")
            self.is_open = True
        elif what in {"answered", "completed"} and self.is_open:
            self.is_open = False
            for player in self.both:
                player.answered(at)
        elif what == "extended" and not self.has_extended:
            self.has_extended = True
            for player in self.both:
                player.more_days = player.speed.extend
        elif what == "expedite" and not self.is_speedy:
            self.is_speedy = True
            self.expedited.hurry(at, is_open=self.is_open)
        elif what == "refused":
            self.is_speedy = False

    def is_over(self, local: datetime, *, before_the_hour: bool) -> bool:
        """Say whether the decision was due now; what ends with a day ends a microsecond before the hour strikes."""
        due = [player for player in self.racing if player.is_due(local)]
        return any(player.ends_before_the_hour == before_the_hour for player in due)

    def is_stuck(self) -> bool:
        return all(player.waited_hours is not None and not player.speed.reply_hours for player in self.racing)


def decide_by(regime: str, events: Sequence[Told], zone: ZoneInfo) -> datetime | None:
    """Return the last instant at which the decision is in time; None while the clock waits for something.

    `events` are (what, when) in order: received, statement, asked, asked with notice, returned, answered, completed,
    extended, expedite, refused. Of what comes after approved, denied or closed nothing is heard.
    """
    heard, _ = up_to_the_end(events, ENDS)
    return play(heard, (STANDARD[regime], EXPEDITED[regime]), zone, is_exception=regime == "part_d_exception")


def play(events: Sequence[Told], speeds: tuple[Speed, Speed], zone: ZoneInfo, *, is_exception: bool) -> datetime | None:
    waiting = list(events)
    game = Game(speeds, next(at for what, at in events if what == "received"), is_exception=is_exception)
    for now, local, is_new_day in hours(min(at for _, at in events), zone):
        if now > game.received_at:
            game.strike(local.date() if is_new_day else None)
            if game.is_over(local, before_the_hour=True):
                return now - TICK
        while waiting and waiting[0][1] == now:
            game.hear(*waiting.pop(0))
        if now >= game.received_at and game.is_over(local, before_the_hour=False):
            return now
        if not waiting and game.is_stuck():
            return None
    raise AssertionError("the game goes on for ever")


def up_to_the_end(events: Sequence[Told], ends: set[str]) -> tuple[list[Told], Told | None]:
    """Return what is heard until the first end, in its hour included, and that end."""
    end = next((event for event in events if event[0] in ends), None)
    return [event for event in events if event[0] not in ends and (end is None or event[1] <= end[1])], end


def notify_by(regime: str, events: Sequence[Told], zone: ZoneInfo) -> datetime | None:
    """Return by when the clinic must hear of the decision: by when it had to be made; None where there is none."""
    _, end = up_to_the_end(events, ENDS)
    return None if end and end[0] == "closed" else decide_by(regime, events, zone)


def information_reply_by(regime: str, events: Sequence[Told], zone: ZoneInfo) -> datetime | None:
    """Return until when the law lets the clinic answer the only question that was asked; None where it says nothing."""
    speed = (EXPEDITED if any(what == "expedite" for what, _ in events) else STANDARD)[regime]
    asked_at = next(at for what, at in events if what == "asked with notice")
    if speed.reply_hours is not None:
        return struck(asked_at, speed.reply_hours)
    return None if speed.reply_days is None else end_of_days(asked_at, speed.reply_days, zone)


def forward_by(regime: str, events: Sequence[Told], zone: ZoneInfo) -> datetime | None:
    """Return by when the independent reviewer must have what was not decided in time: the request, or its appeal."""
    if regime not in FORWARD_HOURS:
        return None
    _, end = up_to_the_end(events, ENDS)
    appeal, appeal_end = of_the_appeal(events)
    missed = [(decide_by(regime, events, zone), end)]
    missed += [(appeal_decide_by(regime, events, zone), appeal_end)] if appeal else []
    late = (due_at for due_at, end in missed if due_at is not None and (end is None or end[1] > due_at))
    first = next(late, None)
    return first and struck(first, FORWARD_HOURS[regime])


def appeal_file_by(regime: str, events: Sequence[Told], zone: ZoneInfo) -> datetime | None:
    """Return the last instant to appeal the newest decision; None without a denial, or while no notice is there."""
    what, decided_at = next((event for event in reversed(events) if event[0] in ENDS - {"closed"}), ("", events[0][1]))
    sent, delivered = (
        next((at for name, at in events if name in names and at >= decided_at), None)
        for names in ({"sent", "delivered"}, {"delivered"})
    )
    if what != "denied" or regime not in FILE_DAYS or sent is None:
        return None
    days, presumed = FILE_DAYS[regime], PRESUMED_DAYS.get(regime)
    if regime in FROM_ITS_DATE:
        return end_of_days(sent, days, zone)
    known = [end_of_days(delivered, days, zone)] if delivered else []
    known += [end_of_days(sent, presumed + days, zone)] if presumed else []
    return max(known, default=None)


def appeal_decide_by(regime: str, events: Sequence[Told], zone: ZoneInfo) -> datetime | None:
    """Return the last instant at which the newest appeal is decided in time; None where none is filed, or may be."""
    heard, _ = of_the_appeal(events)
    if not heard or regime not in APPEAL_STANDARD:
        return None
    return play(heard, (APPEAL_STANDARD[regime], APPEAL_EXPEDITED[regime]), zone, is_exception=False)


def of_the_appeal(events: Sequence[Told]) -> tuple[list[Told], Told | None]:
    """Return what the newest appeal heard, in the words for a request, and its end."""
    filed = max((place for place, (what, _) in enumerate(events) if what == "appeal filed"), default=len(events))
    heard, end = up_to_the_end(events[filed:], APPEAL_ENDS)
    return [(APPEAL_AS_REQUEST[what], at) for what, at in heard if what in APPEAL_AS_REQUEST], end


def struck(first: datetime, many: int) -> datetime:
    """Let so many hours strike."""
    for _ in range(many):
        first += HOUR
    return first


def end_of_days(first: datetime, days: int, zone: ZoneInfo) -> datetime:
    """Let that day end, and so many days after it."""
    for now, _, is_new_day in hours(first, zone):
        days -= is_new_day
        if days < 0:
            return now - TICK
    raise AssertionError("the days go on for ever")


def hours(first: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime, bool]]:
    before = first.astimezone(zone).date()
    for n in range(ENOUGH_HOURS):
        now = first + n * HOUR
        local = now.astimezone(zone)
        yield now.astimezone(UTC), local, local.date() != before
        before = local.date()
