"""How a request ends without a determination: dismissed, linked to another one, or voided."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from authz.access.roles import Actor
from authz.errors import AuthzError, InvalidInput
from authz.ids import PriorAuthId
from authz.prior_auths.lifecycle import DismissalReason, Step
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.same_use import survivors_for
from authz.prior_auths.services import steps
from authz.prior_auths.services.appealing import dismiss_of_voided
from authz.prior_auths.services.calling import cancel_open
from authz.prior_auths.services.queue import in_hand
from authz.prior_auths.visibility import visible_to
from authz.prior_auths.voiding import may_void


class SecondPersonNeeded(AuthzError):
    """One of the clinic's staff proposes to void a request, and somebody else of the clinic does."""

    code = "second-person-needed"


@transaction.atomic
def dismiss(
    *,
    prior_auth_id: PriorAuthId,
    code: DismissalReason,
    reason: str,
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """End what is no valid request; nothing is decided by that.

    :raises LeaseHeldByAnother: while a reviewer has it in hand.
    """
    prior_auth = in_hand(prior_auth_id, step=Step.DISMISS, by=by, now=now, expected_version=expected_version)
    prior_auth.reviewer = prior_auth.leased_until = None
    steps.take(prior_auth, Step.DISMISS, by=by, now=now, note=reason, code=code.value)
    cancel_open(prior_auth=prior_auth, now=now)
    return prior_auth


@transaction.atomic
def link_duplicate(
    *,
    prior_auth_id: PriorAuthId,
    survivor_id: PriorAuthId | None = None,
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """End a request because another one asks for the same; without a survivor, the one that the service proposed.

    :raises InvalidInput: when the survivor is no request of the patient for the same use, active or approved in full.
    """
    # In one order, so that two people who link two requests to each other wait and do not block each other.
    both = PriorAuth.objects.filter(visible_to(by), public_id__in=[prior_auth_id, survivor_id])
    list(both.select_for_update().order_by("pk"))
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.LINK_DUPLICATE, by)
    prior_auth.duplicate_of = _survivor_of(prior_auth, survivor_id, by)
    prior_auth.reviewer = prior_auth.leased_until = None
    steps.take(prior_auth, Step.LINK_DUPLICATE, by=by, now=now)
    cancel_open(prior_auth=prior_auth, now=now)
    return prior_auth


def _survivor_of(prior_auth: PriorAuth, survivor_id: PriorAuthId | None, by: Actor) -> PriorAuth:
    proposed = Q(duplicates=prior_auth)
    standing = survivors_for(prior_auth).filter(visible_to(by))
    survivor = standing.filter(Q(public_id=survivor_id) if survivor_id else proposed).first()
    if survivor is None:
        raise InvalidInput(
            {"survivor": ["Name another request of the patient for the same use, active or approved in full."]}
        )
    return survivor


@transaction.atomic
def propose_void(
    *, prior_auth_id: PriorAuthId, reason: str, by: Actor, now: datetime, expected_version: int | None = None
) -> PriorAuth:
    """Propose to void a request that was created in error; somebody else of the clinic has to do it.

    :raises SecondPersonNeeded: when a machine proposes: it stands for nobody.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.PROPOSE_VOID, by)
    if by.person_id is None:
        raise SecondPersonNeeded("Two people void a request; log in as one.")
    steps.take(prior_auth, Step.PROPOSE_VOID, by=by, now=now, note=reason)
    return prior_auth


@transaction.atomic
def void(
    *, prior_auth_id: PriorAuthId, reason: str, by: Actor, now: datetime, expected_version: int | None = None
) -> PriorAuth:
    """Void a request that was created in error: it is kept, hidden, and gives no right any more.

    :raises SecondPersonNeeded: when nobody else of the clinic has proposed it for the request as it is now; an
        insurer's administrator needs nobody.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.VOID, by)
    if not may_void(prior_auth, by):
        raise SecondPersonNeeded("Somebody else of the staff must propose this first, for the request as it is now.")
    prior_auth.authorizations.filter(revoked_at=None).update(revoked_at=now)
    dismiss_of_voided(prior_auth, now=now)
    prior_auth.reviewer = prior_auth.leased_until = None
    steps.take(prior_auth, Step.VOID, by=by, now=now, note=reason)
    cancel_open(prior_auth=prior_auth, now=now)
    return prior_auth
