"""Tell Django about the product."""

import gc

from django.apps import AppConfig
from django.core import checks

from authz.access.database.role import check_role
from authz.operations.keys import check_keys
from authz.operations.safety import check_settings

_OBJECTS_BETWEEN_COLLECTIONS = (50_000, 20, 100)


class AuthzConfig(AppConfig):
    """The product: one Django app, so that rooms are only folders and migrations have one order."""

    name = "authz"
    label = "authz"
    verbose_name = "Authz"

    def ready(self) -> None:
        """Say what `check --deploy` asks beside Django's own."""
        checks.register(check_role, checks.Tags.security, deploy=True)
        checks.register(check_settings, checks.Tags.security, deploy=True)
        checks.register(check_keys, checks.Tags.security, deploy=True)
        # A query makes and drops thousands of objects; at its usual pace the collector takes 7 % of the time.
        gc.set_threshold(*_OBJECTS_BETWEEN_COLLECTIONS)
