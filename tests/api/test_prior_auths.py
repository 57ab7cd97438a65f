"""A request over the API: from the fill that opens it to the decision, by everybody in their part."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authz import clock
from authz.prescriptions.models import Patient
from authz.prior_auths.lifecycle import TABLE
from authz.prior_auths.models import Authorization, Determination, PriorAuth
from authz.prior_auths.services import questions
from tests import cast as stage
from tests.api.callers import Caller, address, field_errors, fill_body, nothing_changes, refused


def test_the_main_job_from_the_fill_to_the_decision(
    cast: stage.Cast, patient: Patient, stella: Caller, jones: Caller, rae: Caller
) -> None:
    stella.post("fills/", fill_body(patient, days_supply=10, quantity=40))
    (case,) = stella.get("prior-authorizations/", needs_act="true").json()["results"]
    here = f"prior-authorizations/{case['id']}/"

    stella.post(f"{here}take-up/")
    known = {row["question"]: row for row in stella.get(f"{here}answers/").json()["answers"] if row["source"]}
    computed = {name: row["value"] for name, row in known.items()}
    stella.patch(f"{here}answers/", {"answers": {**computed, **stage.ANSWERS}})
    stella.post(f"{here}ask-prescriber/", {"question": "Please attest."})
    jones.post(f"{here}answer-prescriber/", {"answers": {"pr.attest": True}})
    submitted = stella.post(f"{here}submit/", {"urgency": "expedited"}, key="submit-1")
    claimed = rae.post(f"{here}claim/")
    decided = rae.post(f"{here}approve/", if_match=claimed["ETag"])

    assert {row["source"] for row in known.values()} == {"computed"}
    assert submitted.json()["state"] == "queued"
    assert "24 hours after the insurer received the expedited request" in submitted.json()["due"]["why"]
    assert (claimed.json()["state"], claimed.json()["reviewer"]) == ("in_review", "Rae Quinn")
    assert decided.status_code == 200
    assert (decided.json()["state"], decided.json()["due"]) == ("decided", None)
    seen = stella.get(here).json()
    assert [row["outcome"] for row in seen["determinations"]] == ["approved"]
    assert [row["days_granted"] for row in seen["authorizations"]] == [10]
    assert seen["explanation"]["sentences"]
    steps = [event["step"] for event in stella.get(f"{here}events/").json()["results"]]
    assert steps == ["open", "take_up", "ask_prescriber", "answer_prescriber", "submit", "expedite", "claim", "approve"]


def test_a_request_keeps_the_clause_and_the_count_it_was_submitted_with(
    cast: stage.Cast, stella: Caller, rae: Caller
) -> None:
    case = stage.queued(cast)
    (counted,) = case.record_ids
    stage.fill(cast, case.patient, 5, on=stage.TODAY + timedelta(days=10), now=stage.later(240))

    clinic, insurer = (caller.get(address(case)).json()["explanation"] for caller in (stella, rae))

    assert clinic == insurer
    settings = {setting["name"]: setting for setting in insurer["policy"]["settings"]}
    assert (insurer["policy"]["version"], settings["limit_days"]["standing"]) == ("1", "confirmed")
    assert [record["record_id"] for record in insurer["trace"]["records"]] == [str(counted)]
    (episode,) = insurer["trace"]["episodes"]
    assert [day["is_required"] for day in episode["days"]] == [False] * 7 + [True]


def test_a_refused_submission_names_every_answer_that_is_missing(
    cast: stage.Cast, stella: Caller, jones: Caller
) -> None:
    case = stage.detected(cast)
    stella.post(address(case, "take-up/"))
    stella.patch(address(case, "answers/"), {"answers": {"dx.code": "M54.50"}})

    with nothing_changes():
        answer = stella.post(address(case, "submit/"), {}, key="k-1")

    problem = refused(answer, 422, "not-ready")
    missing = {error["field"] for error in problem["errors"]}
    assert {"answers.pr.attest", "answers.req.days_used"} <= missing
    assert "answers.dx.code" not in missing


def test_wrong_answers_are_named_and_none_is_kept(cast: stage.Cast, stella: Caller) -> None:
    case = stage.detected(cast)
    stella.post(address(case, "take-up/"))

    with nothing_changes():
        answer = stella.patch(
            address(case, "answers/"),
            {"answers": {"dx.code": "back pain", "colour": "red", "pdmp.checked": 1.5, "pain.type": "acute"}},
        )

    assert set(field_errors(answer)) == {"answers.dx.code", "answers.colour", "answers.pdmp.checked"}


def test_only_the_prescriber_attests(cast: stage.Cast, stella: Caller) -> None:
    case = stage.detected(cast)
    stella.post(address(case, "take-up/"))

    with nothing_changes():
        answer = stella.patch(address(case, "answers/"), {"answers": {"pr.attest": True}})

    assert field_errors(answer) == {"answers.pr.attest": ("invalid", "Only the prescriber can answer this.")}


def test_answers_are_closed_before_the_request_is_taken_up(cast: stage.Cast, stella: Caller) -> None:
    case = stage.detected(cast)

    with nothing_changes():
        answer = stella.patch(address(case, "answers/"), {"answers": {"dx.code": "M54.50"}})

    refused(answer, 409, "answers-closed")
    refused(stella.get(address(case, "answers/")), 404, "not-found")


def test_two_people_answering_at_once_do_not_overwrite_each_other(cast: stage.Cast, stella: Caller) -> None:
    case = stage.detected(cast)
    read = stella.post(address(case, "take-up/"))["ETag"]
    first = stella.patch(address(case, "answers/"), {"answers": {"dx.code": "M54.50"}}, if_match=read)

    with nothing_changes():
        second = stella.patch(address(case, "answers/"), {"answers": {"dx.code": "M54.51"}}, if_match=read)

    assert first["ETag"] != read
    refused(second, 412, "stale-version")


def test_the_insurer_asks_and_the_clinic_answers_every_question(cast: stage.Cast, stella: Caller, rae: Caller) -> None:
    case = stage.in_review(cast)
    asked = rae.post(address(case, "ask/"), {"questions": ["Since when?", "Which dose before?"]})
    one, two = [row["id"] for row in asked.json()["information_requests"]]

    with nothing_changes():
        half = stella.post(address(case, "answer/"), {"answers": {one: "Since March."}})
        foreign = stella.post(address(case, "answer/"), {"answers": {"since": "March"}})
    whole = stella.post(address(case, "answer/"), {"answers": {one: "Since March.", two: "None."}})

    assert asked.json()["state"] == "info_requested"
    assert field_errors(half) == {f"answers.{two}": ("invalid", "Answer this question.")}
    assert field_errors(foreign) == {"answers.since": ("invalid", "This is no question's id.")}
    assert whole.json()["state"] == "in_review"
    assert [row["answer"] for row in whole.json()["information_requests"]] == ["Since March.", "None."]


def test_each_item_says_whose_it_is_and_by_when_and_the_call_says_it_for_the_others(
    cast: stage.Cast, rae: Caller
) -> None:
    case = stage.in_review(cast, now=clock.now())
    soon, later = (clock.now() + timedelta(hours=hours) for hours in (5, 10))
    items = [
        {"question": "Do you taper?", "owner": "prescriber", "reply_by": soon.isoformat()},
        {"question": "Since when?"},
    ]
    told = {"questions": ["Which dose before?"], "items": items, "owner": "staff", "reply_by": later.isoformat()}

    asked = rae.post(address(case, "ask/"), told).json()["information_requests"]

    wanted = {one["question"]: (one["owner"], datetime.fromisoformat(one["reply_by"])) for one in asked}
    assert wanted == {
        "Which dose before?": ("staff", later), "Do you taper?": ("prescriber", soon), "Since when?": ("staff", later),
    }  # fmt: skip


def test_a_longer_list_asks_the_database_no_more_often(cast: stage.Cast, stella: Caller) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            stella.get("prior-authorizations/")
        return len(queries)

    stage.drafted(cast)
    questions.ask(prior_auth_id=stage.key_of(stage.in_review(cast)), questions=["Why?"], by=cast.rae, now=stage.NOW)
    short = asked()
    for builder in (stage.detected, stage.drafted, stage.in_review, stage.in_clinical_review):
        builder(cast)

    assert asked() == short


def test_a_step_the_table_does_not_allow_tells_those_it_does(cast: stage.Cast, stella: Caller) -> None:
    case = stage.drafted(cast, now=clock.now())

    with nothing_changes():
        answer = stella.post(address(case, "take-up/"))

    problem = refused(answer, 409, "illegal-step")
    assert problem["allowed"] == [
        "assign", "ask_prescriber", "submit", "withdraw", "link_duplicate", "propose_void",
    ]  # fmt: skip


def test_a_decision_sent_twice_with_one_key_is_one_decision(cast: stage.Cast, rae: Caller) -> None:
    case = stage.in_review(cast)
    here, version = address(case, "approve/"), f'"{case.version}"'

    first = rae.post(here, key="decide-1", if_match=version)
    with nothing_changes():
        again = rae.post(here, key="decide-1", if_match=version)
        without = rae.post(here, if_match=version)

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert again["ETag"] == first["ETag"] == f'"{case.version + 1}"'
    refused(without, 412, "stale-version")
    assert (Determination.objects.count(), Authorization.objects.count()) == (1, 1)


def test_a_submission_sent_twice_with_one_key_is_one_submission(cast: stage.Cast, stella: Caller) -> None:
    case = stage.drafted(cast, now=clock.now())

    first = stella.post(address(case, "submit/"), {}, key="submit-1")
    with nothing_changes():
        again = stella.post(address(case, "submit/"), {}, key="submit-1")
        otherwise = stella.post(address(case, "submit/"), {"urgency": "expedited"}, key="submit-1")

    assert again.json() == first.json()
    refused(otherwise, 422, "idempotency-key-reused")


def test_a_request_in_another_reviewers_hand_is_left_alone(cast: stage.Cast, patel: Caller) -> None:
    case = stage.in_review(cast, now=stage.later(0))
    PriorAuth.objects.update(leased_until="2100-01-01T00:00:00Z")

    with nothing_changes():
        answer = patel.post(address(case, "approve/"), if_match=f'"{case.version}"')

    refused(answer, 409, "lease-held-by-another")


def test_a_request_is_withdrawn_with_a_reason(cast: stage.Cast, stella: Caller) -> None:
    case = stage.queued(cast)

    with nothing_changes():
        silent = stella.post(address(case, "withdraw/"), {"reason": "  "})
    said = stella.post(address(case, "withdraw/"), {"reason": "The patient needs no more."})

    assert field_errors(silent) == {"reason": ("blank", "This field may not be blank.")}
    assert said.json()["state"] == "withdrawn"


def test_a_reviewer_puts_a_request_back_or_hands_it_on(cast: stage.Cast, rae: Caller) -> None:
    case = stage.in_review(cast)

    released = rae.post(address(case, "release/"), {"reason": "Going home."})
    rae.post(address(case, "claim/"))
    referred = rae.post(address(case, "refer/"), {"reason": "Cannot approve in full."})

    assert (released.json()["state"], released.json()["reviewer"]) == ("queued", None)
    assert referred.json()["state"] == "clinical_review"


def test_the_etag_is_the_version_in_quotation_marks(cast: stage.Cast, stella: Caller) -> None:
    case = stage.drafted(cast, now=clock.now())

    answer = stella.get(address(case))

    assert answer["ETag"] == f'"{answer.json()["version"]}"' == f'"{case.version}"'


def numbers(caller: Caller, **filters: str) -> set[str]:
    return {row["number"] for row in caller.get("prior-authorizations/", **filters).json()["results"]}


def test_requests_are_found_by_state_urgency_patient_and_number(cast: stage.Cast, stella: Caller) -> None:
    detected, queued = stage.detected(cast), stage.queued(cast)

    assert numbers(stella) == {detected.number, queued.number}
    assert numbers(stella, state="queued") == {queued.number}
    assert numbers(stella, urgency="expedited") == set()
    assert numbers(stella, patient=str(detected.patient.public_id)) == {detected.number}
    assert numbers(stella, number=queued.number) == {queued.number}


def test_what_waits_for_me_is_found(
    cast: stage.Cast, stella: Caller, jones: Caller, rae: Caller, patel: Caller
) -> None:
    detected, queued, referred = stage.detected(cast), stage.queued(cast), stage.in_clinical_review(cast)

    assert numbers(stella, needs_act="true") == numbers(jones, needs_act="true") == {detected.number}
    assert numbers(stella, needs_act="false") == {queued.number, referred.number}
    assert numbers(patel, needs_act="true") == {queued.number, referred.number}
    assert numbers(rae, needs_act="true") == {queued.number, referred.number}


@pytest.mark.parametrize(
    ("name", "value"), [("state", "sleeping"), ("urgency", "soon"), ("patient", "7"), ("needs_act", "perhaps")]
)
def test_a_filter_with_a_bad_value_is_named(stella: Caller, name: str, value: str) -> None:
    assert set(field_errors(stella.get("prior-authorizations/", **{name: value}))) == {name}


def test_the_insurer_sees_nothing_before_it_is_submitted(cast: stage.Cast, rae: Caller) -> None:
    case = stage.drafted(cast, now=clock.now())
    submitted = stage.queued(cast)

    assert numbers(rae) == {submitted.number}
    refused(rae.get(address(case)), 404, "not-found")
    refused(rae.get(address(case, "answers/")), 404, "not-found")
    steps = [event["step"] for event in rae.get(address(submitted, "events/")).json()["results"]]
    assert "take_up" not in steps or steps == [event.step for event in submitted.events.all()]


def test_the_table_of_steps_is_told_as_it_is(client: Any, db: None) -> None:
    told = client.get("/api/v1/meta/lifecycle/").json()

    assert [row["step"] for row in told["steps"]] == [step.value for step in TABLE]
    rows = {row["step"]: row for row in told["steps"]}
    assert rows["open"]["sources"] == []
    assert {rows[step]["address"] for step in ("open", "retract")} == {""}
    assert rows["deny"] == {
        "step": "deny",
        "sources": ["clinical_review"],
        "target": "decided",
        "before_decision": False,
        "by": ["physician"],
        "announces": "prior-auth.denied",
        "address": "deny",
        "needs_if_match": True,
        "needs_idempotency_key": False,
    }
    assert rows["submit"]["needs_idempotency_key"] is True
    before = {step for step, row in rows.items() if row["before_decision"]}
    assert before == {
        "withdraw", "dismiss", "link_duplicate", "return", "expedite", "refuse_expedited", "extend",
    }  # fmt: skip
    assert set(told["active"]).isdisjoint(told["ended"])


def test_the_codes_of_every_answer_are_told_with_what_gives_it(client: Any, db: None) -> None:
    rows = {row["answer"]: row for row in client.get("/api/v1/meta/lifecycle/").json()["codes"]}

    assert rows["denied"] == {
        "answer": "denied",
        "when": "denied, also by law",
        "states": [],
        "outcomes": ["denied", "deemed_adverse"],
        "x12_278": "A3",
        "pas": "active",
        "pas_items": ["A3"],
        "ncpdp_epa": "Denied",
    }
    assert rows["not_required"]["states"] == ["lapsed"]
