"""Texts by the deployment's provider, at least once: a worker that dies after the provider said yes sends it again."""

from datetime import datetime
from typing import Final

from django.conf import settings

from authz.notifications.channels.contract import Unreachable
from authz.notifications.channels.sms.provider import provider
from authz.notifications.matrix import ChannelName
from authz.notifications.models import Delivery
from authz.notifications.subjects import sayable
from authz.notifications.wishes.models import NotificationSettings
from authz.notifications.wishes.services import PHONE_GIVEN
from authz.outbox import leases

NO_NUMBER: Final = "sms no-number"
"""The person has taken the number back since, or changed it to one that is not confirmed yet."""


class Sms:
    """Delivers to the recipient's phone: a fixed sentence and a link, never any patient data."""

    def deliver(self, delivery: Delivery, *, now: datetime) -> None:
        """Send the text, then settle. See channels.contract."""
        to, words = _text(delivery)
        provider().text(to=to, words=words)
        leases.settle(delivery, now=now)


def _text(delivery: Delivery) -> tuple[str, str]:
    wanted = NotificationSettings.objects.filter(person=delivery.recipient_id).exclude(phone="").first()
    is_code = delivery.message.topic == PHONE_GIVEN
    if wanted is None or not settings.SMS_PROVIDER or not (is_code or wanted.phone_verified_at):
        raise Unreachable(NO_NUMBER, channel=ChannelName.SMS, marks_address=False)
    if is_code:
        return wanted.phone, f"Authz: {wanted.phone_code} confirms this phone. Nobody will ask you for it."
    asks = "something needs your answer" if delivery.needs_act else "there is news for you"
    return wanted.phone, f"Authz: {asks}. {settings.BASE_URL}{sayable(delivery).path}"
