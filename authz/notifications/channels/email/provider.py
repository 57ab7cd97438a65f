"""Mail by a provider's own API instead of SMTP, through django-anymail (the extra `mail`); it fails as SMTP does."""

from collections.abc import Sequence
from smtplib import SMTPRecipientsRefused
from typing import Any

from anymail.exceptions import AnymailError, AnymailRecipientsRefused
from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.module_loading import import_string

_REFUSED = 550


class ProviderFailed(OSError):
    """The provider could not be asked, or would not. Its words may quote the mail, so they are not kept."""


class Backend(BaseEmailBackend):
    """Django's mail backend, named in EMAIL_BACKEND when there is a provider."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._provider: BaseEmailBackend = import_string(f"anymail.backends.{settings.MAIL_PROVIDER}.EmailBackend")()

    def open(self) -> bool | None:
        """Make a session."""
        return self._provider.open()

    def close(self) -> None:
        """End it."""
        self._provider.close()

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Send mails, each to one address; return how many.

        :raises SMTPRecipientsRefused: when the provider refuses the address for good.
        :raises ProviderFailed: when it could not be sent now.
        """
        try:
            return self._provider.send_messages(email_messages) or 0
        except AnymailRecipientsRefused:
            refused = {address: (_REFUSED, b"") for mail in email_messages for address in mail.to}
            raise SMTPRecipientsRefused(refused) from None
        except (AnymailError, OSError) as failure:
            raise ProviderFailed(type(failure).__name__) from None
