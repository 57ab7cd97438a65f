"""The Celery app: `celery -A workers.app worker` does the work, `celery -A workers.app beat` sweeps.

A worker takes from the queue `authz` what is done in the house; with `--queues outside`, what leaves it.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from celery import Celery, Task
from celery.signals import beat_init, task_postrun, task_prerun, worker_init
from django.conf import settings
from django.db import close_old_connections

from authz.access.tenancy import across_tenants, work_for_everybody, works_for_everybody
from authz.audit.circumstances import Circumstances, Origin, under
from workers.schedule import BEAT, ROUTES


class AcrossTenants(Task):  # type: ignore[type-arg]  # at run time it is not generic
    """A job for all organizations at once."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        for_all: AbstractContextManager[None] = nullcontext()
        if not works_for_everybody():
            for_all = across_tenants("a worker does everybody's work")
        with under(Circumstances(origin=Origin.WORKER)), for_all:
            return super().__call__(*args, **kwargs)


@worker_init.connect
@beat_init.connect
def _begin(**_of_the_signal: object) -> None:
    work_for_everybody()


@task_prerun.connect
@task_postrun.connect
def _look_after_connections(task: AcrossTenants, **_of_the_signal: object) -> None:
    """Let a connection go on to the next job, unless it broke or is old."""
    if not task.request.is_eager:
        close_old_connections()


app = Celery("authz", include=["workers.tasks"], task_cls=AcrossTenants)
app.config_from_object({**settings.CELERY, **BEAT, "task_routes": ROUTES})
