"""What was once answered can be computed again, byte for byte, whatever was learned since; a difference is named."""

from copy import copy
from datetime import date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from authz.access import selectors as access_selectors
from authz.access import services as access
from authz.access.roles import Actor, Role
from authz.ids import ExemptionId, FillId, IdentityQuestionId, PatientId, PayerPolicyId
from authz.policies.services import activate_policy, draft_policy, retire_policy
from authz.prescriptions.facts import ExemptionFacts, PatientFacts
from authz.prescriptions.models import Coverage, FillVersion, IdentityQuestion, Patient
from authz.prescriptions.services import register_patient
from authz.prior_auths import replay
from authz.prior_auths.evaluations import Difference, case_from, differing, inputs_of, sha256_of
from authz.prior_auths.lifecycle import ReopeningReason
from authz.prior_auths.models import Authorization, Evaluation
from authz.prior_auths.services import determinations, intake, queue, reopening
from authz.rules.records import ExemptionCategory
from tests import cast as stage
from tests.cast import NOW, TODAY, Cast, fill, key_of, later, register
from tests.policies.documents import limit
from tests.prior_auths.test_review import REASON
from tests.rules.builders import case
from tests.rules.builders import fill as dispensed


def replayed(**which: Any) -> list[tuple[str, ...]]:
    """What each evaluation's replay says, oldest first."""
    answers = replay.replay(replay.evaluations(**which))
    return [tuple(difference.says for difference in one.differences) for one in answers]


def says(**which: Any) -> list[str]:
    return [sentence for one in replayed(**which) for sentence in one]


def kept_again(evaluation: Evaluation, **changes: Any) -> Evaluation:
    """Keep a further evaluation like this one but for the changes, as another version of the product might have."""
    other = copy(evaluation)
    other.pk, other.public_id = None, stage.unknown_id()
    for name, value in changes.items():
        setattr(other, name, value)
    other.save(force_insert=True)
    return other


def excused(cast: Cast, patient: Patient, now: datetime) -> ExemptionId:
    facts = ExemptionFacts(category=ExemptionCategory.CANCER, starts_on=TODAY, ends_on=None, evidence="C50.9 on chart")
    row, _ = intake.record_exemption(patient_id=PatientId(patient.public_id), facts=facts, by=cast.stella, now=now)
    return ExemptionId(row.public_id)


def administrator(cast: Cast, name: str) -> Actor:
    person = access.create_person(email=f"{name}@example.org", full_name=name.title(), password=stage.PASSWORD)
    access.add_membership(person=person, organization=cast.evergreen, role=Role.INSURER_ADMIN)
    return access_selectors.actor_for(person=person, organization=cast.evergreen)


def the_evaluation(cast: Cast, days: int = 10) -> Evaluation:
    """The evaluation of one fill, learned long after the patient was registered."""
    patient = register(cast, birth_date=date(1970, 5, 5))
    fill(cast, patient, days, now=later(1))
    return Evaluation.objects.get(patient=patient, plan=cast.plan, evaluated_at=later(1))


# -- what stays the same ----------------------------------------------------------------------------------------------
def test_every_evaluation_of_a_case_is_recomputed_to_the_same_bytes(cast: Cast) -> None:
    prior_auth = stage.in_clinical_review(cast)
    fill(cast, prior_auth.patient, 12, on=TODAY + timedelta(days=2), now=later(60))

    answers = replayed()

    assert answers == [(), ()]


def test_what_is_learned_later_changes_no_earlier_answer(cast: Cast) -> None:
    patient = register(cast)
    first, _ = fill(cast, patient, 10, identifier="F-1", now=later(1))
    fill(cast, patient, 5, identifier="F-1", now=later(2))
    fill(cast, patient, 9, on=TODAY - timedelta(days=20), now=later(3))
    exemption = excused(cast, patient, later(4))
    intake.withdraw_exemption(exemption_id=exemption, by=cast.stella, now=later(5))
    intake.reverse_fill(fill_id=FillId(first.public_id), by=cast.stella, now=later(6))

    assert set(replayed()) == {()}
    assert Evaluation.objects.filter(patient=patient, plan=cast.plan).count() >= 6


