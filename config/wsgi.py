"""The WSGI entry point: `gunicorn config.wsgi`."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from authz.operations.safety import refuse_unsafe_settings
from config.loopback import for_this_machine

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("AUTHZ_CONNECTION_POOL", "true")

application = get_wsgi_application()
refuse_unsafe_settings()
if settings.IS_DEMONSTRATION:
    application = for_this_machine(application)  # type: ignore[assignment]  # Django's own type is its handler's
