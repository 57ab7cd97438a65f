"""The WSGI entry point: `gunicorn config.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

from authz.operations.safety import refuse_unsafe_settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
os.environ.setdefault("AUTHZ_CONNECTION_POOL", "true")

application = get_wsgi_application()
refuse_unsafe_settings()