def test_an_authorization_holds_for_the_evaluations_while_it_was_known(cast: Cast) -> None:
    prior_auth = stage.in_review(cast, now=later(1))
    determinations.approve(prior_auth_id=key_of(prior_auth), by=cast.rae, now=later(2))
    fill(cast, prior_auth.patient, 3, on=TODAY + timedelta(days=1), now=later(30))
    Authorization.objects.update(revoked_at=later(40))
    fill(cast, prior_auth.patient, 3, on=TODAY + timedelta(days=2), now=later(50))

    with_it = Evaluation.objects.filter(evaluated_at=later(30), plan=cast.plan).get()
    without = Evaluation.objects.filter(evaluated_at=later(50), plan=cast.plan).get()

    assert len(with_it.inputs["granted"]) == 1
    assert "granted" not in without.inputs
    assert set(replayed()) == {()}


def test_an_authorization_no_longer_holds_once_another_decision_supersedes_it(cast: Cast) -> None:
    prior_auth = stage.approved(cast)
    key = key_of(prior_auth)
    reopening.reopen(
        prior_auth_id=key, code=ReopeningReason.CLERICAL_ERROR, reason="Wrong.", by=cast.patel, now=later(2)
    )
    determinations.refer(prior_auth_id=key, reason="Look.", by=cast.patel, now=later(2))
    queue.take_in_hand(prior_auth_id=key, by=cast.patel, now=later(2))
    determinations.deny(prior_auth_id=key, reason=REASON, by=cast.patel, now=later(2))

    fill(cast, prior_auth.patient, 3, on=TODAY + timedelta(days=1), now=later(30))

    assert set(replayed()) == {()}


def of_an_authorized_patient(cast: Cast) -> Evaluation:
    """The evaluation of a fill that no authorization covers, while one is in force."""
    prior_auth = stage.approved(cast)
    fill(cast, prior_auth.patient, 3, on=TODAY + timedelta(days=1), now=later(30))
    return Evaluation.objects.get(evaluated_at=later(30), plan=cast.plan)


def test_an_evaluation_that_kept_windows_only_is_held_to_the_windows(cast: Cast) -> None:
    evaluation = of_an_authorized_patient(cast)
    windows = [{"start": "2025-03-03", "end": "2025-03-12"}]
    inputs = {**evaluation.inputs, "authorizations": windows}
    del inputs["granted"]

    other = kept_again(evaluation, inputs=inputs, inputs_sha256=sha256_of(inputs))

    assert not any(said.startswith("inputs") for said in says(evaluation_id=other.public_id))


def test_an_authorization_that_was_not_granted_so_is_named_both_ways(cast: Cast) -> None:
    evaluation = of_an_authorized_patient(cast)
    inputs = {**evaluation.inputs, "granted": [{**evaluation.inputs["granted"][0], "days": 9}]}

    other = kept_again(evaluation, inputs=inputs, inputs_sha256=sha256_of(inputs))

    assert says(evaluation_id=other.public_id) == [
        "inputs: the authorizations in force release other days now",
        "inputs changed: an authorization was not read then",
        "inputs changed: an authorization was read then and is not told now",
    ]


def test_authorizations_that_can_no_longer_be_read_are_named(cast: Cast) -> None:
    evaluation = of_an_authorized_patient(cast)
    inputs = {**evaluation.inputs, "granted": [{"rxcui": "1"}]}

    other = kept_again(evaluation, inputs=inputs, inputs_sha256=sha256_of(inputs))

    assert says(evaluation_id=other.public_id) == ["inputs: they can no longer be read"]


def test_facts_of_one_instant_may_have_come_in_either_order(cast: Cast) -> None:
    patient = register(cast)
    fill(cast, patient, 4, now=NOW)
    fill(cast, patient, 5, now=NOW)

    assert set(replayed()) == {()}


