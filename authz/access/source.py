"""From which address somebody calls, as far as it can be known."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings


def source_of(meta: Mapping[str, Any]) -> str:
    """Return the caller's address from a request's environment; behind our proxy, the one that the proxy saw.

    What stands before that in X-Forwarded-For was written by the caller, and proves nothing.
    """
    forwarded = str(meta.get("HTTP_X_FORWARDED_FOR", "")) if settings.IS_BEHIND_PROXY else ""
    return forwarded.rpartition(",")[2].strip() or str(meta.get("REMOTE_ADDR", ""))
