"""Which days are business days, checked against calendars on the wall."""

import tomllib
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.errors import InvalidInput
from authz.policies.calendar import read_calendar
from authz.policies.calendars import calendars

FEDERAL, OKLAHOMA = calendars()["us_federal-1"], calendars()["oklahoma-1"]


def days_off(calendar: Any, year: int) -> list[str]:
    days = (date(year, 1, 1) + timedelta(days=n) for n in range(366))
    off = (day for day in days if day.year == year and day.weekday() < 5 and not calendar.is_business_day(day))
    return [f"{day:%m-%d}" for day in off]


@pytest.mark.parametrize(
    ("year", "expected"),
    [
        (2019, "01-01 01-21 02-18 05-27 07-04 09-02 10-14 11-11 11-28 12-25"),
        # Juneteenth began in 2021, on a Saturday; Christmas and the next New Year's Day were Saturdays, too.
        (2021, "01-01 01-18 02-15 05-31 06-18 07-05 09-06 10-11 11-11 11-25 12-24 12-31"),
        (2022, "01-17 02-21 05-30 06-20 07-04 09-05 10-10 11-11 11-24 12-26"),
        (2026, "01-01 01-19 02-16 05-25 06-19 07-03 09-07 10-12 11-11 11-26 12-25"),
        (2028, "01-17 02-21 05-29 06-19 07-04 09-04 10-09 11-10 11-23 12-25"),
    ],
)
def test_the_federal_holidays_of_a_year(year: int, expected: str) -> None:
    assert days_off(FEDERAL, year) == expected.split()


@pytest.mark.parametrize(
    ("year", "expected"),
    [
        (2025, "01-01 01-20 02-17 05-26 07-04 09-01 11-11 11-27 11-28 12-25"),
        (2027, "01-01 01-18 02-15 05-31 07-05 09-06 11-11 11-25 11-26 12-23 12-24 12-31"),
        (2022, "01-17 02-21 05-30 07-04 09-05 11-11 11-24 11-25 12-26 12-27"),
    ],
)
def test_oklahomas_holidays_of_a_year(year: int, expected: str) -> None:
    assert days_off(OKLAHOMA, year) == expected.split()


@given(st.dates(min_value=date(1, 1, 2), max_value=date(9998, 12, 31)))
def test_a_weekend_is_never_a_business_day_and_five_days_on_end_never_all_holidays(day: date) -> None:
    assert day.weekday() < 5 or not FEDERAL.is_business_day(day)
    if day.year < 9998:
        assert any(FEDERAL.is_business_day(day + timedelta(days=n)) for n in range(5))


STRICT = """
code = "evergreen"
version = "1"
title = "Evergreen"
citation = "Nowhere"
confirmed = true
holidays = [{ name = "May Day", month = 5, day = 1, on_sunday = [1] }]
"""


@pytest.mark.parametrize(
    ("right", "wrong", "path", "told"),
    [
        ("month = 5", "month = 13", "holidays[0].month", "Use one of 1, 2"),
        ("day = 1,", "day = 30,", "holidays[0].day", "Use one of 1, 2"),
        ("day = 1,", 'weekday = "someday",', "holidays[0].weekday", "It must have the form"),
        ("day = 1,", 'weekday = "monday", nth = 5,', "holidays[0].nth", "Use one of -1, 1"),
        ("day = 1,", 'day = 1, weekday = "monday",', "holidays[0]", "Either a day or a weekday"),
        ("day = 1,", "", "holidays[0]", "Either a day or a weekday"),
        ("[1]", '["one"]', "holidays[0].on_sunday[0]", "A whole number"),
        ("confirmed = true", "confirmed = 1", "confirmed", "True or false"),
        ('citation = "Nowhere"', "", "citation", "It is missing."),
        ("on_sunday", "on_monday", "holidays[0].on_monday", "There is no such key."),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused_with_the_place(right: str, wrong: str, path: str, told: str) -> None:
    assert right in STRICT
    assert read_calendar(tomllib.loads(STRICT)).key == "evergreen-1"

    with pytest.raises(InvalidInput) as refused:
        read_calendar(tomllib.loads(STRICT.replace(right, wrong)))

    assert told in refused.value.fields[path][0]
