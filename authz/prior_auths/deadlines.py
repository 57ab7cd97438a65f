"""PURE: the clocks of a request: when each is due, and why. Never stored: computed from what happened and the regime.

Every due instant is a pure function of the history, the regime's version (which names the calendar's version) and the
plan's time zone. It is the last instant in time: what happens at it is in time, what happens a microsecond later is not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from authz.policies.history import Happened, Kind
from authz.policies.regime import IfMissed, Regime


class Urgency(StrEnum):
    STANDARD = "standard"
    EXPEDITED = "expedited"


@dataclass(frozen=True, slots=True)
class Pause:
    """While a clock stood still. `until` is when the answer came or, `is_open`, when the clock goes on without one."""

    since: datetime
    until: datetime | None
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One clock, in UTC.

    `due_at` is when it is due if nothing more happens; None while it cannot run without something more happening.
    `started_at` can lie ahead, where the law starts the clock on a day at the latest. `why` says it all in words, in
    the plan's time zone, with the citation; `confirmed` is whether the wording of the rule itself was read.
    """

    kind: Kind
    started_at: datetime | None
    due_at: datetime | None
    stopped_at: datetime | None
    pauses: tuple[Pause, ...]
    if_missed: IfMissed | None
    why: str
    citation: str
    confirmed: bool

    def is_missed(self, *, by: datetime) -> bool:
        """Say whether the due instant has passed, at an instant, without what was due."""
        return self.due_at is not None and self.due_at < (self.stopped_at or by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """All clocks of a request that its history calls for, and the versions they rest on."""

    regime: str
    calendar: str
    zone: str
    clocks: tuple[Clock, ...]

    def get(self, kind: Kind) -> Clock | None:
        """Return one of them; None where the regime or the history calls for none."""
        return next((clock for clock in self.clocks if clock.kind is kind), None)


def clocks(history: Iterable[Happened], *, regime: Regime, zone: ZoneInfo) -> Clocks:
    """Return the clocks of a request. What happened at one instant counts in the order given."""
    raise NotImplementedError
