"""The channels that leave the house, in the order in which deliveries are made: quick ones first."""

from collections.abc import Mapping

from authz.notifications.channels.contract import Channel
from authz.notifications.channels.email.services import Email
from authz.notifications.channels.sms.services import Sms
from authz.notifications.channels.webhook import services as webhook
from authz.notifications.matrix import ChannelName
from authz.outbox.backoff import Patience

CHANNELS: Mapping[ChannelName, Channel] = {
    ChannelName.EMAIL: Email(),
    ChannelName.SMS: Sms(),
    ChannelName.WEBHOOK: webhook.Webhook(),
}

PATIENCE: Mapping[ChannelName, Patience] = {ChannelName.WEBHOOK: webhook.PATIENCE}
"""How often a channel tries, and how long it waits at most; one that is not named here tries as the outbox does."""
