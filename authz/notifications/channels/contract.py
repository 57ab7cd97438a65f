"""What every channel is. tests/notifications/test_channels.py holds each registered one to it."""

from datetime import datetime
from typing import Protocol

from authz.notifications.matrix import ChannelName
from authz.notifications.models import Delivery


class NotDelivered(Exception):
    """The channel could not hand the notice over now; a later attempt may, unless this is final.

    `code` is safe to keep and to log. `not_before` is when the next attempt makes sense at the earliest; `result` is
    what else came of this one, for columns of its own.
    """

    def __init__(
        self, code: str, *, is_final: bool = False, not_before: datetime | None = None, **result: object
    ) -> None:
        super().__init__(code)
        self.code = code
        self.is_final = is_final
        self.not_before = not_before
        self.result = result


class Unreachable(NotDelivered):
    """The channel will never reach the person so: the address itself was refused. No later attempt would help."""

    def __init__(self, code: str, *, channel: ChannelName, marks_address: bool = True) -> None:
        """`marks_address` is whether the address is to blame, and later notices need not try it either."""
        super().__init__(code)
        self.channel = channel
        self.marks_address = marks_address


class Channel(Protocol):
    """A way to reach a person, or an organization's own system."""

    def deliver(self, delivery: Delivery, *, now: datetime) -> None:
        """Hand a leased delivery over and settle it.

        A channel that writes to our own database settles in the transaction of that write, so the effect happens
        exactly once. One that reaches outside does so outside any transaction and settles afterwards; should the worker
        die in between, the notice goes out again with the same `public_id`.

        :raises NotDelivered: when it could not be handed over; the delivery is then still leased, not settled.
        :raises Unreachable: when no later attempt would help either; the same holds.
        :raises LeaseLost: when the lease ran out and another worker has the delivery.
        """
