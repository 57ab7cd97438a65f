"""The mail with an invitation's link. At least once, like every mail; nothing of any patient is in it."""

from datetime import datetime

from django.conf import settings

from authz.administration import selectors
from authz.administration.models import Invitation
from authz.notifications.channels.contract import NotDelivered, Unreachable
from authz.notifications.channels.email.message import mail
from authz.notifications.channels.email.post import send
from authz.outbox import leases


def send_next(*, now: datetime) -> bool:
    """Lease one invitation that is due, mail it, and return whether there was one. Runs outside any transaction.

    :raises LeaseLost: when the lease ran out meanwhile and another worker has the invitation.
    """
    invitation = leases.lease_next(selectors.unsent().select_related("organization"), now=now)
    if invitation is None:
        return False
    try:
        _send(invitation)
    except Unreachable as refusal:
        leases.give_up(invitation, error=refusal.code, now=now)
    except NotDelivered as refusal:
        leases.postpone(invitation, error=refusal.code, now=now)
    else:
        leases.settle(invitation, now=now)
    return True


def _send(invitation: Invitation) -> None:
    says = {
        "organization": invitation.organization.name,
        "until": invitation.expires_at,
        "link": f"{settings.BASE_URL}/invitations/{selectors.link_of(invitation)}/",
    }
    subject = f"You are invited to {invitation.organization.name}"
    send(mail(to=invitation.email, subject=subject, template="invitation", says=says, mail_id=invitation.public_id))