def test_a_request_that_waited_for_another_is_no_difference(cast: Cast) -> None:
    patient = register(cast, insured=True)

    fill(cast, patient, 4, now=later(1) + timedelta(seconds=2))
    fill(cast, patient, 5, now=later(1))

    assert set(replayed()) == {()}


def test_a_coverage_that_is_ended_later_changes_nothing_that_was_read(cast: Cast) -> None:
    evaluation = the_evaluation(cast)

    Coverage.objects.update(ends_on=TODAY - timedelta(days=30))

    assert says(evaluation_id=evaluation.public_id) == []


def test_an_answer_of_an_older_edition_of_the_formulary_is_computed_by_that_edition(cast: Cast) -> None:
    evaluation = the_evaluation(cast)

    other = kept_again(
        evaluation, formulary_version="2025.1", verdict={**evaluation.verdict, "formulary_version": "2025.1"}
    )

    assert says(evaluation_id=other.public_id) == []


def test_the_kept_inputs_are_those_of_the_hash_and_of_the_answer(cast: Cast) -> None:
    evaluation = the_evaluation(cast)

    assert sha256_of(evaluation.inputs) == evaluation.inputs_sha256
    assert [record["days_supply"] for record in evaluation.inputs["records"]] == [10]
    assert evaluation.inputs["policy_version"] == [evaluation.policy, evaluation.policy_version]


def test_inputs_are_read_back_as_they_were() -> None:
    before = case(dispensed("a", "2025-01-01", None, daily_units=None), born="1970-05-05", known_from="2024-12-01")

    assert case_from(inputs_of(before, ("default", "1"))) == before


@pytest.mark.parametrize("is_retired_since", [False, True])
def test_an_answer_under_a_payers_own_policy_is_recomputed_by_that_version(cast: Cast, is_retired_since: bool) -> None:
    ada, ben = (administrator(cast, name) for name in ("ada", "ben"))
    cast.plan.policy = "ev_ppo"
    cast.plan.save()
    own = draft_policy(document=limit(3, code="ev_ppo", version="7"), by=ada, now=NOW)
    activate_policy(policy_id=PayerPolicyId(own.public_id), by=ben, now=NOW)
    evaluation = the_evaluation(cast)

    if is_retired_since:
        later_day = TODAY + timedelta(days=1)
        retire_policy(policy_id=PayerPolicyId(own.public_id), retired_on=later_day, by=ada, now=later(2))

    assert (evaluation.policy, evaluation.policy_version) == ("ev_ppo", "7")
    assert says(evaluation_id=evaluation.public_id) == []


# -- what differs is named --------------------------------------------------------------------------------------------
def test_an_answer_that_is_not_the_one_of_its_inputs_is_named_by_path(cast: Cast) -> None:
    evaluation = the_evaluation(cast)
    altered = {**evaluation.verdict, "pa_required": False, "counted": []}

    other = kept_again(evaluation, verdict=altered)

    assert says(evaluation_id=other.public_id) == ["verdict.counted[0]", "verdict.pa_required"]


def test_inputs_that_are_not_those_of_their_hash_are_named(cast: Cast) -> None:
    evaluation = the_evaluation(cast)
    record = {**evaluation.inputs["records"][0], "days_supply": 11}

    other = kept_again(evaluation, inputs={**evaluation.inputs, "records": [record]})

    found = says(evaluation_id=other.public_id)
    assert found[0] == "inputs: they are not the ones of the hash kept beside them"
    assert "verdict.episodes[0].end" in found
    assert f"inputs changed: version 1 of fill {record['id']} was read then and is not told now" in found


def test_inputs_that_can_no_longer_be_read_are_named(cast: Cast) -> None:
    evaluation = the_evaluation(cast)
    inputs = {**evaluation.inputs, "policy": {**evaluation.inputs["policy"], "limit_weeks": 1}}

    other = kept_again(evaluation, inputs=inputs, inputs_sha256=sha256_of(inputs))

    (answer,) = replay.replay(replay.evaluations(evaluation_id=other.public_id))
    assert answer.differences == (
        Difference(says="inputs: they can no longer be read", values="policy.limit_weeks: There is no such setting."),
    )


