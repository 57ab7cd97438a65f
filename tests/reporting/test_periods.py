"""Months, quarters and years, cut to the days that were asked for."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.errors import InvalidInput
from authz.reporting.periods import LONGEST_DAYS, Every, Period, piece_with, pieces

D = date
WINTER = Period(D(2024, 11, 15), D(2025, 2, 10))


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        (None, [WINTER]),
        (
            Every.MONTH,
            [
                Period(D(2024, 11, 15), D(2024, 11, 30)),
                Period(D(2024, 12, 1), D(2024, 12, 31)),
                Period(D(2025, 1, 1), D(2025, 1, 31)),
                Period(D(2025, 2, 1), D(2025, 2, 10)),
            ],
        ),
        (Every.QUARTER, [Period(D(2024, 11, 15), D(2024, 12, 31)), Period(D(2025, 1, 1), D(2025, 2, 10))]),
        (Every.YEAR, [Period(D(2024, 11, 15), D(2024, 12, 31)), Period(D(2025, 1, 1), D(2025, 2, 10))]),
    ],
)
def test_a_period_is_cut_by_the_calendar(every: Every | None, expected: list[Period]) -> None:
    assert pieces(WINTER, every) == expected


days = st.dates(D(2000, 1, 1), D(2100, 1, 1))


@given(days, st.integers(0, LONGEST_DAYS - 1), st.sampled_from([None, *Every]), days)
def test_every_day_of_a_period_lies_in_exactly_one_piece(
    since: date, more: int, every: Every | None, day: date
) -> None:
    period = Period(since, since + timedelta(days=more))
    parts = pieces(period, every)

    holding = [part for part in parts if day in part]

    assert holding == ([piece_with(day, parts)] if day in period else [])
    assert piece_with(period.since, parts) == parts[0]
    assert piece_with(period.until, parts) == parts[-1]


@pytest.mark.parametrize("until", [D(2024, 12, 31), D(2035, 1, 2), D(2125, 1, 1)])
def test_a_period_that_runs_backwards_or_for_more_than_ten_years_is_refused(until: date) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Period(D(2025, 1, 1), until)

    assert set(refusal.value.fields) == {"until"}


def test_ten_whole_years_are_a_period() -> None:
    assert len(pieces(Period(D(2024, 1, 1), D(2033, 12, 31)), Every.YEAR)) == 10
