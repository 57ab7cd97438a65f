"""What the rule reads refuses nonsense by itself, whoever makes it."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from authz.errors import InvalidInput
from authz.rules.records import AuthorizedPeriod, Case, Exemption
from tests.rules.builders import fill

NOON = datetime(2025, 1, 1, 12)


def exemption(**facts: Any) -> Exemption:
    return Exemption(category="cancer", **facts)


def a_case(**facts: Any) -> Case:
    return Case(**{"id": "c1", "as_of": date(2025, 1, 31), **facts})


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (exemption, "start"),
        (exemption, "end"),
        (AuthorizedPeriod, "start"),
        (AuthorizedPeriod, "end"),
        (a_case, "history_start"),
        (a_case, "birth_date"),
    ],
)
@pytest.mark.parametrize("value", [NOON, "2025-01-01", 0])
def test_a_moment_a_text_and_a_number_are_no_day(make: Callable[..., Any], name: str, value: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        make(**{name: value})

    assert refused.value.fields == {name: ["A calendar date or null is needed."]}


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"as_of": NOON}, {"as_of": ["A calendar date no later than the year 9000 is needed."]}),
        ({"as_of": date(9001, 1, 1)}, {"as_of": ["A calendar date no later than the year 9000 is needed."]}),
        ({"id": 5}, {"id": ["A text is needed."]}),
    ],
)
def test_a_case_needs_a_text_and_a_day_of_its_own(facts: dict[str, Any], says: dict[str, list[str]]) -> None:
    with pytest.raises(InvalidInput) as refused:
        a_case(**facts)

    assert refused.value.fields == says


def test_every_day_that_is_none_is_named() -> None:
    with pytest.raises(InvalidInput) as refused:
        a_case(history_start=NOON, birth_date=NOON)

    assert list(refused.value.fields) == ["history_start", "birth_date"]


def test_a_record_names_everything_that_is_wrong_with_it() -> None:
    with pytest.raises(InvalidInput) as refused:
        fill("", "2025-01-01", recorded_on=NOON, fill_number="0", quantity=4.0)

    assert refused.value.fields == {
        "id": ["A text is needed."],
        "recorded_on": ["A calendar date is needed."],
        "fill_number": ["A whole number or null is needed."],
        "quantity": ["An exact number or null is needed."],
    }
