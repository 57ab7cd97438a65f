"""The insurer's queue: who takes a request in hand, for how long, and how it comes back."""

from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import product
from typing import Final

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from authz.access.models import Membership
from authz.access.roles import SYSTEM, Actor, Role
from authz.audit import services as audit
from authz.errors import AuthzError, Forbidden, InvalidInput
from authz.ids import PersonId, PriorAuthId
from authz.prior_auths.deciders import has_decided_against
from authz.prior_auths.lifecycle import State, Step
from authz.prior_auths.models import PriorAuth, Skip
from authz.prior_auths.named_specialties import lacks_specialty
from authz.prior_auths.review_queue import SKIP_HOLDS, is_absent, next_waiting
from authz.prior_auths.services import steps
from authz.prior_auths.services.sweeping import sweep

LEASE = timedelta(minutes=30)

# Whoever has it in hand lets it go by that.
_BACK: Final = {State.IN_REVIEW: Step.RELEASE, State.CLINICAL_REVIEW: Step.GIVE_BACK}
# A physician is offered first what only a physician can decide.
_OFFERS = (
    (Role.PHYSICIAN, State.CLINICAL_REVIEW, Step.TAKE_IN_HAND),
    (Role.PHYSICIAN, State.QUEUED, Step.CLAIM),
    (Role.REVIEWER, State.QUEUED, Step.CLAIM),
)


class LeaseHeldByAnother(AuthzError):
    """Another reviewer has this request in hand."""

    code = "lease-held-by-another"


class NotInHand(AuthzError):
    """The actor's lease on this request has run out, or was never theirs."""

    code = "not-in-hand"


class ConflictOfInterest(AuthzError):
    """The request concerns the reviewer's own clinic or prescriptions; somebody else must look at it."""

    code = "conflict-of-interest"


class AnotherDeciderNeeded(AuthzError):
    """Who decided against a request, or upheld that on appeal, does not decide it again."""

    code = "another-decider-needed"


class ReviewerNeeded(AuthzError):
    """A machine cannot hold a request in review or decide it."""

    code = "reviewer-needed"


@transaction.atomic
def claim(*, prior_auth_id: PriorAuthId, by: Actor, now: datetime, expected_version: int | None = None) -> PriorAuth:
    """Take a queued request into review, leased to this reviewer for half an hour.

    :raises ConflictOfInterest: when it concerns the reviewer's own clinic or prescriptions.
    :raises AnotherDeciderNeeded: when the reviewer decided against it before.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.CLAIM, by)
    _must_be_impartial(prior_auth, person_of(by))
    return _take_in_hand(prior_auth, Step.CLAIM, by, now)


@transaction.atomic
def take_in_hand(
    *, prior_auth_id: PriorAuthId, by: Actor, now: datetime, expected_version: int | None = None
) -> PriorAuth:
    """Lease a request that was referred to a physician, for half an hour.

    :raises LeaseHeldByAnother: while another physician has it.
    :raises AnotherDeciderNeeded: when the actor decided against it before.
    """
    prior_auth = in_hand(prior_auth_id, step=Step.TAKE_IN_HAND, by=by, now=now, expected_version=expected_version)
    return _take_in_hand(prior_auth, Step.TAKE_IN_HAND, by, now)


def claim_next(*, by: Actor, now: datetime) -> PriorAuth | None:
    """Take in hand the most pressing request that the actor may take; None when nothing waits for them.

    Requests that others are taking at this moment are passed by, so that any number of reviewers never share one. What
    the actor passed over comes after all others. Each try is one statement, which needs no transaction about it.

    :raises Forbidden: when the actor does not review.
    """
    # The skipped are asked for apart: to put them last in one order, the whole queue would be sorted.
    for once_more, (role, state, step) in product((False, True), _OFFERS):
        if role in by.roles:
            waiting = next_waiting(person_of(by), by.organization, state=state, now=now, once_more=once_more)
            held = {"reviewer_id": by.person_id, "leased_until": now + LEASE}
            if taken := steps.take_first(waiting, step, state=state, by=by, now=now, changed=held):
                return taken
    if by.roles.isdisjoint({Role.REVIEWER, Role.PHYSICIAN}):
        raise Forbidden("Your role does not allow you to review.")
    return None


@transaction.atomic
def renew_lease(*, prior_auth_id: PriorAuthId, by: Actor, now: datetime) -> PriorAuth:
    """Keep a request in hand for another half an hour.

    :raises NotInHand: when the actor does not have it, or not any more.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by)
    held_until = prior_auth.leased_until
    if held_until is None or held_until <= now or prior_auth.reviewer_id != person_of(by):
        raise NotInHand(
            "You do not have this request in hand. One whose time ran out is back within a minute; take it again then."
        )
    prior_auth.leased_until = max(held_until, now + LEASE)
    prior_auth.save(update_fields=["leased_until"])
    return prior_auth


