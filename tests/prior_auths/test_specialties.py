"""Where its policy names specialties, only physicians of these decide against a request, or uphold that on appeal."""

from importlib import import_module

import pytest
from django.db import DatabaseError, connection

from authz.access.models import Licence
from authz.access.specialties import TAXONOMY, Specialty, specialty_of
from authz.errors import InvalidInput
from authz.ids import AppealId, PersonId
from authz.policies import services as policies
from authz.prior_auths import appeals, selectors
from authz.prior_auths.appeal_lifecycle import AppealStep
from authz.prior_auths.lifecycle import Step
from authz.prior_auths.models import AppealDecision, Determination, PriorAuth
from authz.prior_auths.services import appeal_decisions, determinations, queue
from authz.prior_auths.services.grounds import LicenceNeeded, SpecialtyNeeded
from authz.prior_auths.services.steps import IllegalStep
from tests import cast as stage
from tests.cast import NOW, Cast, key_of, later
from tests.policies.documents import limit
from tests.policies.office import an_office
from tests.policies.office import key_of as policy_key
from tests.prior_auths.said import REASON
from tests.prior_auths.test_promises import refused


def specialists(cast: Cast, *specialties: str) -> None:
    """Put Evergreen's plan under a policy that names who may decide against a request."""
    office = an_office(cast)
    deciders = {"specialties": [*specialties], "source": "handbook", "confirmed": True}
    document = limit(7, code="ev_ppo", in_force_from="2024-01-01", deciders=deciders)
    row = policies.draft_policy(document=document, by=office.ada, now=NOW)
    policies.activate_policy(policy_id=policy_key(row), by=office.ben, now=NOW)
    cast.plan.policy = "ev_ppo"
    cast.plan.save()


def practises(cast: Cast, name: str, specialty: str) -> None:
    Licence.objects.filter(person=cast.people[name]).update(specialty=specialty)


def denied_anew(cast: Cast, prior_auth: PriorAuth) -> PriorAuth:
    return determinations.deny(prior_auth_id=key_of(prior_auth), reason=REASON, by=cast.patel, now=NOW)


def test_a_physician_of_a_named_specialty_decides_against_a_request(cast: Cast) -> None:
    specialists(cast, "addiction_medicine", "pain_medicine")

    prior_auth = stage.in_clinical_review(cast)

    assert prior_auth.decider_specialties == ["addiction_medicine", "pain_medicine"]
    assert Step.DENY in selectors.allowed_steps(prior_auth, cast.patel)
    assert denied_anew(cast, prior_auth).state == "decided"


@pytest.mark.parametrize("specialty", ["neurology", "Pain"])
def test_one_of_another_specialty_or_of_an_unlisted_one_is_told_which_decide(cast: Cast, specialty: str) -> None:
    specialists(cast, "addiction_medicine", "pain_medicine")
    prior_auth = stage.in_clinical_review(cast)
    practises(cast, "patel", specialty)

    with pytest.raises(SpecialtyNeeded, match=r"only these.*: addiction medicine, pain medicine") as refusal:
        denied_anew(cast, prior_auth)

    assert refusal.value.context == {"specialties": ["addiction_medicine", "pain_medicine"]}
    assert not Determination.objects.exists()


def test_they_are_offered_neither_step_and_can_still_approve(cast: Cast) -> None:
    specialists(cast, "addiction_medicine")
    prior_auth = stage.in_clinical_review(cast)

    offered = selectors.allowed_steps(prior_auth, cast.patel)
    with pytest.raises(IllegalStep) as refusal:
        queue.claim(prior_auth_id=key_of(prior_auth), by=cast.patel, now=NOW)

    assert {Step.DENY, Step.APPROVE_IN_PART}.isdisjoint(offered)
    assert refusal.value.context["allowed"] == [step.value for step in offered]
    assert determinations.approve(prior_auth_id=key_of(prior_auth), by=cast.patel, now=NOW).state == "decided"


def test_without_any_valid_licence_the_licence_is_what_is_missing(cast: Cast) -> None:
    specialists(cast, "addiction_medicine")
    prior_auth = stage.in_clinical_review(cast)
    Licence.objects.update(valid_until=stage.TODAY.replace(year=2024))

    with pytest.raises(LicenceNeeded):
        denied_anew(cast, prior_auth)


def test_a_policy_that_names_nobody_leaves_it_to_every_licensed_physician(cast: Cast) -> None:
    prior_auth = stage.in_clinical_review(cast)
    practises(cast, "patel", "Something else")

    assert prior_auth.decider_specialties == []
    assert denied_anew(cast, prior_auth).state == "decided"


