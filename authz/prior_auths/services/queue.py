"""The insurer's queue: who takes a request in hand, for how long, and how it comes back."""

from datetime import datetime, timedelta

from django.db import transaction

from authz.access.roles import SYSTEM, Actor
from authz.errors import AuthzError
from authz.ids import PriorAuthId
from authz.prior_auths.lifecycle import State, Step
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import steps

LEASE = timedelta(minutes=30)


class LeaseHeldByAnother(AuthzError):
    """Another reviewer has this request in hand."""

    code = "lease-held-by-another"


class ReviewerNeeded(AuthzError):
    """A machine cannot hold a request in review or decide it."""

    code = "reviewer-needed"


@transaction.atomic
def claim(*, prior_auth_id: PriorAuthId, by: Actor, now: datetime, expected_version: int | None = None) -> PriorAuth:
    """Take a queued request into review, leased to this reviewer for half an hour."""
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.CLAIM, by)
    prior_auth.reviewer_id = person_of(by)
    prior_auth.leased_until = now + LEASE
    steps.take(prior_auth, Step.CLAIM, by=by, now=now)
    return prior_auth


@transaction.atomic
def release(
    *, prior_auth_id: PriorAuthId, reason: str, by: Actor, now: datetime, expected_version: int | None = None
) -> PriorAuth:
    """Put a request back into the queue."""
    prior_auth = in_hand(prior_auth_id, step=Step.RELEASE, by=by, now=now, expected_version=expected_version)
    prior_auth.reviewer = prior_auth.leased_until = None
    steps.take(prior_auth, Step.RELEASE, by=by, now=now, note=reason)
    return prior_auth


def release_expired(*, now: datetime) -> int:
    """Put every request whose lease has run out back into the queue, and return how many there were."""
    expired = PriorAuth.objects.filter(state=State.IN_REVIEW.value, leased_until__lte=now)
    return sum(_release_one(key, now) for key in expired.values_list("pk", flat=True))


@transaction.atomic
def _release_one(key: int, now: datetime) -> int:
    prior_auth = (
        PriorAuth.objects.select_for_update(skip_locked=True)
        .filter(pk=key, state=State.IN_REVIEW.value, leased_until__lte=now)
        .first()
    )
    if prior_auth is None:
        return 0
    prior_auth.reviewer = prior_auth.leased_until = None
    steps.take(prior_auth, Step.RELEASE, by=SYSTEM, now=now, note="The reviewer's lease ran out.")
    return 1


def in_hand(
    prior_auth_id: PriorAuthId, *, step: Step, by: Actor, now: datetime, expected_version: int | None
) -> PriorAuth:
    """Lock a request for a step of the reviewer who has it; one nobody has is anyone's who may take the step.

    :raises IllegalStep: when the table does not allow the step.
    :raises LeaseHeldByAnother: while another reviewer has it.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, step, by)
    held = prior_auth.leased_until is not None and prior_auth.leased_until > now
    if held and prior_auth.reviewer_id != by.person_id:
        raise LeaseHeldByAnother("Another reviewer has this request in hand.")
    return prior_auth


def person_of(by: Actor) -> int:
    """Return the key of the person who acts.

    :raises ReviewerNeeded: when it is a machine.
    """
    if by.person_id is None:
        raise ReviewerNeeded("Only a person reviews and decides; log in as one.")
    return by.person_id
