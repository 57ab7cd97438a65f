"""What runs without a request: the Celery app, its tasks and their schedule."""

import os

# Here, before any module of ours is read: Celery sets Django up, and closes its connections after each task, only if
# the first is set when the app is made. The second keeps it from loading all pages and views at each start, for checks
# that `make check` and every migration make anyway.
for name, value in {"DJANGO_SETTINGS_MODULE": "config.settings", "CELERY_SKIP_CHECKS": "true"}.items():
    os.environ.setdefault(name, value)  # noqa: TID251 - it tells Celery, which reads nothing else
