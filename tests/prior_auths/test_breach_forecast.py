"""What will be due soon, against the pace of those who are here."""

from datetime import timedelta

from authz.prior_auths.breach_forecast import HOURS, forecast
from tests.cast import NOW


def test_what_is_due_within_each_horizon_stands_against_what_is_decided_meanwhile() -> None:
    due = [NOW + timedelta(hours=hours) for hours in (-1, 4, 7, 30, 72, 73)]

    told = forecast(due, now=NOW, decided_by=[1] * 42, away=frozenset())

    assert [one.hours for one in told.horizons] == list(HOURS)
    assert [one.due for one in told.horizons] == [2, 3, 3, 5]
    # 42 in a week are one in four hours, six a day.
    assert [one.capacity for one in told.horizons] == [1, 2, 6, 18]
    assert [one.short_by for one in told.horizons] == [1, 1, 0, 0]
    assert told.overdue == 1


def test_the_pace_is_that_of_those_who_are_here() -> None:
    told = forecast([], now=NOW, decided_by=[1, 1, 2, 2, 2, 3], away=frozenset({2}))

    assert (told.pace, told.people, told.present) == (3, 3, 2)
