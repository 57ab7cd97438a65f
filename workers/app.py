"""The Celery app: `celery -A workers.app worker` does the work, `celery -A workers.app beat` sweeps.

A worker takes from the queue `authz` what is done in the house; with `--queues outside`, what leaves it.
"""

from celery import Celery
from django.conf import settings

from workers.schedule import BEAT, ROUTES

app = Celery("authz", include=["workers.tasks"])
app.config_from_object({**settings.CELERY, **BEAT, "task_routes": ROUTES})
