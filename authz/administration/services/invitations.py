"""Inviting people into an organization, and accepting."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from authz.access import services as access
from authz.access.models import Membership, Person
from authz.access.roles import Actor, Role
from authz.access.selectors import actor_for, organization
from authz.access.tenancy import across_tenants
from authz.administration import selectors
from authz.administration.models import Invitation
from authz.audit import services as audit
from authz.errors import AuthzError, InvalidInput
from authz.ids import InvitationId
from authz.outbox.nudge import Waiting, nudge_on_commit

HOLDS: Final = timedelta(days=7)
MOST_OPEN: Final = 200


class TooManyInvitations(AuthzError):
    """As many invitations are open as may be."""

    code = "too-many-invitations"


class InvitationEnded(AuthzError):
    """The invitation was used, withdrawn, or has run out."""

    code = "invitation-ended"


@transaction.atomic
def invite(*, email: str, roles: Collection[Role], by: Actor, now: datetime) -> Invitation:
    """Invite whoever reads the mail of an address into roles of the actor's organization, for seven days.

    :raises Forbidden: when the actor does not administer the organization.
    :raises InvalidInput: when an organization of that kind has no such role.
    :raises TooManyInvitations: when as many are open as may be.
    """
    still_open = selectors.invitations(by).filter(accepted_at=None, withdrawn_at=None, expires_at__gt=now)
    access.must_fit(organization=organization(by), roles=set(roles))
    if still_open.count() >= MOST_OPEN:
        raise TooManyInvitations(f"At most {MOST_OPEN} invitations are open at once. Withdraw some.")
    made = Invitation.objects.create(
        organization_id=by.organization,
        email=email.lower(),
        roles=sorted(role.value for role in roles),
        invited_by_id=by.person_id,
        invited_at=now,
        expires_at=now + HOLDS,
        due_at=now,
    )
    _record("invite", made, by=by, now=now)
    nudge_on_commit(Waiting.DELIVERIES)
    return made


@transaction.atomic
def withdraw(*, invitation_id: InvitationId, by: Actor, now: datetime) -> None:
    """Let an invitation hold no more. Doing it again changes nothing.

    :raises Forbidden: when the actor does not administer the organization.
    :raises NotFound: when the invitation is not theirs.
    :raises InvitationEnded: when it was accepted.
    """
    found = selectors.invitation(by, invitation_id)
    row = Invitation.objects.select_for_update().get(pk=found.pk)
    if row.accepted_at:
        raise InvitationEnded("The invitation was accepted already.")
    if row.withdrawn_at is None:
        row.withdrawn_at = now
        row.save(update_fields=["withdrawn_at"])
        _record("withdraw", row, by=by, now=now)


@transaction.atomic
def send_again(*, invitation_id: InvitationId, by: Actor, now: datetime) -> Invitation:
    """Invite the same address into the same roles anew, with a new link; the one before leads nowhere any more.

    :raises Forbidden: when the actor does not administer the organization.
    :raises NotFound: when the invitation is not theirs.
    :raises InvitationEnded: when it was accepted.
    :raises TooManyInvitations: when as many are open as may be.
    """
    before = selectors.invitation(by, invitation_id)
    withdraw(invitation_id=invitation_id, by=by, now=now)
    return invite(email=before.email, roles={Role(role) for role in before.roles}, by=by, now=now)


@transaction.atomic
@across_tenants("whoever accepts is not yet a member")
def accept(
    *, link: str, person: Person | None = None, full_name: str = "", password: str = "", now: datetime
) -> Person:
    """Accept an invitation: as somebody new with a name and a password, or as the `person` of that address.

    :raises InvitationEnded: when the link is none of ours, or its invitation does not hold any more.
    :raises InvalidInput: when the name or the password is not right, or the person is not the one who was invited.
    """
    found = selectors.invitation_of(link, now=now)
    row = Invitation.objects.select_for_update().get(pk=found.pk) if found else None
    if row is None or row.accepted_at or row.withdrawn_at:
        raise InvitationEnded("The invitation was used, withdrawn, or has run out.")
    known = selectors.invited_person(row)
    if known != person:
        raise InvalidInput({"": ["Log in with the account of the invited address."]})
    member = known or _new_person(row, full_name=full_name, password=password)
    for role in row.roles:
        if not Membership.objects.filter(person=member, organization=row.organization, role=role).exists():
            access.add_membership(person=member, organization=row.organization, role=Role(role))
    row.accepted_at = now
    row.save(update_fields=["accepted_at"])
    _record("accept", row, by=actor_for(person=member, organization=row.organization), now=now)
    return member


def _new_person(row: Invitation, *, full_name: str, password: str) -> Person:
    faults = {} if full_name.strip() else {"full_name": ["Give your name."]}
    try:
        validate_password(password, Person(email=row.email, full_name=full_name))
    except ValidationError as refusal:
        faults["password"] = list(refusal.messages)
    if faults:
        raise InvalidInput(faults)
    zone = row.organization.time_zone
    return access.create_person(email=row.email, full_name=full_name.strip(), password=password, time_zone=zone)


def _record(action: str, row: Invitation, *, by: Actor, now: datetime) -> None:
    audit.record(by=by, action=action, subject_kind="invitation", subject_id=row.public_id, now=now)
