"""A mail backend that refuses to send while a transaction is open."""

from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend
from django.db import connection


class Witness(EmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        if connection.in_atomic_block:
            raise AssertionError("a mail was sent inside a transaction")
        return super().send_messages(email_messages)
