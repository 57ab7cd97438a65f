"""Hand a mail to the mail server, and read its refusals."""

import smtplib

from django.core.mail import EmailMessage

from authz.notifications.channels.contract import NotDelivered, Unreachable
from authz.notifications.matrix import ChannelName


def send(mail: EmailMessage) -> None:
    """Send a mail to its one address. Call it outside any transaction.

    :raises Unreachable: when the server refuses the address for good (5xx).
    :raises NotDelivered: when it could not be sent now.
    """
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as refusal:
        numbers = [number for number, _words in refusal.recipients.values()]
        code = f"{type(refusal).__name__} {' '.join(str(number) for number in numbers)}"
        if all(500 <= number <= 599 for number in numbers):
            raise Unreachable(code, channel=ChannelName.EMAIL) from refusal
        raise NotDelivered(code) from refusal
    except OSError as refusal:  # smtplib's other exceptions are OSErrors too
        raise NotDelivered(_code(refusal)) from refusal


def _code(refusal: OSError) -> str:
    """Return the kind of the refusal and the server's number for it; its words may quote the mail."""
    kind = type(refusal).__name__
    return f"{kind} {refusal.smtp_code}" if isinstance(refusal, smtplib.SMTPResponseException) else kind
