"""The channels, in the order in which deliveries are made: quick ones first, so a slow one keeps nobody waiting."""

from collections.abc import Mapping

from authz.notifications.channels.contract import Channel
from authz.notifications.channels.email.services import Email
from authz.notifications.channels.inbox.services import Inbox
from authz.notifications.channels.sms.services import Sms
from authz.notifications.matrix import ChannelName

CHANNELS: Mapping[ChannelName, Channel] = {
    ChannelName.INBOX: Inbox(),
    ChannelName.EMAIL: Email(),
    ChannelName.SMS: Sms(),
}
