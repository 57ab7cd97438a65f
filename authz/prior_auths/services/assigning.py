"""Who of the clinic works on a request."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from authz.access.models import Membership
from authz.access.roles import Actor, Role
from authz.errors import InvalidInput
from authz.ids import PersonId, PriorAuthId
from authz.prior_auths.lifecycle import Step
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import steps


@transaction.atomic
def assign(
    *,
    prior_auth_id: PriorAuthId,
    person_id: PersonId | None,
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> PriorAuth:
    """Say who of the clinic works on a request; None for nobody. Said again, it changes nothing.

    :raises InvalidInput: when the clinic's staff and prescribers include no such person.
    :raises IllegalStep: while the clinic has nothing to do.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.ASSIGN, by)
    chosen = None if person_id is None else _colleague(prior_auth, person_id)
    if chosen != prior_auth.assignee_id:
        prior_auth.assignee_id = chosen
        steps.take(prior_auth, Step.ASSIGN, by=by, now=now, changed=["assignee"])
    return prior_auth


@transaction.atomic
def assign_all(
    *, prior_auth_ids: Sequence[PriorAuthId], person_id: PersonId | None, by: Actor, now: datetime
) -> list[PriorAuth]:
    """Say who works on several requests: on all of them, or when one cannot be assigned on none.

    :raises InvalidInput: when the clinic's staff and prescribers include no such person.
    :raises IllegalStep: while the clinic has nothing to do on one of them.
    """
    # Always in the same order, so that two who assign the same ones do not wait for each other.
    return [assign(prior_auth_id=key, person_id=person_id, by=by, now=now) for key in sorted(set(prior_auth_ids))]


def _colleague(prior_auth: PriorAuth, person_id: PersonId) -> int:
    members = Membership.objects.filter(
        organization=prior_auth.clinic_id, role__in=[Role.STAFF.value, Role.PRESCRIBER.value]
    )
    found = members.filter(person__public_id=person_id, person__is_active=True).first()
    if found is None:
        raise InvalidInput({"person": ["Name a colleague of the clinic."]})
    return found.person_id
