"""What may be called: by table what an attacker would try, and by law what no address gets around."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from django.conf import LazySettings
from hypothesis import given
from hypothesis import strategies as st

from authz.outbound.targets import (
    HostRefused,
    Target,
    UrlRefused,
    addresses_of,
    may_be_called,
    target_of,
)

PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946"]
REFUSED = {
    "loopback": "127.0.0.1",
    "loopback anywhere in its network": "127.255.255.254",
    "IPv6 loopback": "::1",
    "private, 10/8": "10.0.0.1",
    "private, 172.16/12": "172.31.255.255",
    "private, 192.168/16": "192.168.1.1",
    "shared between carriers": "100.64.0.1",
    "link-local, where clouds keep credentials": "169.254.169.254",
    "IPv6 link-local": "fe80::1",
    "IPv6 link-local with a zone": "fe80::1%eth0",
    "unique local": "fd00:ec2::254",
    "site-local": "fec0::1",
    "unspecified": "0.0.0.0",  # noqa: S104 - asked about, not bound to
    "IPv6 unspecified": "::",
    "this network": "0.1.2.3",
    "multicast": "224.0.0.1",
    "IPv6 multicast": "ff0e::1",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "documentation": "192.0.2.1",
    "benchmarks": "198.18.0.1",
    "protocol assignments": "192.0.0.8",
    "mapped": "::ffff:127.0.0.1",
    "mapped, though public": "::ffff:8.8.8.8",
    "compatible": "::7f00:1",
    "NAT64": "64:ff9b::7f00:1",
    "NAT64, though public": "64:ff9b::808:808",
    "NAT64 of an operator": "64:ff9b:1::a00:1",
    "6to4": "2002:7f00:1::1",
    "Teredo": "2001:0:4136:e378:8000:63bf:3fff:fdd2",
}
NO_URLS = [
    "", "hook", "//example.org/hook", "ftp://example.org/", "file:///etc/passwd", "https:///hook", "https://:443/",
    "https://user@example.org/", "https://user:password@example.org/", "https://@example.org/", "https://example.org/#x",
    "https://example.org:8443/", "https://example.org:0/", "https://example.org:99999/", "https://example.org:x/",
    "https://exam ple.org/", "https://example.org/\r\nX: y", "https://exämple.org/", "https://[::1/", "http://example.org/",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_called_with_tls_and_never_without(address: str) -> None:
    assert may_be_called(address, is_encrypted=True)
    assert not may_be_called(address, is_encrypted=False)


@pytest.mark.parametrize("address", REFUSED.values(), ids=REFUSED)
def test_any_other_address_is_not_called(address: str) -> None:
    assert not may_be_called(address, is_encrypted=True)
    assert not may_be_called(address, is_encrypted=False)


def test_the_operator_allows_networks_also_without_tls(settings: LazySettings) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = (ip_network("10.1.0.0/16"), ip_network("fd00::/64"))

    assert may_be_called("10.1.2.3", is_encrypted=False)
    assert may_be_called("fd00::7", is_encrypted=True)
    assert not may_be_called("10.2.0.1", is_encrypted=True)
    assert not may_be_called("::ffff:10.1.2.3", is_encrypted=True)


@given(st.integers(0, 2**32 - 1))
def test_no_ipv4_address_becomes_public_by_being_written_as_an_ipv6_one(number: int) -> None:
    for prefix in (0xFFFF << 32, 0, 0x64FF9B << 96, (0x64FF9B0001 << 80)):
        assert not may_be_called(str(IPv6Address(prefix + number)), is_encrypted=True)
    assert not may_be_called(str(IPv6Address((0x2002 << 112) + (number << 80) + 1)), is_encrypted=True)


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_what_is_called_is_global_and_one_single_machine(ip: IPv4Address | IPv6Address) -> None:
    if may_be_called(str(ip), is_encrypted=True):
        assert ip.is_global
        assert not ip.is_multicast
        assert not ip.is_private


@pytest.mark.parametrize("url", NO_URLS)
def test_a_url_that_is_none_or_says_too_much_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        target_of(url)


def test_the_parts_of_a_url(settings: LazySettings) -> None:
    settings.WEBHOOK_PORTS = frozenset({443, 8080})

    assert target_of("https://Example.org") == Target(True, "example.org", 443, "Example.org", "/")
    assert target_of("http://[::1]:8080/a?b=c") == Target(False, "::1", 8080, "[::1]:8080", "/a?b=c")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "[::1]"])
def test_loopback_by_any_spelling_is_refused(host: str) -> None:
    with pytest.raises(HostRefused):
        addresses_of(target_of(f"https://{host}/"))


@pytest.mark.parametrize("host", ["a..b", "x" * 64, "."])
def test_a_host_that_no_name_server_would_be_asked_for_is_refused(host: str) -> None:
    with pytest.raises(HostRefused):
        addresses_of(target_of(f"https://{host}/"))


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    found = ["8.8.8.8", "10.0.0.1"]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(2, 1, 6, "", (address, 443)) for address in found])

    with pytest.raises(HostRefused):
        addresses_of(target_of("https://example.org/"))
    found.pop()
    assert addresses_of(target_of("https://example.org/")) == ["8.8.8.8"]
