"""Tell a worker that there is something in the outbox, now rather than at the next sweep."""

from collections.abc import Callable

from django.conf import settings
from django.utils.module_loading import import_string


def nudge() -> None:
    """Call what the deployment named in OUTBOX_NUDGE. It must be quick and must not raise: the sweep comes anyway."""
    teller: Callable[[], None] = import_string(settings.OUTBOX_NUDGE)
    teller()
