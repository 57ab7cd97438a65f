"""The Celery app: `celery -A workers.app worker` does the work, `celery -A workers.app beat` sweeps.

A worker takes from the queue `authz` what is done in the house; with `--queues outside`, what leaves it.
"""

from typing import Any

from celery import Celery, Task
from django.conf import settings

from authz.access.tenancy import across_tenants
from authz.audit.circumstances import Circumstances, Origin, under
from workers.schedule import BEAT, ROUTES


class AcrossTenants(Task):  # type: ignore[type-arg]  # at run time it is not generic
    """A job for all organizations at once."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        by_worker = under(Circumstances(origin=Origin.WORKER))
        with by_worker, across_tenants("a worker does everybody's work"):
            return super().__call__(*args, **kwargs)


app = Celery("authz", include=["workers.tasks"], task_cls=AcrossTenants)
app.config_from_object({**settings.CELERY, **BEAT, "task_routes": ROUTES})
