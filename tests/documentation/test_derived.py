"""Scores follow exactly from their answers, and are rounded once, where they are told."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.documentation.derived import DERIVATIONS, one_decimal, peg

ANSWER = st.integers(min_value=0, max_value=10)


@pytest.mark.parametrize(
    ("answers", "score"), [((10, 5, 5), "6.7"), ((0, 0, 1), "0.3"), ((0, 0, 0), "0.0"), ((10, 10, 10), "10.0")]
)
def test_peg_is_the_mean_of_its_three_answers_half_up(answers: tuple[int, int, int], score: str) -> None:
    given = dict(zip(("peg.1", "peg.2", "peg.3"), answers, strict=True))

    assert DERIVATIONS["peg"].of(given) == score


@given(ANSWER, ANSWER, ANSWER)
def test_peg_is_exact_for_all_answers(pain: int, enjoyment: int, activity: int) -> None:
    answers = {"peg.1": pain, "peg.2": enjoyment, "peg.3": activity}

    assert peg(answers) == Fraction(pain + enjoyment + activity, 3)
    assert abs(Fraction(str(DERIVATIONS["peg"].of(answers))) - peg(answers)) <= Fraction(1, 20)


@pytest.mark.parametrize(
    ("amount", "told"),
    [(Fraction(1, 20), "0.1"), (Fraction(-1, 20), "-0.1"), (Fraction(-1, 25), "0.0"), (Fraction(-121, 3), "-40.3")],
)
def test_an_amount_is_rounded_half_away_from_zero(amount: Fraction, told: str) -> None:
    assert one_decimal(amount) == told


@pytest.mark.parametrize(("baseline", "change"), [("8", "-16.7"), ("5.0", "33.3"), ("0", None)])
def test_the_change_is_told_in_percent_of_the_baseline(baseline: str, change: str | None) -> None:
    answers = {"peg.1": 10, "peg.2": 5, "peg.3": 5, "peg.baseline": baseline}

    assert DERIVATIONS["peg-change"].of(answers) == change


@pytest.mark.parametrize(("yes", "score", "category"), [(0, 0, "low"), (2, 2, "low"), (3, 3, "high"), (9, 9, "high")])
def test_ort_oud_counts_each_yes_once(yes: int, score: int, category: str) -> None:
    answers = {f"ortoud.{number}": number <= yes for number in range(1, 10)}

    assert DERIVATIONS["ort-oud-score"].of(answers) == score
    assert DERIVATIONS["ort-oud-category"].of(answers) == category


def test_nothing_follows_while_an_answer_is_missing() -> None:
    assert DERIVATIONS["peg"].of({"peg.1": 1, "peg.2": 2}) is None
