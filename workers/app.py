"""The Celery app: `celery -A workers.app worker` does the work, `celery -A workers.app beat` sweeps."""

from celery import Celery
from django.conf import settings

from workers.schedule import BEAT

app = Celery("authz", include=["workers.tasks"])
app.config_from_object({**settings.CELERY, **BEAT})