@transaction.atomic
def skip(*, prior_auth_id: PriorAuthId, reason: str, by: Actor, now: datetime) -> PriorAuth:
    """Pass a request over, for a reason: for a day the actor is not offered it.

    Once it is at risk of a breach they are, when nothing else waits for them. Doing it again meanwhile changes
    nothing. One that they have in hand goes back for another.

    :raises IllegalStep: when the actor could not take it anyway.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by)
    back = _BACK.get(State(prior_auth.state))
    if back is not None and prior_auth.reviewer_id == person_of(by):
        _let_go(prior_auth, back, by=by, now=now, note=reason)
    is_queued = prior_auth.state == State.QUEUED.value
    steps.must_be_legal(prior_auth, Step.CLAIM if is_queued else Step.TAKE_IN_HAND, by)
    skips = Skip.objects.filter(prior_auth=prior_auth, person=person_of(by))
    if not skips.filter(at__gt=now - SKIP_HOLDS).exists():
        skips.create(prior_auth=prior_auth, person_id=person_of(by), reason=reason, at=now)
        audit.record(by=by, action="skip", subject_kind="prior-auth", subject_id=prior_auth.public_id, now=now)
    return prior_auth


@transaction.atomic
def reassign(
    *,
    prior_auth_id: PriorAuthId,
    person_id: PersonId,
    reason: str,
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Hand a request to a colleague, for whom the half hour begins; an administrator may take it from whoever has it.

    :raises InvalidInput: when there is no such colleague who could take it, or they are away.
    :raises LeaseHeldByAnother: for a reviewer, while another one has it.
    """
    if Role.INSURER_ADMIN in by.roles:
        prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
        steps.must_be_legal(prior_auth, Step.REASSIGN, by)
    else:
        prior_auth = in_hand(prior_auth_id, step=Step.REASSIGN, by=by, now=now, expected_version=expected_version)
    prior_auth.reviewer_id = _colleague(prior_auth, person_id, now)
    prior_auth.leased_until = now + LEASE
    steps.take(prior_auth, Step.REASSIGN, by=by, now=now, note=reason)
    return prior_auth


@transaction.atomic
def reassign_all(
    *, prior_auth_ids: Collection[PriorAuthId], person_id: PersonId, reason: str, by: Actor, now: datetime
) -> list[PriorAuth]:
    """Hand several requests to a colleague: all of them, or when one cannot be handed on none.

    :raises InvalidInput: when there is no such colleague who could take one of them, or they are away.
    :raises IllegalStep: when one of them is with no reviewer now.
    """
    # Always in the same order, so that two who hand on the same ones do not wait for each other.
    handed = sorted(set(prior_auth_ids))
    return [reassign(prior_auth_id=key, person_id=person_id, reason=reason, by=by, now=now) for key in handed]


def _colleague(prior_auth: PriorAuth, person_id: PersonId, now: datetime) -> int:
    is_clinical = prior_auth.state == State.CLINICAL_REVIEW.value
    roles = {Role.PHYSICIAN} if is_clinical else {Role.REVIEWER, Role.PHYSICIAN}
    members = Membership.objects.filter(organization=prior_auth.insurer_id, role__in=[role.value for role in roles])
    found = members.filter(person__public_id=person_id, person__is_active=True).first()
    if (
        found is None
        or is_partial(prior_auth, person_id=found.person_id)
        or has_decided_against(prior_auth, person_id=found.person_id)
        or (is_clinical and lacks_specialty(prior_auth, found.person_id))
    ):
        raise InvalidInput({"person": ["Name a colleague who may review this request."]})
    if is_absent(found.person_id, organization_id=prior_auth.insurer_id, now=now):
        raise InvalidInput({"person": ["That colleague is away."]})
    return found.person_id


def _take_in_hand(prior_auth: PriorAuth, step: Step, by: Actor, now: datetime) -> PriorAuth:
    must_be_another_decider(prior_auth, person_id=person_of(by))
    prior_auth.reviewer_id = by.person_id
    prior_auth.leased_until = now + LEASE
    steps.take(prior_auth, step, by=by, now=now, changed=["reviewer", "leased_until"])
    return prior_auth


