"""How the pages write days, instants and spans."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from authz.web import formats

NOW = datetime(2025, 3, 3, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("apart", "said"),
    [
        (timedelta(days=2, hours=4, minutes=59), "in 2 days 4 hours"),
        (timedelta(days=1), "in 1 day"),
        (timedelta(hours=1, minutes=1), "in 1 hour 1 minute"),
        (timedelta(minutes=5), "in 5 minutes"),
        (timedelta(0), "in 0 minutes"),
        (-timedelta(minutes=3), "3 minutes ago"),
        (-timedelta(days=10, hours=1), "10 days 1 hour ago"),
    ],
)
def test_how_far_off_an_instant_is(apart: timedelta, said: str) -> None:
    assert formats.distance(NOW + apart, now=NOW) == said


def test_a_deadline_that_has_passed_is_overdue() -> None:
    assert formats.time_left(NOW + timedelta(hours=2), now=NOW) == "in 2 hours 0 minutes"
    assert formats.time_left(NOW - timedelta(days=1, hours=3), now=NOW) == "overdue by 1 day 3 hours"


def test_how_far_off_a_day_is() -> None:
    on = date(2025, 3, 3)

    assert [formats.days_off(on + timedelta(days=n), today=on) for n in (0, 1, -2)] == [
        "today",
        "in 1 day",
        "2 days ago",
    ]


def test_an_instant_is_told_in_its_zone() -> None:
    in_york = NOW.astimezone(ZoneInfo("America/New_York"))

    assert formats.moment(in_york) == "Mar 3, 2025, 10:00 AM EST"
    assert formats.moment(in_york.replace(hour=0, minute=5)) == "Mar 3, 2025, 12:05 AM EST"
    assert formats.moment(in_york.replace(hour=12)) == "Mar 3, 2025, 12:00 PM EST"
