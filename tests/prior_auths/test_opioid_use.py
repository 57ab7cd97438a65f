"""A patient's use as known on a day, and what changed since: what is told, and who may see it."""

from datetime import timedelta

import pytest

from authz.errors import Forbidden, NotFound
from authz.ids import ExemptionId, PatientId, PlanId
from authz.policies.services import create_plan
from authz.prescriptions.facts import CoverageFacts, ExemptionFacts
from authz.prior_auths.opioid_use import opioid_use, opioid_use_changes
from authz.prior_auths.services import determinations, intake
from authz.rules.records import ExemptionCategory
from authz.rules.verdict import ReleasedBy
from tests import cast as stage
from tests.cast import NOW, TODAY, Cast, fill, register


def test_a_clinic_sees_use_elsewhere_but_not_whose(cast: Cast) -> None:
    patient = register(cast, insured=False)
    stage.insure(cast, patient, member_id="M-1")
    fill(cast, patient, 5, on=TODAY - timedelta(days=5))
    register(cast, by=cast.mallory, insured=False, member_id="M-1")

    use = opioid_use(cast.mallory, PatientId(patient.public_id), now=NOW)

    (seen,) = use.records
    assert (seen.days_supply, seen.is_own) == (5, False)
    assert "Riverside" not in str(use.records) + " ".join(use.sentences)


def test_an_insurer_sees_a_members_use_only_once_a_request_was_submitted_to_it(cast: Cast) -> None:
    drafted = stage.drafted(cast)
    with pytest.raises(Forbidden):
        opioid_use(cast.rae, PatientId(drafted.patient.public_id), now=NOW)

    submitted = stage.queued(cast)

    assert opioid_use(cast.rae, PatientId(submitted.patient.public_id), now=NOW).records


def test_use_is_told_as_it_was_known_on_a_day(cast: Cast) -> None:
    patient = register(cast)
    fill(cast, patient, 5, identifier="F-1")
    fill(cast, patient, 10, identifier="F-1", now=NOW + timedelta(days=2))
    key = PatientId(patient.public_id)

    then = opioid_use(cast.stella, key, now=NOW + timedelta(days=3), as_of=TODAY + timedelta(days=1))
    now = opioid_use(cast.stella, key, now=NOW + timedelta(days=3))

    assert (then.payer.is_required, now.payer.is_required) == (False, True)
    assert [record.days_supply for record in then.records] == [5]
    assert [record.days_supply for record in now.records] == [10]


def test_what_is_known_of_exemptions_on_a_day_is_what_was_recorded_by_then(cast: Cast) -> None:
    patient = register(cast)
    fill(cast, patient, 10)
    key, later = PatientId(patient.public_id), NOW + timedelta(days=5)
    facts = ExemptionFacts(category=ExemptionCategory.CANCER, starts_on=None, ends_on=None, evidence="C50.9")
    exemption, _ = intake.record_exemption(patient_id=key, facts=facts, by=cast.stella, now=NOW + timedelta(days=2))
    intake.withdraw_exemption(
        exemption_id=ExemptionId(exemption.public_id), by=cast.stella, now=NOW + timedelta(days=4)
    )

    required = [
        opioid_use(cast.stella, key, now=later, as_of=TODAY + timedelta(days=days)).payer.is_required
        for days in range(6)
    ]

    assert required == [True, True, False, False, True, True]


def test_what_is_known_of_authorizations_on_a_day_is_what_was_granted_by_then(cast: Cast) -> None:
    prior_auth = stage.in_review(cast)
    determinations.approve(prior_auth_id=stage.key_of(prior_auth), by=cast.rae, now=NOW + timedelta(days=2))
    key, later = PatientId(prior_auth.patient.public_id), NOW + timedelta(days=3)

    told = opioid_use_changes(cast.rae, key, now=later, since=TODAY + timedelta(days=1))

    assert (told.before.is_required, told.after.is_required) == (True, False)
    assert [(change.by, change.is_new) for change in told.differences.releases] == [(ReleasedBy.AUTHORIZATION, True)]
    assert not told.differences.records


def test_another_policy_that_answers_is_told_before_anything_else(cast: Cast) -> None:
    patient = register(cast, insured=False)
    coverage = CoverageFacts(
        plan_id=PlanId(create_plan(insurer=cast.evergreen, code="D", name="Part D", policy="part_d_2019").public_id),
        member_id="M-9",
        starts_on=TODAY,
        ends_on=None,
    )
    key = PatientId(patient.public_id)
    intake.record_coverage(patient_id=key, facts=coverage, by=cast.stella, now=NOW)
    fill(cast, patient, 3, on=TODAY - timedelta(days=1))

    told = opioid_use_changes(cast.stella, key, now=NOW, since=TODAY - timedelta(days=1))

    assert told.sentences[0].startswith("Another policy answers: Use beyond seven days (default, version 1) before, ")


def test_changes_are_for_the_same_eyes_as_the_use(cast: Cast) -> None:
    drafted = stage.drafted(cast)
    key = PatientId(drafted.patient.public_id)

    with pytest.raises(Forbidden):
        opioid_use_changes(cast.rae, key, now=NOW, since=TODAY)
    with pytest.raises(NotFound):
        opioid_use_changes(cast.mallory, key, now=NOW, since=TODAY)


def test_the_smallest_change_that_avoids_the_need_is_told(cast: Cast) -> None:
    patient = register(cast)
    fill(cast, patient, 9)

    use = opioid_use(cast.stella, PatientId(patient.public_id), now=NOW)

    assert len(use.ways_out) == 1
    assert "2 fewer days" in use.ways_out[0]


def test_where_nothing_is_needed_there_is_no_way_out_to_tell(cast: Cast) -> None:
    patient = register(cast)
    fill(cast, patient, 7)

    assert opioid_use(cast.stella, PatientId(patient.public_id), now=NOW).ways_out == []
