"""Whose a request is: which ones an actor's organization may know, and in which roles the actor meets one."""

from django.db.models import Q

from authz.access.models import Membership
from authz.access.roles import Actor, Role
from authz.prior_auths.models import PriorAuth


def visible_to(by: Actor) -> Q:
    """Return the requests an actor's organization may know: a clinic its own, an insurer those submitted to it."""
    if by.is_system:
        return Q()
    return Q(clinic_id=by.organization) | Q(insurer_id=by.organization, submitted_at__isnull=False)


def named_to(by: Actor, prior_auth: PriorAuth) -> dict[str, str]:
    """Return how a refusal names a request in its context: by its id, where the actor's organization may know it."""
    is_clinics = prior_auth.clinic_id == by.organization_id
    is_insurers = prior_auth.insurer_id == by.organization_id and prior_auth.submitted_at is not None
    return {"request": str(prior_auth.public_id)} if by.is_system or is_clinics or is_insurers else {}


def roles_in_case(prior_auth: PriorAuth, by: Actor) -> frozenset[Role]:
    """Return the actor's roles as far as their organization's side of this request gives them any."""
    if by.is_system or by.organization_id in {prior_auth.clinic_id, prior_auth.insurer_id}:
        return frozenset(by.roles)
    return frozenset()


def may_attest(prior_auth: PriorAuth, by: Actor) -> bool:
    """Say whether to attest is this person's: the prescriber's own, or, where they do not log in, a colleague's."""
    if Role.PRESCRIBER not in by.roles:
        return False
    own = prior_auth.prescriber.person_id if prior_auth.prescriber else None
    return own == by.person_id or not _is_prescriber(own, prior_auth.clinic_id)


def _is_prescriber(person_id: int | None, clinic_id: int) -> bool:
    """Say whether a person can log in as a prescriber of a clinic; who has left it cannot."""
    there = Membership.objects.filter(organization=clinic_id, role=Role.PRESCRIBER.value, person__is_active=True)
    return there.filter(person=person_id).exists()
