"""From which address somebody calls, as far as it can be known."""

from collections.abc import Mapping
from ipaddress import IPv6Network, ip_address
from typing import Any

from django.conf import settings


def source_of(meta: Mapping[str, Any]) -> str:
    """Return the caller's address from a request's environment; behind our proxy, the one that the proxy saw.

    Of IPv6 it is the /64 network, all of which is one caller's; "" when it cannot be known.

    What stands before that in X-Forwarded-For was written by the caller, and proves nothing.
    """
    forwarded = str(meta.get("HTTP_X_FORWARDED_FOR", "")) if settings.IS_BEHIND_PROXY else ""
    said = forwarded.rpartition(",")[2].strip() or str(meta.get("REMOTE_ADDR", ""))
    try:
        address = ip_address(said)
    except ValueError:
        return ""
    return str(IPv6Network((address, 64), strict=False).network_address) if address.version == 6 else str(address)
