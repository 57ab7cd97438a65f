"""What a day is worth in oral morphine, worked out by hand."""

from decimal import Decimal
from typing import Any

import pytest

from authz.rules.amounts import two_decimals
from authz.rules.verdict import verdict_to_json
from tests.rules.builders import (
    BUPRENORPHINE_PATCH_10,
    FENTANYL_PATCH_75,
    METHADONE_10,
    OXYCODONE_10,
    TRAMADOL_50,
    day,
    fill,
    verdict,
)

NO_FACTOR = "1487611"  # fentanyl topical solution
BENZHYDROCODONE = "2001358"


def series(*records: Any, **settings: Any) -> list[tuple[str, str, str, bool]]:
    runs = verdict(*records, **settings).mme.series
    return [
        (run.first.isoformat()[5:], run.last.isoformat()[5:], two_decimals(run.amount), run.is_complete) for run in runs
    ]


@pytest.mark.parametrize(
    ("rxcui", "quantity", "days", "in_2016", "in_2022"),
    [
        ("1049621", "40", 10, "30.00", "30.00"),  # oxycodone 5 mg, 4 a day
        ("835603", "80", 10, "40.00", "80.00"),  # tramadol 50 mg, 8 a day: 0.1, since 2022 0.2
        ("897696", "60", 10, "48.00", "60.00"),  # hydromorphone 2 mg, 6 a day: 4, since 2022 5
        ("864706", "30", 10, "240.00", "141.00"),  # methadone 10 mg, 3 a day: tier 8, since 2022 4.7
        ("197696", "10", 30, "180.00", "180.00"),  # fentanyl 75 mcg/h, one patch every three days
        ("197696", "15", 30, "270.00", "270.00"),  # the same worn for two days each: known to come out too high
        ("637540", "10", 5, "14.64", "14.64"),  # oxycodone 4.5 + 0.38 mg, two a day
        ("199789", "6", 3, "37.00", "37.00"),  # pentazocine 50 mg, fallback
        ("1115573", "8", 4, "32.00", "32.00"),  # fentanyl nasal spray 100 mcg × 0.16
        ("310293", "6", 3, "312.00", "312.00"),  # fentanyl lozenge 1.2 mg × 0.13
    ],
)
def test_a_dispensing_in_both_tables(rxcui: str, quantity: str, days: int, in_2016: str, in_2022: str) -> None:
    supply = fill("a", "2025-01-01", days, rxcui=rxcui, quantity=Decimal(quantity))

    assert two_decimals(verdict(supply, mme_table="2016").mme.peak) == in_2016
    assert two_decimals(verdict(supply, mme_table="2022").mme.peak) == in_2022


@pytest.mark.parametrize(
    ("mg_a_day", "mme"),
    [
        (10, "40.00"),
        (20, "80.00"),
        (20.5, "164.00"),
        (40, "320.00"),
        (41, "410.00"),
        (60, "600.00"),
        (60.5, "726.00"),
        (90, "1080.00"),
    ],
)
def test_methadone_tiers_have_no_gaps(mg_a_day: float, mme: str) -> None:
    supply = fill("a", "2025-01-01", 10, rxcui=METHADONE_10, quantity=Decimal(str(mg_a_day)))

    assert two_decimals(verdict(supply, mme_table="2016").mme.peak) == mme


def test_the_tier_is_chosen_for_all_methadone_of_the_day() -> None:
    twenty = fill("a", "2025-01-01", 10, rxcui=METHADONE_10, quantity=Decimal(20))
    thirty = fill("b", "2025-01-06", 10, rxcui=METHADONE_10, quantity=Decimal(30))
    oxycodone = fill("c", "2025-01-06", 1)

    assert series(twenty, thirty, oxycodone, mme_table="2016") == [
        ("01-01", "01-05", "80.00", True),
        ("01-06", "01-06", "530.00", True),
        ("01-07", "01-10", "500.00", True),
        ("01-11", "01-15", "240.00", True),
    ]


def test_overlapping_supplies_are_added_or_used_one_after_the_other() -> None:
    refill = [fill("a", "2025-01-01", 7), fill("b", "2025-01-06", 7)]

    assert series(*refill) == [
        ("01-01", "01-05", "30.00", True),
        ("01-06", "01-07", "60.00", True),
        ("01-08", "01-12", "30.00", True),
    ]
    assert series(*refill, mme_overlap="shift_same_product") == [("01-01", "01-14", "30.00", True)]


def test_only_the_same_product_is_shifted() -> None:
    other_strength = [fill("a", "2025-01-01", 7), fill("b", "2025-01-06", 7, rxcui=OXYCODONE_10)]

    assert series(*other_strength, mme_overlap="shift_same_product")[1] == ("01-06", "01-07", "90.00", True)


def test_the_series_ignores_overlap_and_basis_of_the_days() -> None:
    fills = [fill("a", "2025-01-01", 7), fill("b", "2025-01-06", 7)]

    assert series(*fills, overlap="shift", basis="elapsed", as_of="2025-01-08") == series(*fills)


