"""Digests: what joins one, and the one mail that counts it. At least once, like every mail."""

from datetime import datetime, timedelta

from authz.notifications.channels.contract import NotDelivered, Unreachable
from authz.notifications.channels.email.post import send
from authz.notifications.digests import selectors
from authz.notifications.digests.message import digest_letter
from authz.notifications.digests.models import Digest
from authz.notifications.waiting import Wishes
from authz.notifications.wishes import services as wishes
from authz.outbox import leases


def join(*, person_id: int, organization_id: int, wanted: Wishes, at: datetime) -> Digest:
    """Return the person's digest of that instant, locked until the transaction ends; a later one if it is being made.

    :raises ValueError: when the person wants no digest.
    """
    comes_at = wanted.digest_at(at)
    if comes_at is None:
        raise ValueError("this person wants no digest")
    digest, _ = Digest.objects.select_for_update().get_or_create(
        person_id=person_id, organization_id=organization_id, comes_at=comes_at, defaults={"due_at": comes_at}
    )
    if digest.attempts == 0 and digest.sent_at is None:
        return digest
    after = comes_at + timedelta(minutes=1)
    return join(person_id=person_id, organization_id=organization_id, wanted=wanted, at=after)


def send_next(*, now: datetime) -> bool:
    """Lease one digest that is due, send it, and return whether there was one. Runs outside any transaction.

    Nothing is sent when all it would count has been read or settled meanwhile. An address that is refused for good is
    marked; what the digest counted is in the inbox.

    :raises LeaseLost: when the lease ran out meanwhile and another worker has the digest.
    """
    digest = leases.lease_next(selectors.unsent(), now=now)
    if digest is None:
        return False
    try:
        _send(digest)
    except Unreachable as refusal:
        wishes.note_refused(channel=refusal.channel, person_id=digest.person_id, code=refusal.code, now=now)
        leases.give_up(digest, error=refusal.code, now=now)
    except NotDelivered as refusal:
        leases.postpone(digest, error=refusal.code, now=now)
    else:
        leases.settle(digest, now=now)
    return True


def _send(digest: Digest) -> None:
    counted = selectors.counted(digest)
    if counted.is_something:
        send(digest_letter(to=digest.person.email, counted=counted, digest_id=digest.public_id))
