"""Send a task's name to the workers, quickly or not at all. Nothing depends on it: the next sweep finds the work."""

import logging
from collections.abc import Callable
from functools import cache
from time import monotonic

from celery import Celery
from django.conf import settings
from kombu.exceptions import OperationalError

from workers.schedule import DRAIN_OUTBOX

log = logging.getLogger(__name__)

# Celery's own sender waits at least six seconds for a broker that is down, whatever task_publish_retry says.
_QUICK = {"max_retries": 0, "socket_connect_timeout": 0.5, "socket_timeout": 0.5}
_NUDGE_EXPIRES = 60.0


class Sender:
    """Sends, and after a failure does not try again for a while, so that a lost Redis slows nobody down."""

    def __init__(self, broker_url: str, *, pause: float, clock: Callable[[], float] = monotonic) -> None:
        """`pause` is for how many seconds not to try after a failure; `clock` returns seconds."""
        self._app = Celery("authz-sender", set_as_current=False, fixups=[])
        options = {**settings.CELERY["broker_transport_options"], **_QUICK}
        self._app.config_from_object({**settings.CELERY, "broker_url": broker_url, "broker_transport_options": options})
        self._pause = pause
        self._clock = clock
        self._silent_until = float("-inf")

    def send(self, task: str, *, expires: float) -> bool:
        """Send a task without arguments that is void after `expires` seconds; return whether the broker has it."""
        if self._clock() < self._silent_until:
            return False
        try:
            self._app.send_task(task, expires=expires, ignore_result=True)
        except OperationalError as failure:
            self._silent_until = self._clock() + self._pause
            log.warning("broker-unreachable task=%s error=%s", task, type(failure.__cause__ or failure).__name__)
            return False
        return True


@cache
def sender() -> Sender:
    """Return this process's sender."""
    return Sender(settings.CELERY["broker_url"], pause=settings.SWEEP_SECONDS)


def nudge() -> None:
    """Have a worker drain the outbox now."""
    sender().send(DRAIN_OUTBOX, expires=_NUDGE_EXPIRES)
