"""What is looked at again: by whom, in which turn, and what stands in its way."""

import pytest

from authz.access.roles import Role
from authz.access.tenancy import within
from authz.errors import InvalidInput
from authz.ids import AppealId, PersonId
from authz.prior_auths import review_queue, selectors
from authz.prior_auths.models import Determination, PriorAuth
from authz.prior_auths.services import appeal_decisions, appealing, deeming, determinations, queue, renewals, request
from authz.prior_auths.services.queue import AnotherDeciderNeeded
from authz.prior_auths.services.reopening import AskedAnew, WithIndependentReviewer
from tests import cast as stage
from tests.cast import Cast, key_of, later
from tests.prior_auths.test_endings import REASON, reopened
from tests.prior_auths.test_promises import INSERT_DENIAL, refused


def test_who_upheld_a_denial_on_appeal_does_not_decide_the_request_again(cast: Cast) -> None:
    uma, denied = stage.appeal_reviewer(cast), stage.denied(cast)
    appeal = stage.appeal_in_review(cast, denied, by=uma, now=later(1))
    appeal_decisions.uphold(appeal_id=AppealId(appeal.public_id), reason=REASON, by=uma, now=later(1))
    as_physician = stage.with_role(uma, Role.PHYSICIAN)

    again = reopened(cast, denied, by=as_physician)
    assert again.reviewer is None
    key = key_of(again)
    determinations.refer(prior_auth_id=key, reason="See the image.", by=cast.rae, now=later(1))
    with pytest.raises(AnotherDeciderNeeded):
        determinations.deny(prior_auth_id=key, reason=REASON, by=as_physician, now=later(1))
    licence = cast.people["uma"].licences.get()
    raw = [again.pk, "denied", later(1), cast.people["uma"].pk, licence.pk]
    refused(INSERT_DENIAL, raw, "upheld that on appeal, does not decide it again")

    assert Determination.objects.get().decided_by == cast.people["patel"]


def test_a_reopened_request_is_offered_and_handed_to_those_alone_who_may_decide_it(cast: Cast) -> None:
    again = reopened(cast, stage.denied(cast), by=cast.nora)
    queue.release_expired(now=later(1))

    with within(cast.evergreen.pk):
        assert queue.claim_next(by=cast.patel, now=later(1)) is None
        assert queue.claim_next(by=cast.rae, now=later(1)) == again
    to = PersonId(cast.people["patel"].public_id)
    with pytest.raises(InvalidInput):
        queue.reassign(prior_auth_id=key_of(again), person_id=to, reason="Yours.", by=cast.nora, now=later(1))


def prepared_renewal(cast: Cast) -> tuple[PriorAuth, PriorAuth]:
    """Return an approved request, and the one to go on that the service prepared on the sixth day."""
    before = stage.approved(cast)
    renewals.open_renewals(now=later(24 * 5))
    return before, PriorAuth.objects.exclude(pk=before.pk).get()


def test_a_prepared_renewal_that_nobody_touched_makes_room_for_a_reopening(cast: Cast) -> None:
    before, renewal = prepared_renewal(cast)

    with within(cast.evergreen.pk):
        again = reopened(cast, before, by=cast.nora)

    renewal.refresh_from_db()
    assert (again.state, renewal.state) == ("in_review", "lapsed")


def test_a_renewal_that_the_clinic_works_on_stays_and_the_insurer_learns_what_to_do_and_not_which(cast: Cast) -> None:
    before, renewal = prepared_renewal(cast)
    request.answer_questions(
        prior_auth_id=key_of(renewal), answers={"pdmp.checked": True}, by=cast.stella, now=later(24 * 5)
    )

    with within(cast.evergreen.pk), pytest.raises(AskedAnew, match="ask them to submit or to withdraw it") as refusal:
        reopened(cast, before, by=cast.nora)

    assert refusal.value.context == {}
    assert set(PriorAuth.objects.values_list("state", flat=True)) == {"decided", "draft"}


def test_what_is_with_the_independent_reviewer_is_not_reopened(cast: Cast) -> None:
    cast.plan.regime = "part_d"
    cast.plan.save()
    missed, uma, denied = stage.queued(cast), stage.appeal_reviewer(cast), stage.denied(cast)
    deeming.deem_due(now=later(73))
    deeming.forward(prior_auth_id=key_of(missed), reason="IRE-7", by=cast.ivy, now=later(74))
    appeal = AppealId(stage.appeal_in_review(cast, denied, by=uma, now=later(1)).public_id)
    appeal_decisions.uphold(appeal_id=appeal, reason=REASON, by=uma, now=later(1))
    appealing.forward(appeal_id=appeal, reason="IRE-9", by=cast.ivy, now=later(2))

    for forwarded in (missed, denied):
        with pytest.raises(WithIndependentReviewer):
            reopened(cast, forwarded, by=cast.patel)


def test_a_reopened_request_takes_its_turn_as_if_due_when_it_was_reopened(cast: Cast) -> None:
    overdue, denied = stage.queued(cast, now=later(-72)), stage.denied(cast)
    waiting = stage.queued(cast)
    again = reopened(cast, denied, by=cast.nora)
    queue.release_expired(now=later(1))

    listed = list(review_queue.review_queue(cast.rae))
    taken = [queue.claim_next(by=cast.rae, now=later(1)) for _ in listed]

    assert listed == taken == [overdue, again, waiting]
    assert selectors.due(again) is None
    assert list(review_queue.at_risk(review_queue.review_queue(cast.rae), now=later(1))) == [overdue]
