"""Tell Django about the product."""

from django.apps import AppConfig


class AuthzConfig(AppConfig):
    """The product: one Django app, so that rooms are only folders and migrations have one order."""

    name = "authz"
    label = "authz"
    verbose_name = "Authz"
