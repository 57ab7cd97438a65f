"""What is wrong with the role under which the product asks the database. Row-level security holds for no such role."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Critical
from django.db import connection

_ASK = """
    SELECT rolsuper, rolbypassrls, EXISTS (
        SELECT FROM pg_class
        WHERE relname = 'authz_patient' AND relkind = 'r' AND pg_has_role(current_user, relowner, 'MEMBER'))
    FROM pg_roles WHERE rolname = current_user
"""
_FAULTS = (
    "is a superuser, who is above row-level security",
    "has BYPASSRLS, which is above row-level security",
    "owns the tables or can become their owner, who could take the policies away",
)


def faults() -> list[str]:
    """Return what the connected role is or has that the product's must not, in words; ask as rarely as you like."""
    with connection.cursor() as cursor:
        cursor.execute(_ASK)
        found = cursor.fetchone()
    return [fault for fault, is_so in zip(_FAULTS, found, strict=True) if is_so]


def check_role(**_of_django: Any) -> list[CheckMessage]:
    """Refuse a production deployment whose role is above row-level security; `check --deploy` asks."""
    hint = "Connect as authz_app or a member of it: docs/running.md."
    found = faults() if settings.IS_PRODUCTION else []
    return [Critical(f"The database role {fault}.", hint=hint, id="authz.E010") for fault in found]