def test_an_evaluation_from_before_inputs_were_kept_is_named(cast: Cast) -> None:
    other = kept_again(the_evaluation(cast), inputs={})

    assert says(evaluation_id=other.public_id) == ["inputs: none were kept"]


@pytest.mark.parametrize(
    ("name", "says_first"),
    [
        ("rule", "rule version '0' is no longer the current one: '1' is"),
        ("formulary", "formulary version '0' is no longer held; the current one is '2025.2'"),
    ],
)
def test_a_version_that_is_gone_is_named(cast: Cast, name: str, says_first: str) -> None:
    evaluation = the_evaluation(cast)
    version = f"{name}_version"

    other = kept_again(evaluation, **{version: "0", "verdict": {**evaluation.verdict, version: "0"}})

    assert says(evaluation_id=other.public_id) == [says_first, f"verdict.{version}"]


def test_a_policy_version_that_is_no_longer_held_is_named_and_no_other_is_taken_in_its_place(cast: Cast) -> None:
    evaluation = the_evaluation(cast)

    other = kept_again(
        evaluation, policy_version="0", verdict={**evaluation.verdict, "findings": [{"kind": "of thresholds unknown"}]}
    )

    assert says(evaluation_id=other.public_id) == [
        "policy default version 0 is no longer held, so its thresholds cannot be applied"
    ]


def test_a_policy_version_that_no_longer_says_the_same_is_named(cast: Cast) -> None:
    evaluation = the_evaluation(cast, days=12)
    inputs = {**evaluation.inputs, "policy": {**evaluation.inputs["policy"], "gap_days": 61}}

    other = kept_again(evaluation, inputs=inputs, inputs_sha256=sha256_of(inputs))

    policy = f"policy {evaluation.policy} version {evaluation.policy_version}"
    assert says(evaluation_id=other.public_id) == [f"inputs changed: {policy}.gap_days"]


def test_a_birth_date_learned_later_is_named(cast: Cast) -> None:
    facts = {"identifier": "MRN-1", "family_name": "Doe", "given_name": "Pat"}
    patient, _ = register_patient(facts=PatientFacts(**facts, birth_date=None), by=cast.stella, now=NOW)
    stage.insure(cast, patient)
    fill(cast, patient, 10, now=later(1))

    register_patient(facts=PatientFacts(**facts, birth_date=date(2010, 5, 5)), by=cast.stella, now=later(2))

    assert set(says()) == {"inputs changed: birth_date"}


def test_a_fact_that_is_said_to_have_been_known_and_was_not_read_is_named(cast: Cast) -> None:
    evaluation = the_evaluation(cast)
    version = FillVersion.objects.get(fill__patient=evaluation.patient)

    version.pk, version.version, version.days_supply, version.recorded_at = None, 2, 5, NOW
    version.save(force_insert=True)

    assert says(evaluation_id=evaluation.public_id) == [
        f"inputs changed: version 2 of fill {version.fill.public_id} was not read then"
    ]


def test_an_exemption_whose_days_were_altered_is_named_both_ways(cast: Cast) -> None:
    patient = register(cast)
    excused(cast, patient, NOW)
    fill(cast, patient, 10, now=later(1))

    patient.exemptions.update(starts_on=TODAY + timedelta(days=1))

    assert replayed(patient_id=patient.public_id)[-1] == (
        "inputs changed: an exemption was not read then",
        "inputs changed: an exemption was read then and is not told now",
    )


@pytest.mark.parametrize(
    "altered", [{"recorded_at": later(5)}, {"withdrawn_at": NOW + timedelta(minutes=30)}], ids=["learned", "withdrawn"]
)
def test_an_exemption_that_was_read_but_not_known_then_is_named(cast: Cast, altered: dict[str, datetime]) -> None:
    patient = register(cast)
    excused(cast, patient, NOW)
    fill(cast, patient, 10, now=later(1))

    patient.exemptions.update(**altered)

    assert replayed(patient_id=patient.public_id)[-1] == (
        "inputs changed: an exemption was read then and is not told now",
    )


