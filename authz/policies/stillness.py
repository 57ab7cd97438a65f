"""No policy changes while a patient is being rechecked, and nobody is rechecked while one changes.

Otherwise a patient recorded meanwhile would be evaluated under the old policy, and not be seen by whoever looks for the
patients that the new one concerns. The lock is PostgreSQL's and ends with the transaction.
"""

from hashlib import sha256

from django.db import connection

_KEY = int.from_bytes(sha256(b"authz.policies").digest()[:8], "big", signed=True)


def keep_policies() -> None:
    """Have the policies stay as they are until the caller's transaction ends. Any number of callers do so at once."""
    _ask("SELECT pg_advisory_xact_lock_shared(%s)")


def change_policies() -> None:
    """Wait for all who keep the policies as they are, and have others wait until the caller's transaction ends.

    Ask for it before any row is locked: those who are waited for may be waiting for that row.
    """
    _ask("SELECT pg_advisory_xact_lock(%s)")


def _ask(question: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(question, [_KEY])
