"""Which records count, and the reason given for each that does not."""

from decimal import Decimal
from typing import Any

import pytest

from authz.rules.records import RecordStatus
from authz.rules.selection import days_supplied
from tests.rules.builders import (
    BUPRENORPHINE_NALOXONE,
    BUPRENORPHINE_PATCH_10,
    OXYCODONE_10,
    fill,
    later_version,
    order,
    verdict,
)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"status": "reversed"}, "reversed"),
        ({"status": "cancelled"}, "cancelled"),
        ({"status": "entered_in_error"}, "entered_in_error"),
        ({"start": "2025-01-11", "learned": "2025-01-01"}, "future_dated"),
        ({"rxcui": "9999999"}, "unknown_product"),
        ({"rxcui": ""}, "unknown_product"),
        ({"rxcui": BUPRENORPHINE_NALOXONE}, "excluded_product"),
        ({"rxcui": BUPRENORPHINE_PATCH_10}, "excluded_product"),
        ({"days": None}, "no_days_supply"),
        ({"days": 0}, "no_days_supply"),
        ({"days": -3}, "no_days_supply"),
        ({"days": 367}, "implausible_days_supply"),
        # the first reason in the order of the rule is given
        ({"status": "cancelled", "start": "2025-02-01", "learned": "2025-01-01"}, "cancelled"),
        ({"start": "2025-02-01", "learned": "2025-01-01", "rxcui": "9999999"}, "future_dated"),
        ({"rxcui": "9999999", "days": 0}, "unknown_product"),
        ({"rxcui": BUPRENORPHINE_NALOXONE, "days": 400}, "excluded_product"),
    ],
)
def test_a_record_is_not_counted_for_the_first_reason_that_applies(facts: dict[str, Any], reason: str) -> None:
    facts = {"start": "2025-01-01", **facts}

    answer = verdict(fill("a", facts.pop("start"), facts.pop("days", 5), **facts), as_of="2025-01-10")

    assert answer.ignored == (("a", reason),)
    assert answer.counted == ()


@pytest.mark.parametrize("reason", ["unknown_product", "no_days_supply", "implausible_days_supply"])
def test_what_cannot_be_judged_is_put_before_a_person(reason: str) -> None:
    facts: dict[str, dict[str, Any]] = {
        "unknown_product": {"rxcui": "9999999"},
        "no_days_supply": {"days": 0},
        "implausible_days_supply": {"days": 367},
    }

    assert verdict(fill("a", "2025-01-01", **facts[reason])).attention == (("a", reason),)


def test_a_supply_of_366_days_is_still_plausible() -> None:
    assert verdict(fill("a", "2024-01-01", 366)).counted == ("a",)


def test_pain_buprenorphine_counts_where_the_policy_says_so_and_treatment_never() -> None:
    records = [
        fill("a", "2025-01-01", rxcui=BUPRENORPHINE_PATCH_10),
        fill("b", "2025-01-01", rxcui=BUPRENORPHINE_NALOXONE),
    ]

    answer = verdict(*records, count_pain_buprenorphine=True)

    assert (answer.counted, answer.ignored) == (("a",), (("b", "excluded_product"),))


@pytest.mark.parametrize(
    ("days", "quantity", "daily", "expected"),
    [
        (5, "100", "1", 5),
        (0, "100", "1", 0),
        (None, "20", "4", 5),
        (None, "21", "4", 6),
        (None, "0.3", "0.1", 3),
        (None, "0", "4", None),
        (None, "-4", "4", None),
        (None, "20", "0", None),
        (None, None, "4", None),
        (None, "20", None, None),
    ],
)
def test_days_supply_is_derived_only_where_none_is_stated(
    days: int | None, quantity: str | None, daily: str | None, expected: int | None
) -> None:
    amounts = {name: Decimal(text) if text else None for name, text in (("quantity", quantity), ("daily_units", daily))}

    assert days_supplied(fill("a", "2025-01-01", days, **amounts)) == expected