def test_a_plan_that_covered_nobody_then_is_named(cast: Cast) -> None:
    evaluation = the_evaluation(cast)

    Coverage.objects.update(recorded_at=later(5))

    assert says(evaluation_id=evaluation.public_id) == [
        "inputs changed: no coverage by the plan that answered was known then"
    ]


def test_a_patient_merged_since_is_named(cast: Cast) -> None:
    member = register(cast, by=cast.mallory, birth_date=date(1970, 5, 5), insured=False)
    stage.insure(cast, member, by=cast.mallory, member_id="M-1")
    twin = register(cast, insured=False)
    fill(cast, twin, 10, now=later(1))
    stage.insure(cast, twin, member_id="M-1")
    question = IdentityQuestion.objects.get()
    asked_by = next(one for one in (cast.stella, cast.mallory) if one.organization_id == question.organization_id)

    intake.answer_identity_question(
        question_id=IdentityQuestionId(question.public_id), is_same=True, by=asked_by, now=later(30)
    )

    merged = Patient.objects.exclude(merged_into=None).get()
    assert set(says(patient_id=merged.public_id)) == {
        "inputs changed: the patient was merged into another one, and the records with them"
    }


@pytest.mark.parametrize(
    ("then", "now", "named"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("x.a", "1 then, 2 now")]),
        ({"a": 1}, {}, [("x.a", "1 then, not there now")]),
        ({}, {"a": 1}, [("x.a", "not there then, 1 now")]),
        ({"a": 1}, {"a": True}, [("x.a", "1 then, true now")]),
        ({"a": 1}, {"a": "1"}, [("x.a", '1 then, "1" now')]),
        ([1, 2, 3], [1, 3], [("x[1]", "2 then, 3 now"), ("x[2]", "3 then, not there now")]),
        ({"a": [{"b": 1}]}, {"a": [{"b": None}]}, [("x.a[0].b", "1 then, null now")]),
        ({"a": []}, {"a": {}}, [("x.a", "[] then, {} now")]),
    ],
)
def test_a_difference_is_named_by_its_path(then: Any, now: Any, named: list[tuple[str, str]]) -> None:
    assert [(one.says, one.values) for one in differing(then, now, "x")] == named


# -- the command ------------------------------------------------------------------------------------------------------
def told(*options: str) -> tuple[str, str]:
    """Run the command; return what it printed, and why it failed."""
    out, why = StringIO(), ""
    try:
        call_command("replay", *options, stdout=out)
    except CommandError as failure:
        why = str(failure)
    return out.getvalue(), why


@pytest.fixture
def differing_one(cast: Cast) -> Evaluation:
    evaluation = the_evaluation(cast)
    return kept_again(evaluation, verdict={**evaluation.verdict, "first_known_on": None})


def test_the_command_is_content_when_nothing_differs(cast: Cast) -> None:
    stage.detected(cast)
    count = Evaluation.objects.count()

    assert told("--all") == (f"{count} evaluations replayed, {count} without any difference.\n", "")


def test_the_command_fails_and_names_what_differs_without_a_patients_facts(differing_one: Evaluation) -> None:
    printed, why = told("--evaluation", str(differing_one.public_id))

    assert why == "1 evaluations differ."
    assert f"evaluation {differing_one.public_id} at 2025-03-03 16:00:00 UTC\n  verdict.first_known_on\n" in printed


def test_the_command_prints_the_values_when_asked(differing_one: Evaluation) -> None:
    printed, _ = told("--patient", str(differing_one.patient.public_id), "--values")

    assert '  verdict.first_known_on: null then, "2025-03-03" now\n' in printed


@pytest.mark.parametrize("option", ["--patient", "--evaluation"])
def test_the_command_fails_for_what_is_not_there(cast: Cast, option: str) -> None:
    assert told(option, str(stage.unknown_id())) == ("", "There is no such evaluation.")


def test_the_command_wants_to_know_what_to_replay() -> None:
    _, why = told()

    assert "one of the arguments --all --patient --evaluation is required" in why
