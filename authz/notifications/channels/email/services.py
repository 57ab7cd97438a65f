"""E-mail by SMTP, at least once: a worker that dies after the mail server said yes sends the same Message-ID again."""

import smtplib
from datetime import datetime

from authz.notifications.channels.contract import NotDelivered
from authz.notifications.channels.email.message import letter
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
        try:
            mail.send()
        except OSError as refusal:  # smtplib's exceptions are OSErrors too
            raise NotDelivered(_code(refusal)) from refusal
        leases.settle(delivery, now=now)


def _code(refusal: OSError) -> str:
    """Return the kind of the refusal and the server's number for it; its words may quote the mail."""
    kind = type(refusal).__name__
    if isinstance(refusal, smtplib.SMTPRecipientsRefused):
        return f"{kind} {' '.join(str(number) for number, _words in refusal.recipients.values())}"
    if isinstance(refusal, smtplib.SMTPResponseException):
        return f"{kind} {refusal.smtp_code}"
    return kind
