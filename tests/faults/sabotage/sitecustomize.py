"""Read by every program that the fault suite starts, before its own code: a wrong clock, or a safeguard taken away.

The suite must notice each of these. Nothing here is on the path of any other process.
"""

import importlib.abc
import importlib.util
import os
import sys
import threading
import time
from contextvars import copy_context
from datetime import timedelta
from types import ModuleType
from typing import Any

OFF = os.environ.get("AUTHZ_SAFEGUARD_OFF", "")
OFF_BY = float(os.environ.get("AUTHZ_CLOCK_OFF_BY", "0"))


def without_lease_expiry(leases: Any) -> None:
    """Whoever leases a row keeps it for ever, also after its death."""
    assert callable(leases._lease), "the safeguard to be taken away is no longer here"
    leases._lease = lambda: timedelta(days=365)


def without_outbox(services: Any) -> None:
    """Tell a fact from memory once the transaction has committed, as most programs do, instead of writing it down."""
    from django.db import connection, transaction  # noqa: PLC0415 - nothing is set up when this file is read

    write_down = services.announce

    def announce(*, topic: str, subject_id: Any, now: Any) -> None:
        def later() -> None:
            time.sleep(4)  # what the mail server takes on a busy day
            try:
                with transaction.atomic():
                    write_down(topic=topic, subject_id=subject_id, now=now)
            finally:
                connection.close()  # this thread's own

        whose = copy_context()  # the organization for which this was done
        transaction.on_commit(lambda: threading.Thread(target=whose.run, args=[later], daemon=True).start())

    services.announce = announce


def with_wrong_clock(clock: Any) -> None:
    right = clock.now
    clock.now = lambda: right() + timedelta(seconds=OFF_BY)


CHANGES = {
    "authz.outbox.leases": without_lease_expiry if OFF == "lease-expiry" else None,
    "authz.outbox.services": without_outbox if OFF == "outbox" else None,
    "authz.clock": with_wrong_clock if OFF_BY else None,
}


class Saboteur(importlib.abc.MetaPathFinder):
    """Finds the modules to be changed as everybody does, and changes each right after it was loaded."""

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> Any:
        change = CHANGES.get(fullname)
        if change is None:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        sys.meta_path.insert(0, self)
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            load(module)
            change(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


if any(CHANGES.values()):
    sys.meta_path.insert(0, Saboteur())
