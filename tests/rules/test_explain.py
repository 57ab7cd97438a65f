"""The verdict in words, as a person reads them."""

from decimal import Decimal
from typing import Any

import pytest

from authz.rules.evaluate import evaluate
from authz.rules.explain import sentences
from authz.rules.records import AuthorizedPeriod, Exemption
from tests.rules.builders import BUPRENORPHINE_PATCH_10, case, day, fill, later_version, order

PEAK = "The most a day is 30.00 MME, first on 2025-01-01 (factor table 2022, overlapping supplies added up)."


def told(*records: Any, **settings: Any) -> list[str]:
    asked = case(*records, **settings)
    return sentences(evaluate(asked), asked.policy)


def test_a_need_is_told_with_its_count_its_limit_its_day_and_its_cause() -> None:
    assert told(fill("a", "2025-01-01", 4), fill("b", "2025-01-05", 4)) == [
        "8 covered days since 2025-01-01; the limit is 7; day 8 is 2025-01-08; the second fill is the cause.",
        "Prior authorization is needed from 2025-01-08 on, for 1 day.",
        "This could first be known on 2025-01-05.",
        PEAK,
    ]


def test_use_within_the_limit_is_told_with_its_last_day() -> None:
    assert told(fill("a", "2025-01-01", 1)) == [
        "1 covered day since 2025-01-01, the last is 2025-01-01; the limit is 7 and is not passed.",
        PEAK,
    ]


def test_nothing_counted_is_told_with_the_reasons() -> None:
    assert told(fill("a", "2025-01-01", rxcui="9999999"), fill("b", "2025-01-01", status="reversed")) == [
        "No opioid use is counted.",
        "Record a is not counted: its product code is not known.",
        "Record b is not counted: it was reversed.",
        "Record a needs a look: find out which product its code means.",
    ]


def test_what_released_days_is_told_and_what_remains() -> None:
    released = {
        "exemptions": [Exemption(category="cancer", end=day("2025-01-08"))],
        "authorizations": [AuthorizedPeriod(start=day("2025-01-09"), end=day("2025-01-12"))],
        "established_days": 14,
        "established_window": 20,
    }

    assert told(fill("a", "2025-01-01", 15), **released)[1:6] == [
        "The exemption cancer applies on 2025-01-08.",
        "An authorization covers use on 4 days from 2025-01-09 to 2025-01-12.",
        "The patient is established (at least 14 of the 20 days before) on 2025-01-15.",
        "Prior authorization is needed from 2025-01-13 on, for 2 days.",
        "This could first be known on 2025-01-01.",
    ]


def test_use_released_whole_is_told_to_need_nothing() -> None:
    assert told(fill("a", "2025-01-01", 8), authorizations=[AuthorizedPeriod()])[:3] == [
        "8 covered days since 2025-01-01; the limit is 7; day 8 is 2025-01-08.",
        "An authorization covers use on 2025-01-08.",
        "No authorization is needed: every day beyond the limit is released.",
    ]


def test_a_need_that_is_gone_is_told() -> None:
    dispensed = fill("a", "2025-01-01", 30)
    corrected = later_version(dispensed, learned="2025-01-03", days_supply=3)

    assert told(dispensed, corrected)[1] == "A need for authorization was known on 2025-01-01; it is no longer there."


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"window_days": 10}, "9 covered days since 2025-01-01; the limit is 7 in any 10 days; day 8 is 2025-01-08"),
        (
            {"horizon_days": 8},
            "9 covered days since 2025-01-01; the limit is 7 within the first 8 days; day 8 is 2025-01-08",
        ),
        (
            {"overlap": "sum"},
            "9 covered days since 2025-01-01; the limit is 7; 9 days' supply had been dispensed by 2025-01-01",
        ),
        (
            {"mode": "per_fill_naive"},
            "A fill of 9 days with no known opioid in use in the 60 days before; the limit is 7; "
            "its day 8 is 2025-01-08",
        ),
        (
            {"mode": "per_fill_naive", "gap_anchor": "fill_date", "gap_days": 1},
            "A fill of 9 days with no known opioid dispensed in the 1 day before; the limit is 7; "
            "its day 8 is 2025-01-08",
        ),
    ],
)
def test_each_way_of_counting_has_its_words(settings: dict[str, Any], sentence: str) -> None:
    assert told(fill("a", "2025-01-01", 9), **settings)[0] == f"{sentence}; the first fill is the cause."


@pytest.mark.parametrize(
    ("known_from", "doubt"), [(None, ""), ("2025-01-01", "; the time before it is not fully known")]
)
def test_a_short_fill_per_fill_is_told(known_from: str | None, doubt: str) -> None:
    first = told(fill("a", "2025-01-01", 5), mode="per_fill_naive", known_from=known_from)[0]

    assert first == f"No fill since 2025-01-01 gives an opioid-naive patient more than 7 days{doubt}."


def test_a_long_fill_to_a_patient_in_treatment_is_told_to_need_nothing() -> None:
    lines = told(fill("a", "2025-01-01", 5), fill("b", "2025-01-06", 20), mode="per_fill_naive")

    assert lines[0] == "No fill since 2025-01-01 gives an opioid-naive patient more than 7 days."


def test_an_order_is_called_an_order_and_later_places_are_numbered() -> None:
    many = [fill(f"f{number:02d}", f"2025-01-{number:02d}", 1) for number in range(1, 13)]

    assert told(order("a", "2025-01-01", 9), as_of="2025-01-02")[0].endswith("; the first written order is the cause.")
    assert told(*many, limit_days=9)[0].endswith("; the tenth fill is the cause.")
    assert told(*many, limit_days=10)[0].endswith("; the 11th fill is the cause.")


def test_doubts_about_the_strength_are_told() -> None:
    records = [
        fill("a", "2025-01-01", 5, quantity=None),
        fill("b", "2025-01-01", 5, rxcui="199789", quantity=Decimal(5)),
        fill("c", "2025-01-01", 5, rxcui=BUPRENORPHINE_PATCH_10),
    ]

    lines = told(*records, count_pain_buprenorphine=True, mme_overlap="shift_same_product")

    assert lines[1:] == [
        "Record a needs a look: its quantity is missing, so its MME is not known.",
        "The most a day is 18.50 MME, first on 2025-01-01 (factor table 2022, overlapping supplies of one product used "
        "one after the other); on some days this is the least, as a record's share is not known.",
        "The table has no factor for record b; the one of cdc_2018 stands in.",
        "Record c has no MME by rule: buprenorphine is not converted.",
    ]


def test_history_that_begins_too_late_is_told() -> None:
    lines = told(fill("a", "2025-01-01", 5), known_from="2024-12-01")

    assert (
        "Record a needs a look: the time before it is not fully known; the patient is taken for opioid-naive." in lines
    )
