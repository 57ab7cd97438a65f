"""The inbox people read in the product. Entry and settlement are one transaction: each notice arrives exactly once."""

from datetime import datetime

from django.db import transaction

from authz.notifications.models import Delivery, InboxEntry
from authz.notifications.subjects import subject_of
from authz.outbox import leases
from authz.pain.models import PainHint
from authz.prior_auths.models import PriorAuth


class Inbox:
    """Delivers into the recipient's inbox."""

    def deliver(self, delivery: Delivery, *, now: datetime) -> None:
        """Add the entry. See channels.contract."""
        with transaction.atomic(durable=True):
            leases.settle(delivery, now=now)
            subject = subject_of(delivery.message)
            InboxEntry.objects.create(
                delivery=delivery,
                person=delivery.person,
                organization_id=delivery.organization_id,
                topic=delivery.message.topic,
                prior_auth=subject if isinstance(subject, PriorAuth) else None,
                pain_hint=subject if isinstance(subject, PainHint) else None,
                needs_act=delivery.needs_act,
                arrived_at=now,
            )
