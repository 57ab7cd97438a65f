"""When software may approve: every criterion met, from facts a person stands behind, and not from old ones."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.errors import InvalidInput
from authz.policies.automation import Automation, Criterion, Fact

NOW = datetime(2025, 3, 3, 15, 0, tzinfo=UTC)
CRITERIA = (Criterion("pdmp.checked", True), Criterion("pain.type", "post-surgical"))
RULE = Automation(criteria=CRITERIA, most_days=14, fresh_days=7, second_reading_percent=10)
MET = {"pdmp.checked": Fact(True, "staff", NOW), "pain.type": Fact("post-surgical", "staff", NOW)}


def is_met(facts: dict[str, Fact], days: int = 10) -> bool:
    return all(row["is_met"] for row in RULE.trace(facts, days=days, now=NOW))


def test_everything_met_and_fresh_may_be_approved() -> None:
    assert is_met(MET)


@pytest.mark.parametrize(
    "changed",
    [
        {"pdmp.checked": Fact(False, "staff", NOW)},
        {"pdmp.checked": Fact(1, "staff", NOW)},
        {"pdmp.checked": Fact(True, "computed", None)},
        {"pdmp.checked": Fact(True, "staff", NOW - timedelta(days=7, seconds=1))},
        {"pain.type": Fact("chronic", "staff", NOW)},
    ],
)
def test_anything_else_is_left_to_people(changed: dict[str, Fact]) -> None:
    assert not is_met({**MET, **changed})


def test_a_question_without_an_answer_and_a_line_too_long_are_left_to_people() -> None:
    assert not is_met({"pdmp.checked": MET["pdmp.checked"]})
    assert not is_met(MET, days=15)


def test_without_a_criterion_there_is_no_automation() -> None:
    with pytest.raises(InvalidInput) as refusal:
        Automation(criteria=(), most_days=0, fresh_days=7, second_reading_percent=101)

    assert set(refusal.value.fields) == {"criteria", "most_days", "second_reading_percent"}


@given(st.integers(0, 2**128 - 1), st.integers(0, 100))
def test_a_larger_share_holds_the_smaller_one(key: int, percent: int) -> None:
    smaller = Automation(criteria=CRITERIA, most_days=1, fresh_days=1, second_reading_percent=percent)
    all_of_them = Automation(criteria=CRITERIA, most_days=1, fresh_days=1, second_reading_percent=100)

    assert all_of_them.is_sampled(UUID(int=key))
    assert smaller.is_sampled(UUID(int=key)) <= Automation(
        criteria=CRITERIA, most_days=1, fresh_days=1, second_reading_percent=min(percent + 10, 100)
    ).is_sampled(UUID(int=key))
