"""What a policy lets software approve is approved at once, with its trace; all else waits for people."""

from typing import Any

import pytest

from authz.policies import services as policies
from authz.prior_auths.lifecycle import ReopeningReason
from authz.prior_auths.models import Authorization, Determination, PriorAuth
from authz.prior_auths.services import automation, determinations, queue, reopening, request
from tests import cast as stage
from tests.cast import NOW, Cast, key_of, later
from tests.policies.documents import limit
from tests.policies.office import an_office
from tests.policies.office import key_of as policy_key

AUTOMATION: dict[str, Any] = {
    "most_days": 14,
    "fresh_days": 7,
    "second_reading_percent": 100,
    "criteria": [{"question": "pdmp.checked", "is": True}, {"question": "pain.type", "is": "post-surgical"}],
}


def automated(cast: Cast, **changes: Any) -> None:
    """Let Evergreen's plan approve by rule."""
    office = an_office(cast)
    document = limit(7, code="ev_ppo", in_force_from="2024-01-01", automation=AUTOMATION | changes)
    row = policies.draft_policy(document=document, by=office.ada, now=NOW)
    policies.activate_policy(policy_id=policy_key(row), by=office.ben, now=NOW)
    cast.plan.policy = "ev_ppo"
    cast.plan.save()


def test_what_meets_every_criterion_is_approved_with_its_trace(cast: Cast) -> None:
    automated(cast)
    queued = stage.queued(cast)

    assert automation.approve_by_rule(now=later(1)) == 1

    decided = Determination.objects.get(prior_auth=queued)
    assert (decided.outcome, decided.basis, decided.decided_by, decided.is_sampled) == ("approved", "rule", None, True)
    assert {row["criterion"]: row["is_met"] for row in decided.trace} == {
        "most_days": True,
        "pdmp.checked": True,
        "pain.type": True,
    }
    assert Authorization.objects.get().days_granted == 10
    assert automation.approve_by_rule(now=later(2)) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"most_days": 9},
        {"criteria": [{"question": "pain.type", "is": "acute"}]},
        {"criteria": [{"question": "pdmp.looked_at", "is": True}]},
    ],
)
def test_what_does_not_meet_them_all_waits_for_people(cast: Cast, changes: dict[str, Any]) -> None:
    automated(cast, **changes)
    queued = stage.queued(cast)

    assert automation.approve_by_rule(now=later(1)) == 0

    assert PriorAuth.objects.get(pk=queued.pk).state == "queued"
    assert not Determination.objects.exists()


def test_every_refill_counts_among_the_days(cast: Cast) -> None:
    automated(cast)
    drafted = stage.drafted(cast)
    drafted.lines.update(refills=1)
    request.submit(prior_auth_id=key_of(drafted), by=cast.stella, now=NOW)

    assert automation.approve_by_rule(now=later(1)) == 0
    assert not Determination.objects.exists()


def test_what_is_submitted_once_a_sweep_has_begun_is_left_to_the_next(cast: Cast) -> None:
    automated(cast)
    stage.queued(cast, now=later(1))

    assert [automation.approve_by_rule(now=later(hours)) for hours in (0.9, 1)] == [0, 1]


def test_without_a_policy_that_says_so_nothing_is_approved_by_rule(cast: Cast) -> None:
    stage.queued(cast)

    assert automation.approve_by_rule(now=later(1)) == 0


def test_what_people_look_at_again_is_not_approved_by_rule(cast: Cast) -> None:
    automated(cast)
    stage.queued(cast)
    automation.approve_by_rule(now=later(1))
    key = key_of(PriorAuth.objects.get())
    reopening.reopen(
        prior_auth_id=key, code=ReopeningReason.CLERICAL_ERROR, reason="Second reading.", by=cast.nora, now=later(2)
    )
    queue.release_expired(now=later(2))
    PriorAuth.objects.update(screened_at=None)

    assert automation.approve_by_rule(now=later(3)) == 0
    assert queue.claim(prior_auth_id=key, by=cast.rae, now=later(3)).state == "in_review"
    assert determinations.approve(prior_auth_id=key, by=cast.rae, now=later(3)).state == "decided"
