"""Send a task's name to the workers, quickly or not at all. Nothing depends on it: the next sweep finds the work."""

import logging
from collections.abc import Callable, Mapping
from functools import cache
from time import monotonic

from celery import Celery
from django.conf import settings
from kombu.exceptions import OperationalError
from redis import Redis, RedisError

from authz.outbox.nudge import Waiting
from workers.schedule import DRAIN_OUTBOX, ROUTES, SEND_DELIVERIES

log = logging.getLogger(__name__)

# Celery's own sender waits at least six seconds for a broker that is down, whatever task_publish_retry says.
_QUICK = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5}
_NUDGE_EXPIRES = 60.0
TASK_OF: Mapping[Waiting, str] = {Waiting.FACTS: DRAIN_OUTBOX, Waiting.DELIVERIES: SEND_DELIVERIES}


class Sender:
    """Sends, and after a failure does not try again for a while, so that a lost Redis slows nobody down."""

    def __init__(self, redis_url: str, *, pause: float, clock: Callable[[], float] = monotonic) -> None:
        """`pause` is for how many seconds not to try after a failure; `clock` returns seconds."""
        self._app = Celery("authz-sender", set_as_current=False, fixups=[])
        options = {**settings.CELERY["broker_transport_options"], **_QUICK, "max_retries": 0}
        broker_url = redis_url.replace("unix://", "redis+socket://", 1)
        conf = {"broker_url": broker_url, "broker_transport_options": options, "task_routes": ROUTES}
        self._app.config_from_object({**settings.CELERY, **conf})
        self._marks = Redis.from_url(redis_url, retry=None, **_QUICK)
        self._pause = pause
        self._clock = clock
        self._silent_until = float("-inf")

    def send(self, task: str, *, expires: float) -> bool:
        """Send a task without arguments that is void after `expires` seconds; return whether the broker has it."""
        return self._tried(task, lambda: self._app.send_task(task, expires=expires, ignore_result=True))

    def send_once(self, task: str, *, expires: float) -> bool:
        """Send it unless it is on its way already: sent in the last seconds, and not heeded by a worker yet."""

        def send_first() -> None:
            # Lost with its mark left behind, the next nudge comes when the mark has gone: as late as a sweep.
            if self._marks.set(_mark(task), 1, nx=True, px=int(settings.SWEEP_SECONDS * 1000)):
                self._app.send_task(task, expires=expires, ignore_result=True)

        return self._tried(task, send_first)

    def heed(self, task: str) -> bool:
        """Take the mark away: what comes from now on needs a task of its own."""
        return self._tried(task, lambda: self._marks.unlink(_mark(task)))

    def _tried(self, task: str, act: Callable[[], object]) -> bool:
        if self._clock() < self._silent_until:
            return False
        try:
            act()
        except (OperationalError, RedisError) as failure:
            self._silent_until = self._clock() + self._pause
            log.warning("broker-unreachable task=%s error=%s", task, type(failure.__cause__ or failure).__name__)
            return False
        return True


def _mark(task: str) -> str:
    return f"nudged:{task}"


@cache
def sender() -> Sender:
    """Return this process's sender."""
    return Sender(settings.REDIS_URL, pause=settings.SWEEP_SECONDS)


def nudge(waiting: Waiting) -> None:
    """Have a worker do now what waits."""
    sender().send_once(TASK_OF[waiting], expires=_NUDGE_EXPIRES)


def heed(waiting: Waiting) -> None:
    """Say that whatever comes from now on needs a nudge of its own. Look afterwards, or what came just now waits."""
    sender().heed(TASK_OF[waiting])