def test_the_version_learned_last_counts_and_of_one_day_the_highest() -> None:
    first = fill("a", "2025-01-01", 3)
    second = later_version(first, learned="2025-01-01", days_supply=4)
    corrected_back = later_version(first, learned="2025-01-02", days_supply=9)

    assert verdict(corrected_back, second, first, as_of="2025-01-01").episodes[0].covered_days == 4
    assert verdict(corrected_back, second, first, as_of="2025-01-02").episodes[0].covered_days == 9


def test_a_reversed_fill_may_become_active_again() -> None:
    dispensed = fill("a", "2025-01-01", 8)
    reversed_ = later_version(dispensed, learned="2025-01-02", status=RecordStatus.REVERSED)
    again = later_version(reversed_, learned="2025-01-03", status=RecordStatus.ACTIVE)

    assert not verdict(dispensed, reversed_, again, as_of="2025-01-02").pa_required
    assert verdict(dispensed, reversed_, again, as_of="2025-01-03").pa_required


@pytest.mark.parametrize(
    ("difference", "are_one"),
    [
        ({}, True),
        ({"quantity": Decimal(99)}, True),
        ({"fill_number": 1}, False),
        ({"rxcui": OXYCODONE_10}, False),
        ({"rx_id": "other"}, False),
        ({"start": "2025-01-02"}, False),
    ],
)
def test_one_dispensing_in_two_feeds_counts_once(difference: dict[str, Any], are_one: bool) -> None:
    facts = {"start": "2025-01-01", "rx_id": "p", **difference}

    answer = verdict(fill("b", facts.pop("start"), **facts), fill("a", "2025-01-01", rx_id="p"))

    assert answer.counted == (("a",) if are_one else ("a", "b"))
    assert answer.ignored == ((("b", "duplicate"),) if are_one else ())


def test_fills_without_a_number_match_each_other_and_without_an_order_never() -> None:
    unnumbered = [fill(name, "2025-01-01", rx_id="p", fill_number=None) for name in "ab"]
    unordered = [fill(name, "2025-01-01", rx_id=None) for name in "ab"]

    assert verdict(*unnumbered).counted == ("a",)
    assert verdict(*unordered).counted == ("a", "b")


def test_a_reversed_fill_does_not_hide_its_twin() -> None:
    answer = verdict(fill("a", "2025-01-01", rx_id="p", status="reversed"), fill("b", "2025-01-01", rx_id="p"))

    assert (answer.counted, answer.ignored) == (("b",), (("a", "reversed"),))


def test_an_order_gives_way_to_its_fills() -> None:
    answer = verdict(order("a", "2025-01-01", 30, rx_id="p"), fill("b", "2025-01-02", 5, rx_id="p"), as_of="2025-01-03")

    assert (answer.counted, answer.ignored) == (("b",), (("a", "rx_filled"),))


def test_an_order_counts_again_when_its_fill_is_reversed() -> None:
    answer = verdict(
        order("a", "2025-01-01", 30, rx_id="p"),
        fill("b", "2025-01-02", 5, rx_id="p", status="reversed"),
        as_of="2025-01-03",
    )

    assert answer.counted == ("a",)


def test_orders_without_a_number_are_not_filled_by_fills_without_one() -> None:
    answer = verdict(order("a", "2025-01-01", rx_id=None), fill("b", "2025-01-01", rx_id=None), as_of="2025-01-03")

    assert answer.counted == ("a", "b")


def test_two_orders_of_one_number_both_count() -> None:
    assert verdict(
        order("a", "2025-01-01", rx_id="p"), order("b", "2025-01-01", rx_id="p"), as_of="2025-01-03"
    ).counted == ("a", "b")


@pytest.mark.parametrize(("as_of", "counted"), [("2025-01-31", ("a",)), ("2025-02-01", ())])
def test_an_order_not_dispensed_for_thirty_days_stops_counting(as_of: str, counted: tuple[str, ...]) -> None:
    answer = verdict(order("a", "2025-01-01"), as_of=as_of)

    assert answer.counted == counted
    assert answer.ignored == (() if counted else (("a", "rx_unfilled_expired"),))


def test_a_policy_may_leave_orders_out() -> None:
    answer = verdict(order("a", "2025-01-01"), as_of="2025-01-03", count_written=False)

    assert answer.ignored == (("a", "written_not_counted"),)
