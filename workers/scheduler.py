"""Beat that needs no broker: what cannot be sent to a worker is done here, so losing Redis costs seconds only."""

import logging
from typing import Any

from celery.beat import ScheduleEntry
from celery.beat import Scheduler as InMemory
from django.db import DatabaseError, connections

from authz import clock
from authz.operations.models import Part
from authz.operations.services import note_heartbeat
from workers.broker import sender
from workers.schedule import DRAIN_OUTBOX, SEND_DELIVERIES

log = logging.getLogger(__name__)


class Scheduler(InMemory):
    """Keeps no file: every job comes round within minutes, and doing one twice does no harm."""

    # Every sending makes its own quick attempt; the base class would stop here until Redis is back.
    producer: Any = None

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Say that beat is awake, do what is due, and return the seconds to sleep."""
        try:
            note_heartbeat(part=Part.BEAT, now=clock.now())
        except DatabaseError as failure:
            log.warning("no-heartbeat error=%s", type(failure).__name__)
        finally:
            connections.close_all()
        return float(super().tick(*args, **kwargs))

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        """Send the job, or do it."""
        task, options = str(entry.task), entry.options or {}
        if sender().send(task, expires=options["expires"]):
            return
        try:
            # What was told leaves the house with it: these two come round in any order, and the next round is late.
            for job in (task, SEND_DELIVERIES) if task == DRAIN_OUTBOX else (task,):
                self.app.tasks[job].apply()  # a failure is logged by Celery and ends neither beat nor the other jobs
        finally:
            connections.close_all()
