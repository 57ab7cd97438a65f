"""An opioid with a benzodiazepine on one day: whatever tells of it, it is found and never counted as an opioid."""

from dataclasses import replace
from typing import Any

import pytest

from authz.errors import InvalidInput
from authz.rules.evaluate import evaluate
from tests.rules.builders import OXYCODONE_5, case, day, fill, order
from tests.rules.threshold_builders import LORAZEPAM, benzodiazepine, found, when, with_benzodiazepine

ALPRAZOLAM_TABLET, XANAX, LORAZEPAM_TABLET = "308047", "141927", "197900"


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2024-12-01", "2025-01-01", [("01-01", "01-01")]),
        ("2025-01-05", "2025-03-01", [("01-05", "01-05")]),
        ("2025-01-06", "2025-03-01", []),
        ("2024-12-01", "2024-12-31", []),
        ("2025-01-02", "2025-01-03", [("01-02", "01-03")]),
    ],
)
def test_an_opioid_and_a_benzodiazepine_on_one_day(first: str, last: str, expected: Any) -> None:
    opioid = fill("a", "2025-01-01", 5)
    seen = found(with_benzodiazepine(), opioid, benzodiazepines=[benzodiazepine(first, last)])

    assert [when(finding) for finding in seen] == expected


def test_nothing_told_of_benzodiazepines_is_nothing_found() -> None:
    assert found(with_benzodiazepine(), fill("a", "2025-01-01", 5)) == []


def test_two_benzodiazepines_are_named_and_counted() -> None:
    told = [
        benzodiazepine("2025-01-01", "2025-01-03"),
        benzodiazepine("2025-01-02", "2025-01-02"),
        benzodiazepine("2025-01-03", "2025-01-04", LORAZEPAM),
    ]

    (finding,) = found(with_benzodiazepine(), fill("a", "2025-01-01", 5), benzodiazepines=told)

    assert (when(finding), finding.amount) == (("01-01", "01-04"), 2)
    assert finding.reasons == (
        "An opioid with a benzodiazepine (alprazolam, lorazepam) from 2025-01-01 to 2025-01-04.",
    )


def test_each_time_with_a_benzodiazepine_is_required_and_has_its_own_cause() -> None:
    told = [benzodiazepine("2025-01-01", "2025-01-02"), benzodiazepine("2025-01-05", "2025-01-06")]

    first, second = found(
        with_benzodiazepine("require_authorization"),
        fill("a", "2025-01-01", 4),
        fill("b", "2025-01-04", 5),
        benzodiazepines=told,
    )

    assert (when(first), first.cause, first.records) == (("01-01", "01-02"), "a", ("a",))
    assert (when(second), second.cause, second.records) == (("01-05", "01-06"), "b", ("b",))


def test_dispensed_benzodiazepines_are_found_and_never_count_as_opioids() -> None:
    generic = fill("b", "2025-01-03", 4, rxcui=ALPRAZOLAM_TABLET)
    brand = fill("c", "2025-01-04", 3, rxcui=XANAX)
    other = order("d", "2025-01-05", 1, rxcui=LORAZEPAM_TABLET)
    records = (fill("a", "2025-01-01", 9), generic, brand, other)
    verdict = evaluate(case(*records, as_of="2025-01-20"))

    (finding,) = found(with_benzodiazepine(), *records, as_of="2025-01-20")

    assert (when(finding), finding.amount, finding.records) == (("01-03", "01-06"), 2, ("a",))
    assert (verdict.counted, verdict.attention) == (("a",), ())
    assert [item.reason.value for item in verdict.ignored] == ["excluded_product"] * 3


@pytest.mark.parametrize(
    "facts",
    [
        {"status": "reversed"},
        {"days": None},
        {"days": 400},
        {"learned": "2025-01-09"},
        {"start": "2025-01-07"},
        {"rxcui": "9990001"},
    ],
)
def test_a_benzodiazepine_is_read_as_an_opioid_would_be(facts: dict[str, Any]) -> None:
    facts = {"start": "2025-01-01", "days": 5, "rxcui": ALPRAZOLAM_TABLET, **facts}
    benzo = fill("b", facts.pop("start"), facts.pop("days"), **facts)

    assert found(with_benzodiazepine(), fill("a", "2025-01-01", 9), benzo, as_of="2025-01-05") == []


def test_a_correction_to_another_product_takes_the_benzodiazepine_back() -> None:
    wrong = fill("b", "2025-01-01", 5, rxcui=ALPRAZOLAM_TABLET)
    right = replace(wrong, version=2, rxcui=OXYCODONE_5)

    assert found(with_benzodiazepine(), fill("a", "2025-01-01", 5), wrong, right) == []


def test_a_period_does_not_end_before_it_begins() -> None:
    with pytest.raises(InvalidInput) as refused:
        benzodiazepine("2025-01-02", "2025-01-01")

    assert refused.value.fields == {"last": ["It lies before the first day."]}


def test_a_period_may_be_one_day() -> None:
    assert benzodiazepine("2025-01-02", "2025-01-02").last == day("2025-01-02")


def test_the_cause_beside_a_benzodiazepine_is_the_opioid() -> None:
    told = [benzodiazepine("2025-01-03", "2025-01-09")]
    (finding,) = found(
        with_benzodiazepine("require_authorization"),
        fill("a", "2025-01-01", 5),
        fill("b", "2025-01-03", 5),
        benzodiazepines=told,
    )

    assert (finding.cause, finding.required_from) == ("a", day("2025-01-03"))
