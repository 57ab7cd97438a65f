"""The numbers people use of requests and authorizations; opaque, and never given twice."""

from datetime import datetime

from django.db import connection


def next_request_number(*, now: datetime) -> str:
    """Return a new request's number, such as PA-2026-000123."""
    return _next("PA", "authz_request_number", now)


def next_authorization_number(*, now: datetime) -> str:
    """Return a new authorization's number, such as AU-2026-000123."""
    return _next("AU", "authz_authorization_number", now)


def _next(prefix: str, sequence: str, now: datetime) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s)", [sequence])
        (number,) = cursor.fetchone()
    return f"{prefix}-{now.year}-{number:06d}"
