"""Whose a request is: which ones an actor's organization may know, and in which roles the actor meets one."""

from django.db.models import Q

from authz.access.roles import Actor, Role
from authz.prior_auths.models import PriorAuth


def visible_to(by: Actor) -> Q:
    """Return the requests an actor's organization may know: a clinic its own, an insurer those submitted to it."""
    if by.is_system:
        return Q()
    return Q(clinic_id=by.organization) | Q(insurer_id=by.organization, submitted_at__isnull=False)


def roles_in_case(prior_auth: PriorAuth, by: Actor) -> frozenset[Role]:
    """Return the actor's roles as far as their organization's side of this request gives them any."""
    if by.is_system or by.organization_id in {prior_auth.clinic_id, prior_auth.insurer_id}:
        return frozenset(by.roles)
    return frozenset()