def test_what_the_policy_said_when_it_was_submitted_holds(cast: Cast) -> None:
    prior_auth = stage.in_clinical_review(cast)

    specialists(cast, "addiction_medicine")

    refused("UPDATE authz_priorauth SET decider_specialties = '{neurology}'", [], "what was submitted stands")
    assert denied_anew(cast, prior_auth).state == "decided"


def test_whoever_asks_for_the_next_is_given_only_what_they_may_decide(cast: Cast) -> None:
    specialists(cast, "addiction_medicine")
    referred, queued = stage.in_clinical_review(cast), stage.queued(cast)

    # What is queued can still be approved, or referred, by any physician.
    assert queue.claim_next(by=cast.patel, now=NOW) == queued
    assert queue.claim_next(by=cast.patel, now=NOW) is None
    practises(cast, "patel", "addiction_medicine")

    assert queue.claim_next(by=cast.patel, now=NOW) == referred


def test_what_was_referred_is_handed_to_nobody_who_may_not_decide_it(cast: Cast) -> None:
    specialists(cast, "addiction_medicine")
    key, patel = key_of(stage.in_clinical_review(cast)), PersonId(cast.people["patel"].public_id)

    with pytest.raises(InvalidInput, match="not right"):
        queue.reassign(prior_auth_id=key, person_id=patel, reason="For you.", by=cast.nora, now=NOW)


def test_an_appeal_is_upheld_by_a_named_specialty_and_granted_by_any_reviewer(cast: Cast) -> None:
    specialists(cast, "pain_medicine")
    uma, denied = stage.appeal_reviewer(cast), denied_anew(cast, stage.in_clinical_review(cast))
    appeal = stage.appeal_in_review(cast, denied, by=uma, now=later(1))
    practises(cast, "uma", "neurology")

    offered, key = appeals.allowed_steps(appeal, uma), AppealId(appeal.public_id)
    with pytest.raises(SpecialtyNeeded):
        appeal_decisions.uphold(appeal_id=key, reason=REASON, by=uma, now=later(2))

    assert AppealStep.OVERTURN in offered
    assert {AppealStep.UPHOLD, AppealStep.OVERTURN_IN_PART}.isdisjoint(offered)
    assert appeal_decisions.overturn(appeal_id=key, reason="Met.", by=uma, now=later(2)).state == "decided"


def test_the_database_refuses_them_whoever_asks(cast: Cast) -> None:
    specialists(cast, "pain_medicine")
    prior_auth = stage.in_clinical_review(cast)
    patel, denied = cast.people["patel"], "only the specialties that its policy names"
    practises(cast, "patel", "neurology")

    with pytest.raises(DatabaseError, match=denied):
        Determination.objects.create(
            prior_auth=prior_auth, outcome="denied", decided_at=NOW, decided_by=patel, licence=patel.licences.get(),
            reason_code="x", reason_text="x", criterion="x", policy="ev_ppo", policy_version="1", was_late=False,
        )  # fmt: skip


def test_the_database_refuses_them_on_appeal(cast: Cast) -> None:
    specialists(cast, "pain_medicine")
    uma, prior_auth = stage.appeal_reviewer(cast), denied_anew(cast, stage.in_clinical_review(cast))
    appeal = stage.appeal_in_review(cast, prior_auth, by=uma, now=later(1))
    practises(cast, "uma", "neurology")

    with pytest.raises(DatabaseError, match="only the specialties that its policy names"):
        AppealDecision.objects.create(
            appeal=appeal, outcome="upheld", decided_at=later(2), decided_by=cast.people["uma"],
            licence=cast.people["uma"].licences.get(), reason_code="x", reason_text="x", criterion="x", was_late=False,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "specialty"),
    [
        ("Pain medicine", "pain_medicine"),
        ("207LP2900X", "pain_medicine"),
        ("Physical Medicine & Rehabilitation", "physical_medicine_and_rehabilitation"),
        (" hematology_and_oncology ", "hematology_and_oncology"),
        ("Pain", None),
        ("Pain medicine, mostly", None),
    ],
)
def test_a_specialty_is_named_exactly_by_its_name_or_code_and_none_is_guessed(
    cast: Cast, said: str, specialty: str | None
) -> None:
    # Those recorded before are read by the migration, which says the same in SQL.
    practises(cast, "patel", said)
    with connection.cursor() as cursor:
        cursor.execute(import_module("authz.migrations.0045_who_may_decide").BY_NAME)

    assert specialty_of(said) == specialty
    assert Licence.objects.get(person=cast.people["patel"]).specialty == (specialty or said)


def test_every_specialty_has_codes_of_its_own() -> None:
    codes = [code for specialty in Specialty for code in TAXONOMY[specialty]]

    assert len(codes) == len({*codes})
    assert all(len(code) == 10 and code.endswith("X") for code in codes)
