"""Facts to tell others: every write."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection

from authz.access.database.rows import write
from authz.outbox import leases, selectors
from authz.outbox.models import OutboxMessage
from authz.outbox.nudge import Waiting, nudge_on_commit


class OutsideTransaction(RuntimeError):
    """A fact was announced outside the transaction that makes it true, so one could exist without the other."""


def announce(*, topic: str, subject_id: UUID, now: datetime) -> None:
    """Add a fact in the caller's transaction, and nudge a worker once that commits.

    Hold the lock on the subject while announcing: facts about one subject are told in the order of their rows.

    :raises OutsideTransaction: outside a transaction.
    """
    write(fact(topic=topic, subject_id=subject_id, now=now))


def fact(*, topic: str, subject_id: UUID, now: datetime) -> OutboxMessage:
    """Return the row that announces a fact, for the caller to write with others. See announce."""
    if not connection.in_atomic_block:
        raise OutsideTransaction(f"{topic} was announced outside a transaction")
    nudge_on_commit(Waiting.FACTS)
    return OutboxMessage(topic=topic, subject_id=subject_id, announced_at=now, due_at=now)


def lease(*, at_most: int, now: datetime) -> list[OutboxMessage]:
    """Lease the next facts to tell, no two about one subject, commit, and return them. See leases.lease."""
    return leases.lease(selectors.next_in_line(), at_most=at_most, now=now)


def settle(messages: Sequence[OutboxMessage], *, now: datetime) -> None:
    """Mark leased facts as told. Call it in the transaction that wrote whom to tell.

    :raises LeaseLost: when a lease ran out and someone else has the fact.
    """
    leases.settle_all(messages, now=now)


def postpone(message: OutboxMessage, *, error: str, now: datetime) -> None:
    """Put a leased fact back for a later attempt; `error` is a code. See leases.postpone.

    :raises LeaseLost: when the lease ran out and someone else has it.
    """
    leases.postpone(message, error=error, now=now)


def replay(*, message_id: int, now: datetime) -> None:
    """Bring a dead fact back to life.

    :raises NotFound: when there is no such dead fact.
    """
    leases.replay(OutboxMessage.objects.all(), pk=message_id, now=now)


def replay_all(*, now: datetime) -> int:
    """Bring every dead fact back to life; return how many there were."""
    return leases.replay_all(OutboxMessage.objects.all(), now=now)