@pytest.mark.parametrize(
    ("facts", "look"),
    [
        ({"quantity": None}, "no_quantity"),
        ({"quantity": Decimal(0)}, "no_quantity"),
        ({"quantity": Decimal(-4)}, "no_quantity"),
        ({"quantity": None, "daily_units": Decimal(4)}, "no_quantity"),
        ({"rxcui": NO_FACTOR}, "no_mme_factor"),
    ],
)
def test_an_unknown_share_leaves_the_day_incomplete_and_is_put_before_a_person(
    facts: dict[str, Any], look: str
) -> None:
    records = [fill("a", "2025-01-01", 3), fill("b", "2025-01-03", 2, **facts)]

    assert series(*records) == [
        ("01-01", "01-02", "30.00", True),
        ("01-03", "01-03", "30.00", False),
        ("01-04", "01-04", "0.00", False),
    ]
    assert verdict(*records).attention == (("b", look),)
    assert not verdict(*records).mme.is_complete


@pytest.mark.parametrize("table", ["2016", "2022"])
@pytest.mark.parametrize("quantity", [None, Decimal(4)])
def test_buprenorphine_for_pain_has_no_mme_by_rule(table: str, quantity: Decimal | None) -> None:
    patch = fill("a", "2025-01-01", 28, rxcui=BUPRENORPHINE_PATCH_10, quantity=quantity)
    settings: dict[str, Any] = {"count_pain_buprenorphine": True, "mme_table": table}

    assert series(patch, **settings) == [("01-01", "01-28", "0.00", True)]
    assert verdict_to_json(verdict(patch, **settings))["mme"]["parts"][0]["no_mme_by_rule"]
    assert verdict(patch, **settings).attention == ()
    assert verdict(patch, **settings).mme.peak_on == day("2025-01-01")


@pytest.mark.parametrize(("quantity", "is_flagged"), [("10", False), ("15", True), ("5", True), ("10.5", True)])
def test_patches_not_worn_for_three_days_each_are_put_before_a_person(quantity: str, is_flagged: bool) -> None:
    patches = fill("a", "2025-01-01", 30, rxcui=FENTANYL_PATCH_75, quantity=Decimal(quantity))

    assert verdict(patches).attention == ((("a", "patch_days_not_three_each"),) if is_flagged else ())


@pytest.mark.parametrize(("days", "is_flagged"), [(3, False), (5, True)])
def test_a_single_patch_is_worn_for_three_days(days: int, is_flagged: bool) -> None:
    patch = fill("a", "2025-01-01", days, rxcui=FENTANYL_PATCH_75, quantity=Decimal(1))

    assert verdict(patch).attention == ((("a", "patch_days_not_three_each"),) if is_flagged else ())


def test_of_patches_without_quantity_no_days_of_wear_are_asked() -> None:
    assert verdict(fill("a", "2025-01-01", 3, rxcui=FENTANYL_PATCH_75, quantity=Decimal(0))).attention == (
        ("a", "no_quantity"),
    )


def test_a_factor_that_stands_in_is_labelled() -> None:
    listed, fallback = fill("a", "2025-01-01"), fill("b", "2025-01-01", rxcui="199789")

    in_2022, in_2016 = (verdict(listed, fallback, mme_table=table).mme.parts for table in ("2022", "2016"))

    assert [(part.source, part.is_fallback) for part in in_2022] == [("cdc_2022", False), ("cdc_2018", True)]
    assert [(part.source, part.is_fallback) for part in in_2016] == [("cdc_2018", False), ("cdc_2018", False)]


def test_an_unconfirmed_factor_is_used_labelled_and_put_before_a_person() -> None:
    supply = fill("a", "2025-01-01", 5, rxcui=BENZHYDROCODONE, quantity=Decimal(20))

    assert verdict(supply).attention == (("a", "unconfirmed_factor"),)
    assert verdict(supply).mme.parts[0].is_fallback
    assert verdict(supply, mme_table="2016").attention == (("a", "no_mme_factor"),)


def test_thresholds_compare_exact_amounts_and_runs_merge_on_them() -> None:
    # 46.6629 tablets in 7 days are 49.996 MME a day, which prints as 50.00; 40 in 6 days are 50 exactly.
    just_under = fill("a", "2025-01-01", 7, quantity=Decimal("46.6629"))
    exactly = fill("b", "2025-01-08", 6, quantity=Decimal(40))

    mme = verdict(just_under, exactly).mme

    assert [two_decimals(run.amount) for run in mme.series] == ["50.00", "50.00"]
    assert (mme.days_ge_50, mme.peak, mme.peak_on) == (6, 50, day("2025-01-08"))


def test_equal_days_in_a_row_are_one_run_though_the_records_change() -> None:
    assert series(fill("a", "2025-01-01", 3), fill("b", "2025-01-04", 3)) == [("01-01", "01-06", "30.00", True)]
    assert len(series(fill("a", "2025-01-01", 3), fill("b", "2025-01-05", 3))) == 2


def test_days_at_each_threshold_are_counted_once_reached() -> None:
    mme = verdict(
        fill("a", "2025-01-01", 3, quantity=Decimal(36)),  # 90 a day
        fill("b", "2025-01-11", 2, quantity=Decimal(14)),  # 52.5 a day
        fill("c", "2025-01-21", 1, rxcui=TRAMADOL_50, quantity=Decimal(20)),  # 200 a day
    ).mme

    assert (mme.days_ge_50, mme.days_ge_90, mme.days_ge_200) == (6, 4, 1)


@pytest.mark.parametrize(("as_of", "amount"), [("2025-01-05", 30), ("2025-01-06", 0), ("2025-01-10", 0)])
def test_the_amount_of_today_is_zero_when_nothing_is_in_use(as_of: str, amount: int) -> None:
    assert verdict(fill("a", "2025-01-01", 5), as_of=as_of).mme.on_as_of == amount
