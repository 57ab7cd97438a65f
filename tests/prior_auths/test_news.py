"""After a decision against it, the same is asked for again only with a new fact, whoever asks."""

import pytest

from authz.ids import PatientId
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.new_fact import NewFact, StatedFact
from authz.prior_auths.services import appeal_decisions, intake, request
from authz.prior_auths.services.news import NewFactNeeded
from tests import cast as stage
from tests.cast import Cast, key_of, later
from tests.prior_auths.test_appeals import id_of


def opened(cast: Cast, before: PriorAuth, *, new_fact: StatedFact | None = None) -> PriorAuth:
    key = PatientId(before.patient.public_id)
    return intake.open_request(patient_id=key, reason="Again.", new_fact=new_fact, by=cast.stella, now=later(3))


def test_without_anything_new_the_three_ways_on_are_named_and_nothing_is_opened(cast: Cast) -> None:
    denied = stage.denied(cast)

    with pytest.raises(NewFactNeeded) as refusal:
        opened(cast, denied)

    ways = ["appeal", "reopening", "new_fact"]
    assert refusal.value.context == {"request": str(denied.public_id), "ways": ways}
    assert PriorAuth.objects.count() == 1


def test_a_stated_fact_is_kept_with_the_new_request(cast: Cast) -> None:
    fact = StatedFact(NewFact.TREATMENT_FAILED, "Naproxen was stopped after a bleed.")

    again = opened(cast, stage.denied(cast), new_fact=fact)

    again.refresh_from_db()
    assert (again.state, again.new_fact_kind, again.new_fact) == ("draft", fact.kind, fact.sentence)


def test_a_record_that_the_decision_did_not_know_is_a_new_fact(cast: Cast) -> None:
    denied = stage.denied(cast)
    stage.fill(cast, denied.patient, 5, now=later(2))
    detected = PriorAuth.objects.get(state="detected")
    request.withdraw(prior_auth_id=key_of(detected), reason="Too early.", by=cast.stella, now=later(2))

    assert opened(cast, denied).new_fact == ""


def test_what_was_overturned_is_not_held_against_a_new_request(cast: Cast) -> None:
    denied, uma = stage.denied(cast), stage.appeal_reviewer(cast)
    appeal = stage.appeal_in_review(cast, denied, by=uma, now=later(1))
    appeal_decisions.overturn(appeal_id=id_of(appeal), reason="Met.", by=uma, now=later(1.1))

    assert opened(cast, denied).state == "draft"


def test_another_payers_decision_is_not_held_against_a_new_request(cast: Cast) -> None:
    denied = stage.denied(cast)
    PriorAuth.objects.filter(pk=denied.pk).update(coverage=None)

    assert opened(cast, denied).state == "draft"
