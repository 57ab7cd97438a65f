"""Figures as they are published: rounded once, and in a sheet that no spreadsheet takes for a program."""

import csv
from datetime import date, timedelta
from fractions import Fraction

import pytest

from authz.reporting.figures import Figure, Speed, Tally
from authz.reporting.periods import Period
from authz.reporting.sheet import COLUMNS, Line, lines, published, rounded, safe


def tally(*, decided: int, approved: int, hours: int = 36) -> Tally:
    found = Tally()
    found.counts.update({Figure.DECIDED: decided, Figure.APPROVED: approved})
    for _ in range(decided):
        found.times.add(timedelta(hours=hours))
    return found


@pytest.mark.parametrize(
    ("amount", "text"),
    [(Fraction(200, 3), "66.67"), (Fraction(1, 8), "0.13"), (Fraction(100), "100.00"), (None, None)],
)
def test_an_amount_is_rounded_half_up_to_two_decimals(amount: Fraction | None, text: str | None) -> None:
    assert rounded(amount) == text


def test_a_percentage_is_told_with_what_it_is_made_of_and_a_time_in_hours_and_in_days() -> None:
    told = published(tally(decided=3, approved=2))

    assert told["percentages"]["approved"] == {"numerator": 2, "denominator": 3, "percent": "66.67"}
    assert told["time_to_decision"] == {
        "mean_hours": "36.00",
        "median_hours": "36.00",
        "mean_days": "1.50",
        "median_days": "1.50",
    }


def test_of_nothing_there_is_no_value() -> None:
    told = published(Tally())

    assert told["percentages"]["approved"] == {"numerator": 0, "denominator": 0, "percent": None}
    assert set(told["time_to_decision"].values()) == {None}


def test_a_decision_within_the_same_instant_takes_no_time_at_all() -> None:
    assert published(tally(decided=1, approved=1, hours=0))["time_to_decision"]["mean_days"] == "0.00"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_what_a_spreadsheet_would_take_for_a_formula_is_made_a_text(text: str) -> None:
    assert safe(text) == f"'{text}"
    assert safe(f"Plan {text}") == f"Plan {text}"


def test_the_sheet_has_a_heading_and_a_line_for_each_block_and_speed() -> None:
    period = Period(date(2025, 1, 1), date(2025, 1, 31))
    told = Line('=HYPERLINK("x")', "EV,1", "Gold", period, Speed.ALL, tally(decided=3, approved=2))

    heading, row = csv.reader("".join(lines([told])).splitlines(keepends=True))

    assert tuple(heading) == COLUMNS
    cells = dict(zip(heading, row, strict=True))
    assert (cells["payer"], cells["plan_code"]) == ('\'=HYPERLINK("x")', "EV,1")
    assert (cells["since"], cells["until"], cells["urgency"]) == ("2025-01-01", "2025-01-31", "all")
    assert (cells["decided"], cells["approved_percent"], cells["median_days"]) == ("3", "66.67", "1.50")
    assert cells["denied_percent"] == "0.00"
