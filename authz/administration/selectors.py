"""The machines of an organization, and who is invited into it."""

from datetime import datetime
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.db.models import QuerySet

from authz.access.models import ApiClient, Person
from authz.access.roles import Action, Actor, must_be_allowed
from authz.access.tenancy import across_tenants
from authz.administration.models import Invitation
from authz.errors import NotFound
from authz.ids import ApiClientId, InvitationId


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
