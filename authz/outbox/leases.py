"""Work for exactly one worker at a time: lease, then settle or postpone. Facts and deliveries are leased alike.

The attempt's number is the proof of the lease: a worker that was away for longer than its lease finds another number
in the row and can no longer settle or postpone it.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from authz.access.database.rows import change_where
from authz.errors import NotFound
from authz.outbox.backoff import Patience, wait_after
from authz.outbox.models import Leased

log = logging.getLogger(__name__)

LEASE_RAN_OUT = "lease-ran-out"
Work = TypeVar("Work", bound=Leased)


class LeaseLost(Exception):
    """The lease ran out and someone else took the row, or it is settled or dead."""


def lease_next(waiting: QuerySet[Work], *, now: datetime, patience: Patience | None = None) -> Work | None:
    """Lease the row that is due for longest, commit, and return it; None when nothing is due. See lease."""
    return next(iter(lease(waiting, at_most=1, now=now, patience=patience)), None)


def lease(waiting: QuerySet[Work], *, at_most: int, now: datetime, patience: Patience | None = None) -> list[Work]:
    """Lease the rows that are due for longest, so many at most, commit, and return them; none when nothing is due.

    A row whose last permitted attempt never came back is dead: the worker died of it each time. One that was tried
    before comes alone, so that it takes no other with it. Without a `patience` of its own, work has the deployment's
    usual one.

    :raises RuntimeError: inside a transaction, where the lease would not be seen by others.
    """
    next_ones = due(waiting, now=now).order_by("due_at", "pk")
    while True:
        with transaction.atomic(durable=True):
            rows = _together(list(next_ones.select_for_update(skip_locked=True, of=("self",))[:at_most]))
            fatal = [row for row in rows if row.attempts >= _patience(patience).attempts]
            for row in fatal:
                _change([row], dead_at=now, last_error=LEASE_RAN_OUT)
                _say_dead(row, LEASE_RAN_OUT)
            leased = _leased([row for row in rows if row not in fatal], now=now)
        if leased or not fatal:
            return leased


def due(waiting: QuerySet[Work], *, now: datetime) -> QuerySet[Work]:
    """Return what may be leased now."""
    return waiting.filter(due_at__lte=now, dead_at=None)


def renew(row: Leased, *, now: datetime) -> None:
    """Keep a leased row for another lease: for work that takes longer than one.

    :raises LeaseLost: when it is no longer ours.
    """
    _change([row], due_at=now + _lease())


def settle(row: Leased, *, now: datetime, **result: object) -> None:
    """Mark a leased row as done, and write what came of it into columns of its own.

    :raises LeaseLost: when it is no longer ours.
    """
    _change([row], **{row.SETTLED: now}, **result)


def settle_all(rows: Sequence[Leased], *, now: datetime) -> None:
    """Mark leased rows of one kind as done. Call it in a transaction, which ends with the first that is not ours.

    :raises LeaseLost: when one of them is no longer ours.
    """
    _change(rows, **{rows[0].SETTLED: now})


def postpone(
    row: Leased,
    *,
    error: str,
    now: datetime,
    patience: Patience | None = None,
    not_before: datetime | None = None,
    **result: object,
) -> None:
    """Put a leased row back until its next attempt; after the last one it is dead, and waits for a person to replay it.

    `error` is a code or a class name, never a message: messages may quote what was sent. `result` goes into columns of
    its own.

    :raises LeaseLost: when it is no longer ours.
    """
    patience = _patience(patience)
    if row.attempts >= patience.attempts:
        give_up(row, error=error, now=now, **result)
        return
    due_at = now + wait_after(row.attempts, seed=f"{row._meta.db_table}/{row.pk}", longest=patience.longest)
    _change([row], due_at=max(due_at, not_before or due_at), last_error=error, **result)
    log.info("postponed table=%s id=%s attempt=%s error=%s", row._meta.db_table, row.pk, row.attempts, error)


def hand_back(rows: Sequence[Leased], *, now: datetime) -> None:
    """Put leased rows back untried: whoever comes next may lease them, and the attempt does not count.

    :raises LeaseLost: when one of them is no longer ours.
    """
    for attempts, same in _by_attempts(rows).items():
        _change(same, attempts=attempts - 1, due_at=now)


def give_up(row: Leased, *, error: str, now: datetime, **result: object) -> None:
    """Declare a leased row dead at once: no further attempt can succeed until a person has changed something.

    :raises LeaseLost: when it is no longer ours.
    """
    _change([row], dead_at=now, last_error=error, **result)
    _say_dead(row, error)


def replay(dead: QuerySet[Work], *, pk: int, now: datetime) -> None:
    """Give a dead row all its attempts again, from now on.

    :raises NotFound: when there is no such dead row.
    """
    revived = dead.filter(pk=pk, dead_at__isnull=False).update(dead_at=None, attempts=0, due_at=now)
    if not revived:
        raise NotFound("There is no such dead letter.")


def replay_all(dead: QuerySet[Work], *, now: datetime) -> int:
    """Give every dead row all its attempts again, from now on; return how many there were."""
    return dead.filter(dead_at__isnull=False).update(dead_at=None, attempts=0, due_at=now)


def _patience(own: Patience | None) -> Patience:
    return own or Patience(settings.OUTBOX_ATTEMPTS)


def _together(rows: list[Work]) -> list[Work]:
    return rows[:1] if rows and rows[0].attempts else [row for row in rows if not row.attempts]


def _leased(rows: list[Work], *, now: datetime) -> list[Work]:
    for attempts, same in _by_attempts(rows).items():
        _change(same, attempts=attempts + 1, due_at=now + _lease())
    return rows


def _lease() -> timedelta:
    return timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)


def _change(rows: Sequence[Leased], **values: object) -> None:
    """Write to the rows if the leases are still ours, which the numbers of their attempts prove."""
    for attempts, same in _by_attempts(rows).items():
        kind, keys = type(same[0]), [row.pk for row in same]
        ours = {"attempts": attempts, "dead_at": None, kind.SETTLED: None}
        if change_where(kind, keys, still=ours, **values) != len(keys):
            raise LeaseLost(f"{kind._meta.db_table} {keys} attempt {attempts}")
    for row in rows:
        for name, value in values.items():
            setattr(row, name, value)


def _by_attempts(rows: Iterable[Work]) -> Mapping[int, list[Work]]:
    found = dict[int, list[Work]]()
    for row in rows:
        found.setdefault(row.attempts, []).append(row)
    return found


def _say_dead(row: Leased, error: str) -> None:
    log.error("dead table=%s id=%s attempts=%s error=%s", row._meta.db_table, row.pk, row.attempts, error)
