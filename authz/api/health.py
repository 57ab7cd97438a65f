"""Is it alive, and may it be sent work? For load balancers; no token, no patient, no detail of any failure."""

import redis
from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from authz import clock
from authz.access.database import role
from authz.operations import probes
from authz.operations.models import Part
from authz.operations.selectors import pulses


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer as long as the process does; it asks nobody."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database answers, and has every migration. In production its role must own nothing.

    Without the broker, or while nobody sweeps, tells or sends, this process can serve all the same: the answer then
    says degraded, and is still 200.
    """
    checks = {"database": _database(), "migrations": _migrations(), "broker": _broker(), **_parts()}
    is_ready = checks["database"] == checks["migrations"] == "ok"
    status = "ok" if set(checks.values()) == {"ok"} else "degraded" if is_ready else "unavailable"
    return JsonResponse({"status": status, "checks": checks}, status=200 if is_ready else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        is_unsafe = settings.IS_PRODUCTION and bool(role.faults())
    except Error:
        return "unreachable"
    return "unsafe-role" if is_unsafe else "ok"


def _migrations() -> str:
    try:
        return "missing" if probes.missing_migrations() else "ok"
    except Error:
        return "unknown"


def _parts() -> dict[str, str]:
    try:
        return {part.value: pulse.value for part, pulse in pulses(now=clock.now()).items()}
    except Error:
        return {part.value: "unknown" for part in Part}


def _broker() -> str:
    try:
        with probes.broker():
            return "ok"
    except redis.RedisError:
        return "unreachable"
