"""Work for exactly one worker at a time: lease, then settle or postpone. Facts and deliveries are leased alike.

The attempt's number is the proof of the lease: a worker that was away for longer than its lease finds another number
in the row and can no longer settle or postpone it.
"""

import logging
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from authz.errors import NotFound
from authz.outbox.backoff import wait_after
from authz.outbox.models import Leased

log = logging.getLogger(__name__)

LEASE_RAN_OUT = "lease-ran-out"
Work = TypeVar("Work", bound=Leased)


class LeaseLost(Exception):
    """The lease ran out and someone else took the row, or it is settled or dead."""


def lease_next(waiting: QuerySet[Work], *, now: datetime) -> Work | None:
    """Lease the row that is due for longest, commit, and return it; None when nothing is due.

    A row whose last permitted attempt never came back is dead: the worker died of it each time.

    :raises RuntimeError: inside a transaction, where the lease would not be seen by others.
    """
    due = waiting.filter(due_at__lte=now, dead_at=None).order_by("due_at", "pk")
    while True:
        with transaction.atomic(durable=True):
            row = due.select_for_update(skip_locked=True, of=("self",)).first()
            if row is None:
                return None
            if row.attempts < settings.OUTBOX_ATTEMPTS:
                return _leased(row, now=now)
            _change(row, dead_at=now, last_error=LEASE_RAN_OUT)
            _say_dead(row, LEASE_RAN_OUT)


def renew(row: Leased, *, now: datetime) -> None:
    """Keep a leased row for another lease: for work that takes longer than one.

    :raises LeaseLost: when it is no longer ours.
    """
    _change(row, due_at=now + _lease())


def settle(row: Leased, *, now: datetime, **result: object) -> None:
    """Mark a leased row as done, and write what came of it into columns of its own.

    :raises LeaseLost: when it is no longer ours.
    """
    _change(row, **{row.SETTLED: now}, **result)


def postpone(row: Leased, *, error: str, now: datetime) -> None:
    """Put a leased row back until its next attempt; after the last one it is dead, and waits for a person to replay it.

    `error` is a code or a class name, never a message: messages may quote what was sent.

    :raises LeaseLost: when it is no longer ours.
    """
    if row.attempts >= settings.OUTBOX_ATTEMPTS:
        _change(row, dead_at=now, last_error=error)
        _say_dead(row, error)
        return
    wait = wait_after(row.attempts, seed=f"{row._meta.db_table}/{row.pk}")
    _change(row, due_at=now + wait, last_error=error)
    log.info("postponed table=%s id=%s attempt=%s error=%s", row._meta.db_table, row.pk, row.attempts, error)


def give_up(row: Leased, *, error: str, now: datetime) -> None:
    """Bury a leased row at once: no further attempt would help. A person can still replay it.

    `error` is a code or a class name, as for postpone.

    :raises LeaseLost: when it is no longer ours.
    """
    _change(row, dead_at=now, last_error=error)
    log.info("given-up table=%s id=%s attempt=%s error=%s", row._meta.db_table, row.pk, row.attempts, error)


def replay(dead: QuerySet[Work], *, pk: int, now: datetime) -> None:
    """Give a dead row all its attempts again, from now on.

    :raises NotFound: when there is no such dead row.
    """
    revived = dead.filter(pk=pk, dead_at__isnull=False).update(dead_at=None, attempts=0, due_at=now)
    if not revived:
        raise NotFound("There is no such dead letter.")


def _leased(row: Work, *, now: datetime) -> Work:
    _change(row, attempts=row.attempts + 1, due_at=now + _lease())
    return row


def _lease() -> timedelta:
    return timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)


def _change(row: Leased, **values: object) -> None:
    """Write to the row if the lease is still ours, which the number of its attempts proves."""
    ours = type(row)._base_manager.filter(pk=row.pk, attempts=row.attempts, dead_at=None, **{row.SETTLED: None})
    if not ours.update(**values):
        raise LeaseLost(f"{row._meta.db_table} {row.pk} attempt {row.attempts}")
    for name, value in values.items():
        setattr(row, name, value)


def _say_dead(row: Leased, error: str) -> None:
    log.error("dead table=%s id=%s attempts=%s error=%s", row._meta.db_table, row.pk, row.attempts, error)
