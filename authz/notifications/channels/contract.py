"""What every channel is. tests/notifications/test_channels.py holds each registered one to it."""

from datetime import datetime
from typing import Protocol

from authz.notifications.models import Delivery


class NotDelivered(Exception):
    """The channel could not hand the notice over now; a later attempt may. `code` is safe to keep and to log."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Channel(Protocol):
    """A way to reach a person."""

    def deliver(self, delivery: Delivery, *, now: datetime) -> None:
        """Hand a leased delivery over and settle it.

        A channel that writes to our own database settles in the transaction of that write, so the effect happens
        exactly once. One that reaches outside does so outside any transaction and settles afterwards; should the worker
        die in between, the notice goes out again with the same `public_id`.

        :raises NotDelivered: when it could not be handed over; the delivery is then still leased, not settled.
        :raises LeaseLost: when the lease ran out and another worker has the delivery.
        """
