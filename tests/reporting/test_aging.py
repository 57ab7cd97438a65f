"""How old open requests are and how much time is left: each bracket begins at its lower bound."""

from datetime import UTC, datetime, timedelta

import pytest

from authz.prior_auths.lifecycle import State
from authz.reporting.aging import Age, OpenRequest, TimeLeft, age_of, aging, time_left

NOW = datetime(2025, 3, 3, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("days", "before", "at"),
    [
        (1, Age.UNDER_1_DAY, Age.FROM_1_TO_3_DAYS),
        (3, Age.FROM_1_TO_3_DAYS, Age.FROM_3_TO_7_DAYS),
        (7, Age.FROM_3_TO_7_DAYS, Age.FROM_7_TO_14_DAYS),
        (14, Age.FROM_7_TO_14_DAYS, Age.FROM_14_TO_30_DAYS),
        (30, Age.FROM_14_TO_30_DAYS, Age.FROM_30_DAYS),
    ],
)
def test_a_request_is_as_old_as_the_hours_say(days: int, before: Age, at: Age) -> None:
    assert (age_of(timedelta(days=days) - TICK), age_of(timedelta(days=days))) == (before, at)


@pytest.mark.parametrize(
    ("hours", "before", "at"),
    [
        (0, TimeLeft.OVERDUE, TimeLeft.UNDER_8_HOURS),
        (8, TimeLeft.UNDER_8_HOURS, TimeLeft.FROM_8_TO_24_HOURS),
        (24, TimeLeft.FROM_8_TO_24_HOURS, TimeLeft.FROM_24_TO_72_HOURS),
        (72, TimeLeft.FROM_24_TO_72_HOURS, TimeLeft.FROM_72_HOURS),
    ],
)
def test_the_due_instant_itself_is_in_time(hours: int, before: TimeLeft, at: TimeLeft) -> None:
    due_at = NOW + timedelta(hours=hours)

    assert (time_left(due_at - TICK, now=NOW), time_left(due_at, now=NOW)) == (before, at)


def test_open_requests_are_counted_once_by_state_and_once_by_time_left() -> None:
    old, new = NOW - timedelta(days=8), NOW
    found = aging(
        [
            OpenRequest(State.DRAFT, old, None),
            OpenRequest(State.QUEUED, new, NOW + timedelta(hours=9)),
            OpenRequest(State.QUEUED, old, NOW - TICK),
        ],
        now=NOW,
    )

    assert found.open_requests == 3
    assert +found.of_state(State.QUEUED) == {Age.UNDER_1_DAY: 1, Age.FROM_7_TO_14_DAYS: 1}
    assert found.by_time_left == {TimeLeft.NO_DEADLINE: 1, TimeLeft.FROM_8_TO_24_HOURS: 1, TimeLeft.OVERDUE: 1}
