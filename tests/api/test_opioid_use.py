"""A patient's opioid use as of any day: the numbers, the words, and what a person must look at."""

from datetime import timedelta
from typing import Any

import pytest

from authz.prescriptions.models import Patient
from tests import cast as stage
from tests.api.callers import Caller, days_ago, field_errors, fill_body, refused, today


def use(caller: Caller, patient: Patient, **parameters: str) -> Any:
    return caller.get(f"patients/{patient.public_id}/opioid-use/", **parameters)


def test_two_fills_beyond_the_limit_are_told_with_their_reasons(stella: Caller, patient: Patient) -> None:
    stella.post("fills/", fill_body(patient, dispensed_on=days_ago(5)))
    second = stella.post("fills/", fill_body(patient, identifier="F-2", fill_number=1)).json()

    answer = use(stella, patient)

    assert answer.status_code == 200
    told = answer.json()
    assert (told["as_of"], told["is_required"], told["is_payer_rule_unknown"]) == (days_ago(0), True, False)
    (episode,) = told["episodes"]
    assert (episode["covered_days"], episode["limit_days"], episode["trigger_record"]) == (10, 7, second["id"])
    assert episode["exceeded_on"] == (today() + timedelta(days=2)).isoformat()
    assert any("the limit is 7" in sentence for sentence in told["explanation"])
    assert [record["is_own"] for record in told["records"]] == [True, True]


def test_the_past_is_told_as_it_was_known_then(stella: Caller, patient: Patient) -> None:
    stella.post("fills/", fill_body(patient, days_supply=10, quantity=40))

    before, now = use(stella, patient, as_of=days_ago(1)), use(stella, patient, as_of=days_ago(0))

    assert (before.json()["is_required"], before.json()["records"]) == (False, [])
    assert now.json()["is_required"] is True


def test_that_nothing_is_required_is_told_in_the_words_of_other_systems(stella: Caller, patient: Patient) -> None:
    stella.post("fills/", fill_body(patient, days_supply=10, quantity=40))

    before, now = use(stella, patient, as_of=days_ago(1)), use(stella, patient, as_of=days_ago(0))

    codes = before.json()["codes"]
    assert (codes["x12_278"], codes["pas"], codes["ncpdp_epa"]) == (
        "NA",
        {"response": "no-auth", "items": []},
        "Closed",
    )
    assert now.json()["codes"] is None


def test_a_record_that_needs_a_person_is_put_before_one(cast: stage.Cast, stella: Caller, patient: Patient) -> None:
    stage.fill(cast, patient, 0, on=stage.TODAY)

    told = use(stella, patient).json()

    assert [record["attention"] for record in told["needs_attention"]] == [["no_days_supply"]]


def test_without_a_known_coverage_the_default_rule_answers_and_says_so(cast: stage.Cast, stella: Caller) -> None:
    patient = stage.register(cast, insured=False)

    told = use(stella, patient).json()

    assert told["is_payer_rule_unknown"] is True
    assert told["policy"]["code"] == "default"
    assert told["explanation"] == ["No opioid use is counted."]


@pytest.mark.parametrize(
    ("as_of", "code"), [("2025-02-30", "no-such-day"), ("yesterday", "invalid"), ("1890-01-01", "too-early")]
)
def test_a_day_that_is_none_is_refused(stella: Caller, patient: Patient, as_of: str, code: str) -> None:
    errors = field_errors(use(stella, patient, as_of=as_of))

    assert {name: told[0] for name, told in errors.items()} == {"as_of": code}


def test_another_clinics_patient_does_not_exist(mallory: Caller, patient: Patient) -> None:
    refused(use(mallory, patient), 404, "not-found")


