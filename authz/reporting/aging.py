"""PURE: how old open requests are, where they stand, and how much time the law leaves."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from authz.prior_auths.lifecycle import State


class Age(StrEnum):
    """Since receipt, before that since it was opened. A day is 24 hours; a bracket begins at its lower bound."""

    UNDER_1_DAY = "under_1_day"
    FROM_1_TO_3_DAYS = "from_1_to_3_days"
    FROM_3_TO_7_DAYS = "from_3_to_7_days"
    FROM_7_TO_14_DAYS = "from_7_to_14_days"
    FROM_14_TO_30_DAYS = "from_14_to_30_days"
    FROM_30_DAYS = "from_30_days"


class TimeLeft(StrEnum):
    """To the instant by which it must be decided, which itself is in time."""

    OVERDUE = "overdue"
    UNDER_8_HOURS = "under_8_hours"
    FROM_8_TO_24_HOURS = "from_8_to_24_hours"
    FROM_24_TO_72_HOURS = "from_24_to_72_hours"
    FROM_72_HOURS = "from_72_hours"
    NO_DEADLINE = "no_deadline"


_AGES: Final = (
    (timedelta(days=30), Age.FROM_30_DAYS),
    (timedelta(days=14), Age.FROM_14_TO_30_DAYS),
    (timedelta(days=7), Age.FROM_7_TO_14_DAYS),
    (timedelta(days=3), Age.FROM_3_TO_7_DAYS),
    (timedelta(days=1), Age.FROM_1_TO_3_DAYS),
)
_TIMES_LEFT: Final = (
    (timedelta(hours=72), TimeLeft.FROM_72_HOURS),
    (timedelta(hours=24), TimeLeft.FROM_24_TO_72_HOURS),
    (timedelta(hours=8), TimeLeft.FROM_8_TO_24_HOURS),
    (timedelta(), TimeLeft.UNDER_8_HOURS),
)


class OpenRequest(NamedTuple):
    """A request that has not come to an end. Without `due_at` it waits, or is not the insurer's to decide yet."""

    state: State
    since: datetime
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Aged:
    """Which open requests: those in a state, of an age, with so much time left; None is whichever."""

    state: State | None = None
    age: Age | None = None
    left: TimeLeft | None = None

    def holds(self, one: OpenRequest, *, now: datetime) -> bool:
        """Say whether a request is one of them."""
        found = (one.state, age_of(now - one.since), time_left(one.due_at, now=now))
        return all(wanted in (None, had) for wanted, had in zip((self.state, self.age, self.left), found, strict=True))


@dataclass(slots=True)
class Aging:
    """Open requests at an instant, counted."""

    by_state_and_age: Counter[tuple[State, Age]] = field(default_factory=Counter)
    by_state_and_time_left: Counter[tuple[State, TimeLeft]] = field(default_factory=Counter)

    @property
    def open_requests(self) -> int:
        """How many there are in all."""
        return self.by_state_and_age.total()

    @property
    def by_time_left(self) -> Counter[TimeLeft]:
        """How much time is left, whatever the state."""
        return sum(map(self.left_of, State), Counter())

    def of_state(self, state: State) -> Counter[Age]:
        """Return how old the requests in one state are."""
        return Counter({age: self.by_state_and_age[state, age] for age in Age})

    def left_of(self, state: State) -> Counter[TimeLeft]:
        """Return how much time is left of the requests in one state."""
        return Counter({left: self.by_state_and_time_left[state, left] for left in TimeLeft})


def aging(requests: Iterable[OpenRequest], *, now: datetime) -> Aging:
    """Count open requests by state, age and time left."""
    found = Aging()
    for request in requests:
        found.by_state_and_age[request.state, age_of(now - request.since)] += 1
        found.by_state_and_time_left[request.state, time_left(request.due_at, now=now)] += 1
    return found


def age_of(elapsed: timedelta) -> Age:
    """Return the bracket of an age."""
    return next((age for least, age in _AGES if elapsed >= least), Age.UNDER_1_DAY)


def time_left(due_at: datetime | None, *, now: datetime) -> TimeLeft:
    """Return the bracket of the time that is left until an instant."""
    if due_at is None:
        return TimeLeft.NO_DEADLINE
    return next((left for least, left in _TIMES_LEFT if due_at - now >= least), TimeLeft.OVERDUE)