def must_be_another_decider(prior_auth: PriorAuth, *, person_id: int) -> None:
    """Refuse whoever decided against the request before.

    :raises AnotherDeciderNeeded: when the person did, or upheld that on appeal.
    """
    if has_decided_against(prior_auth, person_id=person_id):
        raise AnotherDeciderNeeded("You decided against this request before; somebody else must look at it again.")


def _must_be_impartial(prior_auth: PriorAuth, person_id: int) -> None:
    if is_partial(prior_auth, person_id=person_id):
        raise ConflictOfInterest("This request concerns your own clinic or prescriptions.")


def is_partial(prior_auth: PriorAuth, *, person_id: int) -> bool:
    """Say whether the person works at the request's clinic, or prescribed."""
    with connection.cursor() as cursor:
        asked = [person_id, prior_auth.clinic_id, prior_auth.prescriber_id]
        cursor.execute("SELECT authz_is_partial(%s, %s, %s)", asked)
        return bool(cursor.fetchone()[0])


@transaction.atomic
def release(
    *, prior_auth_id: PriorAuthId, reason: str, by: Actor, now: datetime, expected_version: int | None = None
) -> PriorAuth:
    """Put a request back into the queue."""
    prior_auth = in_hand(prior_auth_id, step=Step.RELEASE, by=by, now=now, expected_version=expected_version)
    return _let_go(prior_auth, Step.RELEASE, by=by, now=now, note=reason)


@transaction.atomic
def give_back(
    *, prior_auth_id: PriorAuthId, reason: str, by: Actor, now: datetime, expected_version: int | None = None
) -> PriorAuth:
    """Leave a request that was referred to a physician to another one."""
    prior_auth = in_hand(prior_auth_id, step=Step.GIVE_BACK, by=by, now=now, expected_version=expected_version)
    return _let_go(prior_auth, Step.GIVE_BACK, by=by, now=now, note=reason)


def release_expired(*, now: datetime) -> int:
    """Put every request back whose lease has run out, or whose reviewer has left; return how many there were."""
    return sweep(_held_no_longer(now).values_list("pk", flat=True), work=_release_one, now=now)


def _held_no_longer(now: datetime) -> QuerySet[PriorAuth]:
    """Return what goes back. What was answered is kept for days for who asked: that helps only while they are there."""
    roles = [Role.REVIEWER.value, Role.PHYSICIAN.value]
    members = Membership.objects.filter(organization=OuterRef("insurer"), role__in=roles, person__is_active=True)
    has_left = Q(reviewer__isnull=False) & ~Exists(members.filter(person=OuterRef("reviewer")))
    return PriorAuth.objects.filter(Q(leased_until__lte=now) | has_left, state__in=list(_BACK))


@transaction.atomic
def _release_one(key: int, now: datetime) -> int:
    prior_auth = _held_no_longer(now).filter(pk=key).select_for_update(skip_locked=True).first()
    if prior_auth is None:
        return 0
    note = "The reviewer has left." if _is_leased(prior_auth, now) else "The reviewer's lease ran out."
    _let_go(prior_auth, _BACK[State(prior_auth.state)], by=SYSTEM, now=now, note=note)
    return 1


def _let_go(prior_auth: PriorAuth, step: Step, *, by: Actor, now: datetime, note: str) -> PriorAuth:
    prior_auth.reviewer = prior_auth.leased_until = None
    steps.take(prior_auth, step, by=by, now=now, note=note)
    return prior_auth


def in_hand(
    prior_auth_id: PriorAuthId, *, step: Step, by: Actor, now: datetime, expected_version: int | None
) -> PriorAuth:
    """Lock a request for a step of the reviewer who has it; one nobody has is anyone's who may take the step.

    :raises IllegalStep: when the table does not allow the step.
    :raises LeaseHeldByAnother: while another reviewer has it.
    :raises ConflictOfInterest: when it concerns the actor's own clinic or prescriptions.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, step, by)
    if _is_leased(prior_auth, now) and prior_auth.reviewer_id != by.person_id:
        raise LeaseHeldByAnother("Another reviewer has this request in hand.")
    if by.person_id is not None:
        _must_be_impartial(prior_auth, by.person_id)
    return prior_auth


def person_of(by: Actor) -> int:
    """Return the key of the person who acts.

    :raises ReviewerNeeded: when it is a machine.
    """
    if by.person_id is None:
        raise ReviewerNeeded("Only a person reviews and decides; log in as one.")
    return by.person_id


def _is_leased(prior_auth: PriorAuth, now: datetime) -> bool:
    return prior_auth.leased_until is not None and prior_auth.leased_until > now