# -- the trace ------------------------------------------------------------------------------------------------------
def test_a_verdict_can_be_checked_record_by_record_and_day_by_day(stella: Caller, patient: Patient) -> None:
    first = stella.post("fills/", fill_body(patient, dispensed_on=days_ago(5))).json()
    second = stella.post("fills/", fill_body(patient, identifier="F-2", fill_number=1)).json()
    wrong = stella.post("fills/", fill_body(patient, identifier="F-3", fill_number=2)).json()
    stella.post(f"fills/{wrong['id']}/reversal/", {})

    told = use(stella, patient).json()

    records = {record["record_id"]: record for record in told["trace"]["records"]}
    assert set(records) == {record["id"] for record in told["records"]}
    assert (records[first["id"]]["last"], records[first["id"]]["step"]) == (days_ago(1), "covered_days")
    assert (records[wrong["id"]]["is_counted"], records[wrong["id"]]["reason"]) == (False, "reversed")
    (episode,) = told["trace"]["episodes"]
    last = episode["days"][-1]
    assert [day["count"] for day in episode["days"]] == list(range(1, 9))
    assert (last["on"], last["limit"], last["is_required"]) == (told["episodes"][0]["pa_required_from"], 7, True)
    assert (episode["days"][0]["records"], last["records"]) == ([first["id"]], [second["id"]])
    assert any(sentence.startswith("Day 8 of use is") for sentence in told["trace_explanation"])


def test_all_days_are_listed_when_asked_for(stella: Caller, patient: Patient) -> None:
    stella.post("fills/", fill_body(patient, days_supply=20, quantity=80))

    (short,), (whole,) = (use(stella, patient, **asked).json()["trace"]["episodes"] for asked in ({}, {"days": "all"}))

    assert (len(short["days"]), len(whole["days"])) == (8, 20)
    assert field_errors(use(stella, patient, days="some")).keys() == {"days"}


def test_the_policys_clause_comes_with_its_source_and_how_far_to_rely_on_it(stella: Caller, patient: Patient) -> None:
    policy = use(stella, patient).json()["policy"]

    settings = {setting["name"]: setting for setting in policy["settings"]}
    assert policy["sentences"][0].startswith("Use on more than 7 days of one episode needs authorization")
    assert (settings["limit_days"]["value"], settings["limit_days"]["standing"]) == (7, "confirmed")
    assert settings["limit_days"]["source"].startswith("PQA")
    assert (settings["window_days"]["value"], settings["window_days"]["standing"]) == (None, "product_default")


# -- as known then, as known now ------------------------------------------------------------------------------------
def compare(caller: Caller, patient: Patient, **days: str) -> Any:
    return caller.get(f"patients/{patient.public_id}/opioid-use/changes/", **days)


def test_a_late_fill_is_told_with_what_it_changed(stella: Caller, patient: Patient) -> None:
    late = stella.post("fills/", fill_body(patient, dispensed_on=days_ago(9), days_supply=10, quantity=40)).json()

    told = compare(stella, patient, **{"from": days_ago(2)}).json()

    assert (told["from"], told["to"]) == (days_ago(2), days_ago(0))
    assert (told["before"]["is_required"], told["after"]["is_required"]) == (False, True)
    (record,) = told["records"]
    assert (record["record_id"], record["why"], record["days_late"], record["before"]) == (
        late["id"],
        "learned",
        9,
        None,
    )
    (episode,) = told["episodes"]
    assert (episode["before"], episode["after"][0]["pa_required_from"]) == ([], days_ago(2))
    assert any(f"learned on {days_ago(0)}, 9 days after its own day" in sentence for sentence in told["sentences"])


def test_between_two_days_that_know_the_same_nothing_is_other(stella: Caller, patient: Patient) -> None:
    told = compare(stella, patient, **{"from": days_ago(9), "to": days_ago(3)}).json()

    assert (told["records"], told["releases"], told["episodes"]) == ([], [], [])
    assert told["after"]["policy"] == {"code": "default", "version": "1", "title": "Use beyond seven days"}


@pytest.mark.parametrize(
    ("days", "codes"),
    [
        ({}, {"from": "required"}),
        ({"from": "x", "to": "2025-02-30"}, {"from": "invalid", "to": "no-such-day"}),
        ({"from": "2025-02-02", "to": "2025-02-01"}, {"from": "invalid"}),
    ],
)
def test_days_that_cannot_be_compared_are_refused(
    stella: Caller, patient: Patient, days: dict[str, str], codes: dict[str, str]
) -> None:
    errors = field_errors(compare(stella, patient, **days))

    assert {name: told[0] for name, told in errors.items()} == codes
