"""The inbox people read in the product. A notice is there once the fact itself is settled, in the same transaction."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from authz.notifications.matrix import ChannelName
from authz.notifications.models import Delivery, InboxEntry
from authz.notifications.subjects import Subject
from authz.pain.models import PainHint
from authz.prescriptions.emergency.models import EmergencyAccess
from authz.prior_auths.models import PriorAuth


def enter(deliveries: Iterable[Delivery], *, subjects: Mapping[int, Subject], now: datetime) -> None:
    """Add an entry for each of the deliveries into inboxes, just made in this transaction; others are passed by.

    `subjects` is what the facts are about, by their keys.
    """
    InboxEntry.objects.bulk_create(
        _entry(one, one.recipient_id, subjects.get(one.message_id), now)
        for one in deliveries
        if one.channel == ChannelName.INBOX.value and one.recipient_id is not None
    )


def _entry(delivery: Delivery, person_id: int, subject: Subject | None, now: datetime) -> InboxEntry:
    return InboxEntry(
        delivery=delivery,
        person_id=person_id,
        organization_id=delivery.organization_id,
        topic=delivery.message.topic,
        prior_auth=subject if isinstance(subject, PriorAuth) else None,
        pain_hint=subject if isinstance(subject, PainHint) else None,
        emergency_access=subject if isinstance(subject, EmergencyAccess) else None,
        needs_act=delivery.needs_act,
        arrived_at=now,
    )
