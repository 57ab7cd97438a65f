"""What is looked at again: by whom, in which turn, and what stands in its way."""

import pytest

from authz.access.roles import Role
from authz.access.tenancy import within
from authz.errors import InvalidInput
from authz.ids import AppealId, PersonId
from authz.prior_auths.determination import Reason
from authz.prior_auths.models import Determination, PriorAuth
from authz.prior_auths.services import appeal_decisions, determinations, queue
from authz.prior_auths.services.determinations import AnotherDeciderNeeded
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
