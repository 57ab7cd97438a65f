"""Who sends a text for us. A provider takes a number and fixed words, and says by a code why it could not."""

import logging
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from django.conf import settings

from authz.notifications.channels.sms.twilio import Twilio

log = logging.getLogger(__name__)


class Provider(Protocol):
    """A way to hand over a text."""

    def text(self, *, to: str, words: str) -> None:
        """Hand over one text to a number in E.164 form, such as +15550100. Call it outside any transaction.

        :raises Unreachable: when no later attempt would help either.
        :raises NotDelivered: when it could not be handed over now.
        """


class Console:
    """For development: writes the words into the log, the phone not, and sends them to nobody."""

    def text(self, *, to: str, words: str) -> None:
        """See Provider."""
        log.info("sms provider=console words=%s", words)


def _twilio() -> Provider:
    return Twilio(
        base_url=settings.SMS_BASE_URL,
        account=settings.SMS_ACCOUNT,
        token=settings.SMS_TOKEN,
        sender=settings.SMS_FROM,
        seconds=settings.SMS_TIMEOUT,
    )


PROVIDERS: Final[Mapping[str, Callable[[], Provider]]] = {"console": Console, "twilio": _twilio}
"""By the name that AUTHZ_SMS_PROVIDER gives; without one this deployment sends no texts."""


def provider() -> Provider:
    """Return the provider that the deployment named.

    :raises KeyError: when it named none.
    """
    return PROVIDERS[settings.SMS_PROVIDER]()
