"""What a policy says, setting by setting, in words and with its source."""

from dataclasses import fields, replace
from typing import Any

import pytest

from authz.policies import catalog
from authz.policies.clause import Standing, clause_sentences, clause_to_json, settings_of
from authz.policies.schema import read_policy
from authz.rules.policy import Policy
from tests.policies.documents import strict


def clause(**parameters: Any) -> str:
    """The rule of a policy with these parameters, in words."""
    version = replace(read_policy(strict()), parameters=Policy.from_mapping(parameters))
    return clause_sentences(version)[0]


def test_every_setting_tells_its_value_its_source_and_how_far_to_rely_on_it() -> None:
    told = {setting.name: setting for setting in settings_of(read_policy(strict()))}

    limit, dose, window = told["limit_days"], told["mme_per_day_90"], told["window_days"]
    handbook = "Evergreen's handbook of 2025, page 12"
    assert (limit.value, limit.source, limit.standing) == (3, handbook, Standing.CONFIRMED)
    assert (dose.value, dose.source, dose.standing) == ("require_authorization", handbook, Standing.UNCONFIRMED)
    assert (window.value, window.source, window.standing) == (None, "", Standing.PRODUCT_DEFAULT)
    assert [field.name for field in fields(Policy)] == list(told)[: len(fields(Policy))]


def test_settings_in_words() -> None:
    says = {setting.name: setting.says for setting in settings_of(read_policy(strict()))}

    assert says == {
        "mode": "What is counted: the days of an episode",
        "limit_days": "Days that need nothing: 3",
        "minor_age": "A minor is younger than: 18",
        "minor_limit_days": "Days that need nothing for a minor: off",
        "gap_days": "Days without an opioid after which use begins anew: 60",
        "gap_anchor": "These days are counted from: the end of the supply",
        "window_days": "Only so many days back are counted: off",
        "horizon_days": "Only so many first days of an episode are looked at: off",
        "overlap": "Days that two supplies cover: count once",
        "basis": "Supply in hand: counts when dispensed",
        "count_pain_buprenorphine": "Buprenorphine for pain counts: no",
        "count_written": "Orders not yet dispensed count: yes",
        "written_expiry_days": "Days for which they do: 30",
        "exempt_categories": "Exempt: cancer, sickle cell disease, hospice, palliative care, long-term care",
        "established_days": "Days of use that release a patient: off",
        "established_window": "Among so many days before: 120",
        "mme_table": "Table of MME factors: 2022",
        "mme_overlap": "MME of overlapping supplies: are added up",
        "mme_per_day_90": "90 MME a day or more: requires authorization",
        "opioid_with_benzodiazepine": "An opioid with a benzodiazepine: informs, and requires nothing",
    }


def test_a_threshold_that_spares_established_patients_says_so() -> None:
    (indiana,) = catalog.policies()["in_medicaid_2016"]
    nobody = replace(indiana, parameters=replace(indiana.parameters, exempt_categories=()))

    says = {setting.name: setting.says for setting in settings_of(nobody)}

    assert says["mme_per_day_60"] == "60 MME a day or more: requires authorization, but not of an established patient"
    assert says["duplicate_long_acting"] == "Two long-acting opioids at once: requires authorization"
    assert says["exempt_categories"] == "Exempt: nobody"


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({}, "Use on more than 7 days of one episode needs authorization; 60 days without an opioid end an episode."),
        (
            {"window_days": 45, "limit_days": 14, "overlap": "sum", "established_days": 90},
            "Use on more than 14 days by days' supply in any 45 days needs authorization; 60 days without an opioid "
            "end an episode; none after use on at least 90 of the 120 days before.",
        ),
        (
            {"horizon_days": 30, "gap_anchor": "fill_date", "minor_limit_days": 5},
            "Use on more than 7 days (5 while younger than 18) of one episode, within its first 30 days, needs "
            "authorization; more than 60 days from fill to fill end an episode.",
        ),
        (
            {"mode": "per_fill_naive", "overlap": "sum"},
            "A fill of more than 7 days needs authorization if no opioid was in use in the 60 days before.",
        ),
        (
            {"mode": "per_fill_naive", "gap_anchor": "fill_date", "gap_days": 90},
            "A fill of more than 7 days needs authorization if no opioid was dispensed in the 90 days before.",
        ),
    ],
)
def test_the_rule_in_words(parameters: dict[str, Any], sentence: str) -> None:
    assert clause(**parameters) == sentence


def test_the_limits_source_and_what_is_not_confirmed_are_told() -> None:
    version = read_policy(strict())
    bare = replace(version, marks={}, thresholds=())
    (florida,) = catalog.policies()["fl_law_2018"]

    assert clause_sentences(version)[1:] == [
        "The limit was read in: Evergreen's handbook of 2025, page 12.",
        "1 setting is not confirmed: compare with the payer's current document.",
    ]
    assert clause_sentences(bare)[1:] == ["The limit is the product's default."]
    assert clause_sentences(florida)[2] == "4 settings are not confirmed: compare with the payer's current document."


def test_the_clause_as_json() -> None:
    version = read_policy(strict())

    told = clause_to_json(version)

    settings = told.pop("settings")
    assert told == {
        "code": "evergreen",
        "version": "1",
        "title": "Three days",
        "source": "Evergreen's handbook of 2025, page 12",
        "confirmed": False,
        "sentences": clause_sentences(version),
    }
    assert settings[1] == {
        "name": "limit_days",
        "value": 3,
        "says": "Days that need nothing: 3",
        "source": "Evergreen's handbook of 2025, page 12",
        "standing": "confirmed",
    }
    assert [setting["name"] for setting in settings] == [setting.name for setting in settings_of(version)]


@pytest.mark.parametrize("version", [v for versions in catalog.policies().values() for v in versions], ids=str)
def test_every_policy_of_the_catalog_can_be_told(version: Any) -> None:
    assert all(setting.says for setting in settings_of(version))
    assert all(sentence.endswith(".") for sentence in clause_sentences(version))
