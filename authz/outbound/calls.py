"""One call to an address that was looked up and checked: no redirect, no proxy, no second look-up, all of it bounded.

Built on the standard library: it lets us connect by ourselves, which is the whole of the matter. Of what is answered,
nothing is read but what the caller asks for.
"""

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from threading import Event, Timer
from typing import TypeVar

from django.conf import settings

from authz.outbound.targets import HostRefused, Target, UrlRefused, addresses_of, target_of

T = TypeVar("T")

# Enough for a host with two addresses of each kind; each may take the whole time to connect.
_MOST_ADDRESSES = 4


class NoAnswer(Exception):
    """There was no answer in time, or none was asked for. `code` is safe to keep and to log."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def call(
    url: str,
    *,
    method: str,
    headers: Mapping[str, str],
    body: bytes | None = None,
    seconds: float,
    read: Callable[[HTTPResponse], T],
) -> T:
    """Call once, and return what `read` makes of the answer; all of it, reading too, within `seconds`.

    :raises NoAnswer: when the URL may not be called, nobody answers in time, or what answers does not speak HTTP.
    """
    try:
        target = target_of(url)
        line = _connected(addresses_of(target), target.port)
    except UrlRefused:
        raise NoAnswer("url-refused") from None
    except HostRefused:
        raise NoAnswer("host-unknown-or-refused") from None
    except OSError as failure:
        raise NoAnswer(_code(failure)) from failure
    with line, _cut_in_time(line, seconds) as is_late:
        try:
            answer = _asked(line, target, method, body, headers, seconds, read)
        except (OSError, HTTPException, ValueError) as failure:
            raise NoAnswer("timed-out" if is_late.is_set() else _code(failure)) from failure
        if is_late.is_set():  # what was cut off can look like the end of the headers
            raise NoAnswer("timed-out")
        return answer


def _connected(addresses: list[str], port: int) -> socket.socket:
    *first, last = addresses[:_MOST_ADDRESSES]
    for address in first:
        with suppress(OSError):
            return socket.create_connection((address, port), timeout=settings.WEBHOOK_CONNECT_SECONDS)
    return socket.create_connection((last, port), timeout=settings.WEBHOOK_CONNECT_SECONDS)


@contextmanager
def _cut_in_time(line: socket.socket, seconds: float) -> Iterator[Event]:
    """Cut the line when the time is over: one that sends a byte now and then would hold us for ever."""
    is_late, same_line = Event(), line.dup()  # TLS takes the first one away from us

    def cut() -> None:
        is_late.set()
        with suppress(OSError):
            same_line.shutdown(socket.SHUT_RDWR)

    timer = Timer(seconds, cut)
    timer.start()
    try:
        yield is_late
    finally:
        timer.cancel()
        timer.join()
        same_line.close()


def _asked(
    line: socket.socket,
    target: Target,
    method: str,
    body: bytes | None,
    headers: Mapping[str, str],
    seconds: float,
    read: Callable[[HTTPResponse], T],
) -> T:
    line.settimeout(seconds)
    with closing(HTTPConnection(target.host, target.port)) as connection:
        connection.sock = _tls().wrap_socket(line, server_hostname=target.host) if target.is_encrypted else line
        connection.request(method, target.path, body, {"Host": target.named, "Connection": "close", **headers})
        return read(connection.getresponse())


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _code(failure: Exception) -> str:
    """Return what kind of failure it was; its words may quote the answer."""
    if isinstance(failure, TimeoutError):
        return "timed-out"
    if isinstance(failure, ssl.SSLError):
        return "tls-failed"
    return "connection-failed" if isinstance(failure, OSError) else "not-http"
