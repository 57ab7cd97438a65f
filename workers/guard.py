"""Periodic jobs that must not run twice at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from django.db import connection


@contextmanager
def only_one(job: str) -> Iterator[bool]:
    """Hold the job's advisory lock in PostgreSQL, and say whether we got it; False when another process has it.

    The lock belongs to the connection: a worker that dies gives it up.
    """
    key = int.from_bytes(sha256(job.encode()).digest()[:8], "big", signed=True)
    got = _ask("SELECT pg_try_advisory_lock(%s)", key)
    try:
        yield got
    finally:
        if got:
            _ask("SELECT pg_advisory_unlock(%s)", key)


def _ask(question: str, key: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(question, [key])
        return bool(cursor.fetchone()[0])
