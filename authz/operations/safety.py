"""Settings that no production deployment may have: web does not start with them, and `check --deploy` names them."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

_SHORTEST_KEY = 40


class UnsafeDeployment(RuntimeError):
    """Settings under which nobody should be served."""


def check_settings(**_of_django: Any) -> list[CheckMessage]:
    """Return what is unsafe in a production deployment; nothing of any other."""
    return list(_unsafe()) if settings.IS_PRODUCTION else []


def refuse_unsafe_settings() -> None:
    """Keep a process that would serve people unsafely from starting.

    :raises UnsafeDeployment: naming everything that is unsafe, and what to do about it.
    """
    if found := check_settings():
        lines = [f"{message.id}: {message.msg} {message.hint}" for message in found]
        raise UnsafeDeployment("\n".join(["This production deployment is unsafe:", *lines]))


def _unsafe() -> Iterator[CheckMessage]:
    if not settings.BASE_URL.startswith("https://"):
        yield _error("E001", "People would reach the service without TLS.", "Set AUTHZ_BASE_URL to an https address.")
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        yield _error("E002", "Any host name would be answered.", "Name those that people use in AUTHZ_ALLOWED_HOSTS.")
    if len(settings.SECRET_KEY) < _SHORTEST_KEY or any(len(key) < _SHORTEST_KEY for key in settings.ENCRYPTION_KEYS):
        yield _error("E003", "A key is short enough to be guessed.", "Make keys of 48 random bytes: docs/running.md.")
    if settings.SECRET_KEY in settings.ENCRYPTION_KEYS:
        yield _error("E004", "One key signs sessions and seals secrets.", "Make one of its own for each.")
    if not (settings.MAIL_PROVIDER or settings.EMAIL_USE_TLS):
        yield _error("E005", "Mail would leave without TLS.", "Set EMAIL_USE_TLS=true, or use a provider's API.")
    if not settings.MFA_REQUIRED:
        says = "Whoever decides or administers would need no second factor."
        yield _error("E006", says, "Set AUTHZ_MFA_REQUIRED=true.")
    if not (settings.SECURE_SSL_REDIRECT or settings.IS_BEHIND_PROXY):
        says = "Nobody would be led from http to https."
        yield _error("E007", says, "Set AUTHZ_SSL_REDIRECT=true, or AUTHZ_BEHIND_PROXY=true where the proxy does it.")


def _error(number: str, says: str, hint: str) -> CheckMessage:
    return Error(says, hint=hint, id=f"authz.{number}")
