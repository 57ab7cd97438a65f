"""Tell a worker that there is something to do, now rather than at the next sweep."""

from collections.abc import Callable
from enum import StrEnum

from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string


class Waiting(StrEnum):
    """What there is to do: facts that nobody was told of yet, or deliveries that are to leave the house."""

    FACTS = "facts"
    DELIVERIES = "deliveries"


def nudge_on_commit(waiting: Waiting) -> None:
    """Nudge a worker once the transaction commits: one nudge is enough, however much it leaves to do.

    What the deployment named in OUTBOX_NUDGE is called. It must be quick; the sweep comes anyway, should it fail.
    """
    call = _CALLS[waiting]
    if not any(hook[1] is call for hook in connection.run_on_commit):
        transaction.on_commit(call, robust=True)


def _call_for_facts() -> None:
    _call(Waiting.FACTS)


def _call_for_deliveries() -> None:
    _call(Waiting.DELIVERIES)


def _call(waiting: Waiting) -> None:
    caller: Callable[[Waiting], None] = import_string(settings.OUTBOX_NUDGE)
    caller(waiting)


_CALLS = {Waiting.FACTS: _call_for_facts, Waiting.DELIVERIES: _call_for_deliveries}
