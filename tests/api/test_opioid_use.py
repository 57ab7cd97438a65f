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
