"""The Celery app of the courier: `celery -A workers.courier worker --pool threads` sends mails, texts and webhooks."""

import os

# As the web process does, and before settings are read: its threads share the connections of a pool.
os.environ.setdefault("AUTHZ_CONNECTION_POOL", "true")  # noqa: TID251 - it tells the settings, which read nothing else

from workers.app import app

__all__ = ["app"]
