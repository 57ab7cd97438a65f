"""What may be called: which URLs, and which addresses their hosts may have.

A tenant chooses the URL and the name server behind it, so neither is trusted: the name is looked up once, every
address it has is checked, and the connection goes to such an address, never to the name.
"""

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings

_PORTS = {"https": 443, "http": 80}
_VISIBLE = re.compile(r"[!-~]+")
# All IPv6 addresses of single machines lie here; what wraps an IPv4 address (mapped, translated) lies elsewhere …
_UNICAST = IPv6Network("2000::/3")
# … but for Teredo (in the first) and 6to4. The others are set aside in IANA's registries; not every Python knows that.
_SET_ASIDE = [ip_network(network) for network in ("2001::/23", "2002::/16", "3fff::/20", "192.0.0.0/24")]


class UrlRefused(Exception):
    """The URL is none that we call. Its text is a sentence for whoever registers it."""


class HostRefused(Exception):
    """The host has no address, or one that may not be called. Which of them is not said: it would map our network."""


@dataclass(frozen=True, slots=True)
class Target:
    """The parts of a URL that a call needs. `named` is the host as the Host header has it."""

    is_encrypted: bool
    host: str
    port: int
    named: str
    path: str


def target_of(url: str) -> Target:
    """Return the parts of a URL.

    :raises UrlRefused: when it is no URL, has another scheme than https or http, a port that is not allowed, or a part
        that does not belong into one: a user's name, a password, a fragment.
    """
    if not _VISIBLE.fullmatch(url):
        raise UrlRefused("A URL has visible ASCII characters only.")
    try:
        parts = urlsplit(url)
        port = parts.port if parts.port is not None else _PORTS.get(parts.scheme, 0)
    except ValueError:
        raise UrlRefused("This is no URL.") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise UrlRefused("A URL such as https://example.org/hook is needed.")
    if "@" in parts.netloc or "#" in url:
        raise UrlRefused("The URL must have neither a user, nor a password, nor a fragment.")
    if port not in settings.WEBHOOK_PORTS:
        raise UrlRefused("The operator does not allow calls to this port.")
    path = parts.path or "/"
    return Target(
        is_encrypted=parts.scheme == "https",
        host=parts.hostname,
        port=port,
        named=parts.netloc,
        path=f"{path}?{parts.query}" if parts.query else path,
    )


def addresses_of(target: Target) -> list[str]:
    """Return the addresses to connect to, having looked the name up once.

    :raises HostRefused: when there is none, or a single one of them may not be called.
    """
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # a label of a name can be too long, or empty
        raise HostRefused from None
    addresses = list(dict.fromkeys(str(place[4][0]) for place in found))
    if not addresses or not all(may_be_called(address, is_encrypted=target.is_encrypted) for address in addresses):
        raise HostRefused
    return addresses


def may_be_called(address: str, *, is_encrypted: bool) -> bool:
    """Say whether a call may go to an address: a public one with TLS, and any that the operator allows."""
    ip = ip_address(address)
    if any(ip in network for network in settings.WEBHOOK_ALLOWED_NETWORKS):
        return True
    return is_encrypted and _is_public(ip)


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    if ip not in _UNICAST and ip.version == 6:
        return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _SET_ASIDE)
