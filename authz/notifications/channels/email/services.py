"""E-mail by SMTP, at least once: a worker that dies after the mail server said yes sends the same Message-ID again."""

from datetime import datetime

from authz.notifications.channels.email.message import letter
from authz.notifications.channels.email.post import send
from authz.notifications.models import Delivery
from authz.notifications.subjects import sayable
from authz.outbox import leases


class Email:
    """Delivers to the recipient's e-mail address."""

    def deliver(self, delivery: Delivery, *, now: datetime) -> None:
        """Send the mail, then settle. See channels.contract."""
        mail = letter(
            to=delivery.person.email,
            topic=delivery.message.topic,
            needs_act=delivery.needs_act,
            says=sayable(delivery),
            delivery_id=delivery.public_id,
        )
        send(mail)
        leases.settle(delivery, now=now)
