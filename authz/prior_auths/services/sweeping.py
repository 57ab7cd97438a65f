"""Work through what a sweep has found, row by row: what is wrong with one of them stops none of the others."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TypeVar

from django.db import InterfaceError, OperationalError

Key = TypeVar("Key")

log = logging.getLogger(__name__)


def sweep(keys: Iterable[Key], *, work: Callable[[Key, datetime], int], now: datetime) -> int:
    """Do the work for each key, in a transaction of its own, and return the sum of what was done.

    What goes wrong with one is logged with its key. Trouble with the database itself ends the sweep: it is no row's.

    :raises ExceptionGroup: when all had their turn, of what went wrong.
    """
    done, faults = 0, []
    for key in keys:
        try:
            done += work(key, now)
        except (InterfaceError, OperationalError):
            raise
        except Exception as fault:
            log.exception("Row %s could not be worked on; the others have their turn.", key)
            faults.append(fault)
    if faults:
        raise ExceptionGroup(f"{len(faults)} of a sweep could not be worked on", faults)
    return done
