"""What every channel is. tests/notifications/test_channels.py holds each registered one to it."""

from datetime import datetime
from typing import Protocol

from authz.notifications.matrix import ChannelName
from authz.notifications.models import Delivery


class NotDelivered(Exception):
    """The channel could not hand the notice over now; a later attempt may. `code` is safe to keep and to log."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Unreachable(NotDelivered):
    """The channel will never reach the person so: the address itself was refused. No later attempt would help."""

    def __init__(self, code: str, *, channel: ChannelName, marks_address: bool = True) -> None:
        """`marks_address` is whether the address is to blame, and later notices need not try it either."""
        super().__init__(code)
        self.channel = channel
        self.marks_address = marks_address


class Channel(Protocol):
    """A way to reach a person."""

    def deliver(self, delivery: Delivery, *, now: datetime) -> None:
        """Hand a leased delivery over and settle it.

        A channel that writes to our own database settles in the transaction of that write, so the effect happens
        exactly once. One that reaches outside does so outside any transaction and settles afterwards; should the worker
        die in between, the notice goes out again with the same `public_id`.

        :raises NotDelivered: when it could not be handed over; the delivery is then still leased, not settled.
        :raises Unreachable: when no later attempt would help either; the same holds.
        :raises LeaseLost: when the lease ran out and another worker has the delivery.
        """
