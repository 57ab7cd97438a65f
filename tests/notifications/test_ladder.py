from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.notifications.matters.ladder import AT_LEAST, LADDER, Next, Rung, next_rung

TOLD = datetime(2025, 3, 3, 15, 0, tzinfo=UTC)
REMINDER, DELEGATE, TEAM, ADMINISTRATOR = Rung


def hours(count: float) -> datetime:
    return TOLD + timedelta(hours=count)


def climb(*, left: timedelta | None, goes_out: bool = True) -> list[tuple[Rung, float]]:
    """Return every rung and after how many hours it is taken, by a worker who is always there."""
    presses_at = None if left is None else TOLD + left
    since, taken = TOLD, list[tuple[Rung, float]]()
    while following := next_rung([rung for rung, _ in taken], since=since, goes_out=goes_out, presses_at=presses_at):
        since = following.at
        taken.append((following.rung, round((since - TOLD) / timedelta(hours=1), 2)))
    return taken


def test_without_a_clock_a_day_each_and_two_for_the_administrator() -> None:
    assert climb(left=None) == [(REMINDER, 24), (DELEGATE, 48), (TEAM, 72), (ADMINISTRATOR, 120)]


def test_of_72_hours_each_rung_has_a_quarter_of_what_is_left() -> None:
    assert climb(left=timedelta(hours=72)) == [(REMINDER, 18), (DELEGATE, 31.5), (TEAM, 41.62), (ADMINISTRATOR, 49.22)]


def test_when_it_is_too_late_the_rungs_follow_by_half_an_hour() -> None:
    assert climb(left=timedelta(hours=-5)) == [(REMINDER, 0.5), (DELEGATE, 1), (TEAM, 1.5), (ADMINISTRATOR, 2)]


def test_a_queue_is_left_alone_until_a_day_before_the_clock() -> None:
    assert climb(left=None, goes_out=False) == []
    assert climb(left=timedelta(hours=72), goes_out=False)[0] == (REMINDER, 54)


def test_a_rung_that_was_passed_is_not_gone_back_to() -> None:
    assert next_rung([REMINDER, TEAM], since=TOLD, goes_out=True) == Next(ADMINISTRATOR, hours(48))


@given(st.booleans(), st.none() | st.timedeltas(timedelta(days=-2), timedelta(days=60)))
def test_every_rung_is_taken_once_in_order_none_on_anothers_heels_and_in_time(
    goes_out: bool, left: timedelta | None
) -> None:
    taken = climb(left=left, goes_out=goes_out)

    assert [rung for rung, _ in taken] in ([], list(Rung))
    times = [0.0, *(at for _, at in taken)]
    assert all(later - earlier >= AT_LEAST / timedelta(hours=1) for earlier, later in pairwise(times))
    if left is not None and left >= 4 * AT_LEAST and taken:
        assert timedelta(hours=taken[-1][1]) <= max(left, timedelta(0)) + 4 * AT_LEAST


@pytest.mark.parametrize("rung", Rung)
def test_every_rung_has_a_row(rung: Rung) -> None:
    assert LADDER[rung].at_most > AT_LEAST
