"""Beat that needs no broker: what cannot be sent to a worker is done here, so losing Redis costs seconds only."""

from typing import Any

from celery.beat import ScheduleEntry
from celery.beat import Scheduler as InMemory
from django.db import connections

from workers.broker import sender


class Scheduler(InMemory):
    """Keeps no file: every job comes round within minutes, and doing one twice does no harm."""

    # Every sending makes its own quick attempt; the base class would stop here until Redis is back.
    producer: Any = None

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        """Send the job, or do it."""
        task, options = str(entry.task), entry.options or {}
        if sender().send(task, expires=options["expires"]):
            return
        try:
            # A failure is logged by Celery and ends neither beat nor the other jobs.
            self.app.tasks[task].apply()
        finally:
            connections.close_all()
