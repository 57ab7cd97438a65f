"""A policy's settings: the defaults, reading them, and refusing nonsense."""

from typing import Any

import pytest

from authz.errors import InvalidInput
from authz.rules.policy import ExemptionCategory, MmeTable, Mode, Policy

DEFAULT = {
    "mode": "cumulative",
    "limit_days": 7,
    "minor_age": 18,
    "minor_limit_days": None,
    "gap_days": 60,
    "gap_anchor": "supply_end",
    "window_days": None,
    "horizon_days": None,
    "overlap": "union",
    "basis": "projected",
    "count_pain_buprenorphine": False,
    "count_written": True,
    "written_expiry_days": 30,
    "exempt_categories": ["cancer", "sickle_cell", "hospice", "palliative", "ltc"],
    "established_days": None,
    "established_window": 120,
    "mme_table": "2022",
    "mme_overlap": "sum",
}


def test_the_default_policy_is_the_documented_one() -> None:
    assert Policy.default().to_mapping() == DEFAULT
    assert Policy.from_mapping({}) == Policy.default()


def test_a_mapping_holds_only_what_differs_and_comes_back_whole() -> None:
    policy = Policy.from_mapping(
        {"mode": "per_fill_naive", "exempt_categories": ["ltc"], "mme_table": "2016", "limit_days": 3}
    )

    assert (policy.mode, policy.mme_table, policy.limit_days, policy.gap_days) == (
        Mode.PER_FILL_NAIVE,
        MmeTable.CDC_2016,
        3,
        60,
    )
    assert policy.exempt_categories == (ExemptionCategory.LTC,)
    assert Policy.from_mapping(policy.to_mapping()) == policy


@pytest.mark.parametrize("name", ["minor_limit_days", "window_days", "horizon_days", "established_days"])
def test_a_setting_may_be_switched_off(name: str) -> None:
    assert getattr(Policy.from_mapping({name: None}), name) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mode", "sometimes"),
        ("mode", None),
        ("mode", ["cumulative"]),
        ("mme_table", 2022),
        ("limit_days", -1),
        ("limit_days", None),
        ("limit_days", "7"),
        ("limit_days", 7.0),
        ("limit_days", True),
        ("gap_days", 0),
        ("window_days", 0),
        ("horizon_days", 0),
        ("established_days", 0),
        ("established_window", 0),
        ("minor_age", -1),
        ("minor_limit_days", -1),
        ("written_expiry_days", -1),
        ("count_written", 1),
        ("count_pain_buprenorphine", None),
        ("exempt_categories", ["cancre"]),
        ("exempt_categories", "cancer"),
        ("exempt_categories", None),
        ("limit", 7),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        Policy.from_mapping({name: value})

    assert list(refused.value.fields) == [name]


def test_every_wrong_setting_is_named() -> None:
    with pytest.raises(InvalidInput) as refused:
        Policy.from_mapping({"limit_days": -1, "gap_days": 0, "mode": "x"})

    assert set(refused.value.fields) == {"limit_days", "gap_days", "mode"}


@pytest.mark.parametrize(
    "least", [{"limit_days": 0}, {"minor_age": 0}, {"minor_limit_days": 0}, {"gap_days": 1}, {"written_expiry_days": 0}]
)
def test_the_least_value_that_makes_sense_is_accepted(least: dict[str, int]) -> None:
    assert Policy.from_mapping(least).to_mapping() == DEFAULT | least


@pytest.mark.parametrize(
    ("settings", "lowest"),
    [({}, 7), ({"minor_limit_days": 5}, 5), ({"minor_limit_days": 9}, 7), ({"minor_limit_days": 0}, 0)],
)
def test_the_lowest_limit_is_that_of_minors_where_it_is_lower(settings: dict[str, int], lowest: int) -> None:
    assert Policy.from_mapping(settings).lowest_limit == lowest


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"mode": "x"}, "Use one of: cumulative, per_fill_naive."),
        ({"limit_days": -1}, "A whole number of at least 0 is needed."),
        ({"gap_days": 0}, "A whole number of at least 1 is needed."),
        ({"window_days": 0}, "A whole number of at least 1 or null is needed."),
        ({"count_written": 1}, "True or false is needed."),
        ({"exempt_categories": ["x"]}, "Use only: cancer, sickle_cell, hospice, palliative, ltc."),
        ({"limit": 7}, "There is no such setting."),
    ],
)
def test_a_refusal_says_what_the_setting_may_be(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Policy.from_mapping(settings)

    assert list(refused.value.fields.values()) == [[says]]


def test_every_unknown_setting_is_named_in_order() -> None:
    with pytest.raises(InvalidInput) as refused:
        Policy.from_mapping({"b": 1, "limit_days": -1, "a": 1})

    assert list(refused.value.fields) == ["a", "b"]


def test_a_mapping_holds_plain_json_values_only() -> None:
    assert {type(value) for value in Policy.default().to_mapping().values()} == {str, int, bool, list, type(None)}
    assert {type(category) for category in Policy.default().to_mapping()["exempt_categories"]} == {str}


def test_no_category_at_all_may_be_exempt() -> None:
    assert Policy.from_mapping({"exempt_categories": []}).exempt_categories == ()
