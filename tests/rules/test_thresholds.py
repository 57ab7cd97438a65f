"""High doses, two long-acting opioids at once, an opioid with a benzodiazepine: found, explained, maybe required."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from authz.errors import InvalidInput
from authz.rules.evaluate import evaluate
from authz.rules.records import AuthorizedPeriod, Exemption
from authz.rules.thresholds import FindingKind, Threshold, finding_to_json, findings, sentences_of
from tests.rules.builders import (
    BUPRENORPHINE_NALOXONE,
    BUPRENORPHINE_PATCH_10,
    FENTANYL_PATCH_75,
    METHADONE_10,
    OXYCODONE_5,
    case,
    day,
    fill,
    order,
)
from tests.rules.threshold_builders import benzodiazepine, dose, duplicate, found, oxycodone, when, with_benzodiazepine

MORPHINE_ER_15, MS_CONTIN_15 = "891881", "892574"
OXYCODONE_ER_10 = "1049502"
OXYCODONE_ER_20 = "1049563"


# -- doses


@pytest.mark.parametrize(
    ("tablets_a_day", "threshold", "is_found"),
    [
        (6, "50", False),  # 45 MME
        (7, "50", True),  # 52.5 MME
        (7, "52.5", True),  # exactly the threshold is at the threshold
        (7, "52.51", False),
        (12, "90", True),  # 90 MME
        (11, "90", False),  # 82.5 MME
        (27, "200", True),  # 202.5 MME
        (26, "200", False),  # 195 MME
    ],
)
def test_a_day_at_the_threshold_is_found(tablets_a_day: int, threshold: str, is_found: bool) -> None:
    supply = oxycodone("a", "2025-01-01", 5, tablets_a_day)

    assert [when(finding) for finding in found(dose(threshold), supply)] == [("01-01", "01-05")] * is_found


def test_a_dose_is_told_with_its_days_its_table_and_its_threshold() -> None:
    (finding,) = found(dose("50.5"), oxycodone("a", "2025-01-01", 5, 8))

    assert finding.reasons == (
        "Up to 60.00 MME a day from 2025-01-01 to 2025-01-05 (factor table 2022); the threshold is 50.5.",
    )


def test_what_adds_nothing_to_the_dose_is_not_behind_it() -> None:
    patch = fill("b", "2025-01-01", 7, rxcui=BUPRENORPHINE_PATCH_10)

    (finding,) = found(dose(50), oxycodone("a", "2025-01-01", 5, 8), patch, count_pain_buprenorphine=True)

    assert finding.records == ("a",)


def test_a_third_is_not_rounded_up_to_the_threshold() -> None:
    two_thirds_over_six = fill("a", "2025-01-01", 3, quantity=Decimal(8))  # 20 MME a day
    twenty_over_three = fill("b", "2025-01-01", 9, quantity=Decimal(8))  # 20/3 MME a day, printed as 6.67

    assert found(dose("6.67"), twenty_over_three) == []
    assert found(dose("20"), two_thirds_over_six)[0].amount == 20


def test_days_in_a_row_are_one_finding_with_the_most_of_them_as_its_amount() -> None:
    over = oxycodone("z", "2024-12-29", 3, 4)  # 30, used up the day before
    low = oxycodone("a", "2025-01-01", 10, 8)  # 60
    more = oxycodone("b", "2025-01-04", 3, 6)  # and 45 more on three days
    later = oxycodone("c", "2025-02-01", 2, 7)  # 52.5

    first, second = found(dose(50), over, low, more, later)

    assert (when(first), first.amount, first.records) == (("01-01", "01-10"), Fraction(105), ("a", "b"))
    assert (when(second), second.amount, second.records) == (("02-01", "02-02"), Fraction("52.5"), ("c",))


def test_a_table_alone_can_cross_a_threshold() -> None:
    tramadol = fill("a", "2025-01-01", 5, rxcui="835603", quantity=Decimal(40))  # 400 mg a day

    assert found(dose(50), tramadol, mme_table="2016") == []
    assert found(dose(50), tramadol, mme_table="2022")[0].amount == 80


def test_a_dose_that_is_not_fully_known_says_that_it_may_be_higher() -> None:
    known = oxycodone("a", "2025-01-01", 5, 8)
    unknown = fill("b", "2025-01-03", 5, quantity=None)

    (finding,) = found(dose(50), known, unknown)

    assert finding.reasons == (
        "Up to 60.00 MME a day from 2025-01-01 to 2025-01-05 (factor table 2022); the threshold is 50.",
        "On some of these days a record's share is not known, so the dose may be higher.",
    )
    assert finding.records == ("a",)


def test_what_does_not_count_is_not_found() -> None:
    reversed_fill = oxycodone("a", "2025-01-01", 5, 30, status="reversed")
    for_use_disorder = fill("b", "2025-01-01", 5, rxcui=BUPRENORPHINE_NALOXONE)
    future = oxycodone("c", "2026-06-01", 5, 30)

    assert found(dose(1), reversed_fill, for_use_disorder, future) == []


def test_a_supply_that_begins_the_day_after_is_no_part_of_the_finding() -> None:
    (finding,) = found(dose(50), oxycodone("a", "2025-01-01", 5, 8), oxycodone("b", "2025-01-06", 5, 4))

    assert (when(finding), finding.records) == (("01-01", "01-05"), ("a",))


# -- two long-acting opioids


@pytest.mark.parametrize(
    ("second", "start", "expected"),
    [
        (OXYCODONE_ER_10, "2025-01-08", [("01-08", "01-10")]),
        (OXYCODONE_ER_10, "2025-01-11", []),  # the day after the first ends
        (MORPHINE_ER_15, "2025-01-08", []),  # an early refill of the same product
        (MS_CONTIN_15, "2025-01-08", []),  # its brand
        (OXYCODONE_5, "2025-01-08", []),  # short-acting
        (FENTANYL_PATCH_75, "2025-01-10", [("01-10", "01-10")]),
        (METHADONE_10, "2025-01-01", [("01-01", "01-10")]),
    ],
)
def test_two_different_long_acting_products_on_one_day(second: str, start: str, expected: Any) -> None:
    morphine = fill("a", "2025-01-01", 10, rxcui=MORPHINE_ER_15)
    other = fill("b", start, 10, rxcui=second)

    assert [when(finding) for finding in found(duplicate(), morphine, other)] == expected


def test_the_words_name_the_products_and_say_when_they_are_one_drug() -> None:
    ten = fill("a", "2025-01-01", 10, rxcui=OXYCODONE_ER_10)
    twenty = fill("b", "2025-01-01", 10, rxcui=OXYCODONE_ER_20)
    morphine = fill("c", "2025-01-01", 1, rxcui=MORPHINE_ER_15)

    (one_drug,) = found(duplicate(), ten, twenty)
    (two_drugs,) = found(duplicate(), ten, morphine)

    assert one_drug.reasons[0] == (
        "2 long-acting opioids at once from 2025-01-01 to 2025-01-10: "
        "12 HR oxycodone hydrochloride 10 MG Extended Release Oral Tablet; "
        "12 HR oxycodone hydrochloride 20 MG Extended Release Oral Tablet."
    )
    assert one_drug.reasons[1:] == ("All of them are oxycodone: strengths that may make up one dose.",)
    assert two_drugs.reasons[0].startswith("2 long-acting opioids at once on 2025-01-01: ")
    assert len(two_drugs.reasons) == 1


def test_the_amount_is_how_many_long_acting_products_there_are_at_once() -> None:
    supplies = [
        fill(str(n), f"2025-01-0{n + 1}", 5, rxcui=rxcui)
        for n, rxcui in enumerate([MORPHINE_ER_15, OXYCODONE_ER_10, METHADONE_10])
    ]

    (finding,) = found(duplicate(), *supplies)

    assert (when(finding), finding.amount, finding.records) == (("01-02", "01-06"), 3, ("0", "1", "2"))


# -- what follows


def test_a_policy_that_informs_requires_nothing() -> None:
    (finding,) = found(dose(50), oxycodone("a", "2025-01-01", 5, 8))

    assert (finding.required_from, finding.cause) == (None, None)


def test_a_policy_that_requires_names_the_day_and_the_record_that_brought_it() -> None:
    over = oxycodone("0", "2024-12-25", 10, 3)  # 22.5, used up the day before
    first = oxycodone("a", "2025-01-04", 10, 4)  # 30
    second = oxycodone("b", "2025-01-04", 3, 6)  # 75 together
    third = oxycodone("c", "2025-01-04", 3, 2)  # reached already

    (finding,) = found(dose(50, "require_authorization"), over, first, second, third)

    assert (finding.required_from, finding.cause) == (day("2025-01-04"), "b")
    assert finding.reasons[-1] == "The policy requires prior authorization for this, from 2025-01-04 on."


def test_the_cause_of_a_duplicate_is_the_second_product() -> None:
    morphine = fill("z", "2025-01-01", 10, rxcui=MORPHINE_ER_15)
    refill = fill("b", "2025-01-03", 10, rxcui=MORPHINE_ER_15)
    oxycodone_er = fill("c", "2025-01-05", 10, rxcui=OXYCODONE_ER_10)

    (finding,) = found(duplicate("require_authorization"), morphine, refill, oxycodone_er)

    assert (finding.cause, finding.required_from) == ("c", day("2025-01-05"))


@pytest.mark.parametrize(
    ("released", "required_from"),
    [
        ({"exemptions": [Exemption(category="cancer")]}, None),
        ({"exemptions": [Exemption(category="surgery")]}, "2025-01-01"),
        ({"authorizations": [AuthorizedPeriod(start=day("2025-01-01"), end=day("2025-01-05"))]}, None),
        ({"authorizations": [AuthorizedPeriod(start=day("2025-01-01"), end=day("2025-01-03"))]}, "2025-01-04"),
        ({"authorizations": [AuthorizedPeriod(start=day("2025-01-02"), end=day("2025-01-05"))]}, "2025-01-01"),
    ],
)
def test_exemptions_and_authorizations_lift_the_requirement_but_not_the_finding(
    released: dict[str, Any], required_from: str | None
) -> None:
    (finding,) = found(dose(50, "require_authorization"), oxycodone("a", "2025-01-01", 5, 8), **released)

    assert when(finding) == ("01-01", "01-05")
    assert finding.required_from == (day(required_from) if required_from else None)
    if required_from is None:
        assert finding.reasons[-1] == (
            "The policy requires prior authorization for this; the patient is released on every one of these days."
        )


def test_established_use_lifts_the_requirement_only_where_the_threshold_says_so() -> None:
    long_use = oxycodone("a", "2025-01-01", 90, 4)
    high = oxycodone("b", "2025-04-01", 5, 8)

    (spared,) = found(dose(60, "require_authorization", spares_established=True), long_use, high, established_days=90)
    (not_spared,) = found(dose(60, "require_authorization"), long_use, high, established_days=90)

    assert (when(spared), spared.required_from) == (("04-01", "04-05"), None)
    assert (when(not_spared), not_spared.required_from) == (("04-01", "04-05"), day("2025-04-01"))


def test_nobody_is_established_before_the_policys_days_are_full() -> None:
    long_use = oxycodone("a", "2025-01-01", 90, 4)
    high = oxycodone("b", "2025-03-30", 5, 8)  # after 88 days of use

    (finding,) = found(dose(60, "require_authorization", spares_established=True), long_use, high, established_days=90)

    assert (finding.required_from, finding.cause) == (day("2025-03-30"), "b")


def test_supply_in_hand_counts_whatever_the_basis() -> None:
    supply = oxycodone("a", "2025-01-01", 10, 8)

    (finding,) = found(dose(50), supply, as_of="2025-01-02", basis="elapsed")

    assert when(finding) == ("01-01", "01-10")


def test_a_written_order_is_seen_like_a_supply() -> None:
    (finding,) = found(
        duplicate(),
        order("a", "2025-01-01", 5, rxcui=METHADONE_10),
        fill("b", "2025-01-01", 5, rxcui=MORPHINE_ER_15),
        as_of="2025-01-01",
    )

    assert finding.records == ("a", "b")


def test_findings_come_in_the_order_of_the_thresholds_and_read_as_sentences_and_as_json() -> None:
    given_case = case(oxycodone("a", "2025-01-01", 5, 12))
    seen = findings(given_case, evaluate(given_case), [dose(90, "require_authorization"), dose(50)])

    assert [finding.at_least for finding in seen] == [90, 50]
    assert [finding.name for finding in seen] == ["mme_per_day_90", "mme_per_day_50"]
    assert sentences_of(seen) == [*seen[0].reasons, *seen[1].reasons]
    assert finding_to_json(seen[0]) == {
        "kind": "mme_per_day",
        "action": "require_authorization",
        "at_least": "90",
        "first_day": "2025-01-01",
        "last_day": "2025-01-05",
        "amount": "90.00",
        "records": ["a"],
        "required_from": "2025-01-01",
        "cause": "a",
        "reasons": list(seen[0].reasons),
    }


def test_a_finding_without_a_dose_or_a_requirement_says_so_in_json() -> None:
    plain = finding_to_json(
        found(
            with_benzodiazepine(),
            fill("a", "2025-01-01", 5),
            benzodiazepines=[benzodiazepine("2025-01-01", "2025-01-01")],
        )[0]
    )

    assert (plain["at_least"], plain["required_from"], plain["cause"]) == (None, None, None)
    assert (plain["kind"], plain["action"], plain["amount"]) == ("opioid_with_benzodiazepine", "inform", "1.00")


def test_without_thresholds_nothing_is_looked_for() -> None:
    given_case = case(oxycodone("a", "2025-01-01", 5, 30))

    assert findings(given_case, evaluate(given_case), []) == ()


# -- thresholds refuse nonsense

A_DOSE = "An exact number of MME a day above 0 is needed."


@pytest.mark.parametrize(
    ("fields", "wrong", "says"),
    [
        (
            {"kind": "mme_per_day", "at_least": Decimal(50)},
            "kind",
            "Use one of: mme_per_day, duplicate_long_acting, opioid_with_benzodiazepine.",
        ),
        ({"kind": FindingKind.MME_PER_DAY}, "at_least", A_DOSE),
        ({"kind": FindingKind.MME_PER_DAY, "at_least": Decimal(0)}, "at_least", A_DOSE),
        ({"kind": FindingKind.MME_PER_DAY, "at_least": Decimal("NaN")}, "at_least", A_DOSE),
        ({"kind": FindingKind.MME_PER_DAY, "at_least": Decimal(1_000_000)}, "at_least", A_DOSE),
        ({"kind": FindingKind.MME_PER_DAY, "at_least": 50}, "at_least", A_DOSE),
        ({"kind": FindingKind.DUPLICATE_LONG_ACTING, "at_least": Decimal(2)}, "at_least", "Only a dose has one."),
        (
            {"kind": FindingKind.DUPLICATE_LONG_ACTING, "action": "inform"},
            "action",
            "Use one of: inform, require_authorization.",
        ),
        (
            {"kind": FindingKind.DUPLICATE_LONG_ACTING, "spares_established": 1},
            "spares_established",
            "True or false is needed.",
        ),
    ],
)
def test_a_threshold_refuses_nonsense_and_names_the_field(fields: dict[str, Any], wrong: str, says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Threshold(**fields)

    assert refused.value.fields == {wrong: [says]}


def test_a_threshold_is_named_by_its_kind_and_dose() -> None:
    assert [dose("90").name, dose("50.0").name, dose("100").name] == [
        "mme_per_day_90",
        "mme_per_day_50",
        "mme_per_day_100",
    ]
    assert duplicate().name == "duplicate_long_acting"
