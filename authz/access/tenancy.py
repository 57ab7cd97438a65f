"""In whose name the database is asked: one organization's, everybody's where a reason is given, or nobody's.

Row-level security shows a transaction the rows of the organization named in `authz.tenant`, and lets it write no
others. The name is set with SET LOCAL, so it ends with the transaction, whoever gets the connection next. Without one
nothing is seen and nothing is written. docs/tenancy.md tells more.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import pq

ACROSS = "all"

# None: nothing was said, and the connection's own default holds, which is nobody.
_tenant: ContextVar[str | None] = ContextVar("tenant", default=None)
_is_everybodys = False


def work_for_everybody() -> None:
    """Have each connection of this process ask in everybody's name from its beginning: for workers and beat alone.

    What they do is for all organizations at once; to say so with every statement would be most of what they say.
    """
    global _is_everybodys
    _is_everybodys = True


def works_for_everybody() -> bool:
    """Tell whether this process does."""
    return _is_everybodys


@contextmanager
def within(organization_id: int) -> Iterator[None]:
    """Ask the database in the name of one organization, given by its inside key."""
    with _speaking_for(str(organization_id)):
        yield


@contextmanager
def across_tenants(reason: str) -> Iterator[None]:
    """Ask the database in everybody's name: as briefly as can be, for a reason that a reader can check.

    Only the modules that tests/access/test_tenancy.py names do so.
    """
    if not reason:
        raise ValueError("Say why.")
    with _speaking_for(ACROSS):
        yield


@contextmanager
def _speaking_for(tenant: str) -> Iterator[None]:
    before = _tenant.get()
    token = _tenant.set(tenant)
    if tenant != before:
        _tell_open_transaction()
    try:
        yield
    finally:
        _tenant.reset(token)
        if tenant != before:
            _tell_open_transaction()


def tell(database: BaseDatabaseWrapper) -> None:
    """Say in a transaction that begins in whose name it asks."""
    tenant = _tenant.get()
    if tenant is not None:
        database.connection.execute(f"SET LOCAL authz.tenant = '{tenant}'")


def is_said() -> bool:
    """Tell whether it was said in whose name the database is asked."""
    return _tenant.get() is not None


def _tell_open_transaction() -> None:
    # A transaction that failed hears nothing more; the rollback to its savepoint brings back what was said before that.
    if not connection.in_atomic_block or connection.connection is None:
        return
    if connection.connection.info.transaction_status == pq.TransactionStatus.INERROR:
        return
    tenant = _tenant.get()
    said = "DEFAULT" if tenant is None else f"'{tenant}'"
    connection.connection.execute(f"SET LOCAL authz.tenant = {said}")
