"""The machines of an organization, and who is invited into it."""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.db.models import QuerySet

from authz.access.models import ApiClient, Licence, Membership, Person
from authz.access.roles import Action, Actor, Role, must_be_allowed
from authz.access.tenancy import across_tenants
from authz.administration.models import Invitation
from authz.errors import NotFound
from authz.ids import ApiClientId, InvitationId, LicenceId

_DECIDING: Final = (Role.PHYSICIAN.value, Role.APPEAL_REVIEWER.value)


def clients(by: Actor) -> QuerySet[ApiClient]:
    """Return the machines of the actor's organization, deactivated ones too.

    :raises Forbidden: when the actor does not administer it.
    """
    must_be_allowed(by, Action.MANAGE_CLIENTS)
    return ApiClient.objects.filter(organization=by.organization)


def client(by: Actor, client_id: ApiClientId) -> ApiClient:
    """Return one of them.

    :raises Forbidden: when the actor does not administer the organization.
    :raises NotFound: when it is not theirs.
    """
    found = clients(by).filter(public_id=client_id).first()
    if found is None:
        raise NotFound("There is no such API client.")
    return found


def licences(by: Actor) -> QuerySet[Licence]:
    """Return the licences of the people of the actor's insurer, also those that have run out, by name.

    :raises Forbidden: when the actor does not administer it.
    """
    must_be_allowed(by, Action.MANAGE_LICENCES)
    colleagues = Membership.objects.filter(organization=by.organization).values("person")
    rows = Licence.objects.filter(person__in=colleagues).select_related("person")
    return rows.order_by("person__full_name", "person", "-valid_until", "pk")


def licence(by: Actor, licence_id: LicenceId) -> Licence:
    """Return one of them.

    :raises Forbidden: when the actor does not administer an insurer.
    :raises NotFound: when it is no colleague's.
    """
    found = licences(by).filter(public_id=licence_id).first()
    if found is None:
        raise NotFound("There is no such licence.")
    return found


def unlicensed(by: Actor, *, on: date) -> list[Person]:
    """Return the physicians and appeal reviewers of the actor's insurer who hold no licence on a day, by name."""
    held = licences(by).filter(valid_from__lte=on, valid_until__gte=on).values("person")
    deciding = Membership.objects.filter(organization=by.organization, role__in=_DECIDING).values("person")
    people = Person.objects.filter(pk__in=deciding, is_active=True).exclude(pk__in=held)
    return list(people.order_by("full_name", "pk"))


def invitations(by: Actor) -> QuerySet[Invitation]:
    """Return the invitations into the actor's organization, those that were used or withdrawn too.

    :raises Forbidden: when the actor does not administer it.
    """
    must_be_allowed(by, Action.MANAGE_PEOPLE)
    return Invitation.objects.filter(organization=by.organization)


def invitation(by: Actor, invitation_id: InvitationId) -> Invitation:
    """Return one of them.

    :raises Forbidden: when the actor does not administer the organization.
    :raises NotFound: when it is not theirs.
    """
    found = invitations(by).filter(public_id=invitation_id).first()
    if found is None:
        raise NotFound("There is no such invitation.")
    return found


@across_tenants("the link tells which organization invites")
def invitation_of(link: str, *, now: datetime) -> Invitation | None:
    """Return the invitation that a link is for; None when we did not sign it, or it does not hold any more."""
    try:
        public_id = UUID(signer().unsign(link))
    except (BadSignature, ValueError):
        return None
    holding = Invitation.objects.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=now)
    return holding.select_related("organization").filter(public_id=public_id).first()


def link_of(invitation: Invitation) -> str:
    """Return the signed part of an invitation's link. It can be made anew, so nothing of it is kept."""
    return signer().sign(str(invitation.public_id))


def invited_person(invitation: Invitation) -> Person | None:
    """Return who already has the address that is invited."""
    return Person.objects.filter(email=invitation.email).first()


def unsent() -> QuerySet[Invitation]:
    """Return the invitations whose mail is still to be sent."""
    return Invitation.objects.filter(sent_at=None, withdrawn_at=None)


def signer() -> Signer:
    """Return what signs the links of invitations, and nothing else."""
    return Signer(salt="authz.invitation")
