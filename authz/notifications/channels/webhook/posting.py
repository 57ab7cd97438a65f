"""One POST to an address that was looked up and checked: no redirect, no proxy, no second look-up, all of it bounded.

Built on the standard library: it lets us connect by ourselves, which is the whole of the matter. What a receiver says
beside its status and one header is not read.
"""

import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from http.client import HTTPConnection, HTTPException
from threading import Event, Timer

from django.conf import settings

from authz.notifications.channels.webhook.targets import HostRefused, Target, UrlRefused, addresses_of, target_of

LONGEST_WAIT = timedelta(hours=1)
"""However long a receiver asks us to wait, it is asked again by then."""

# Enough for a host with two addresses of each kind; each may take the whole time to connect.
_MOST_ADDRESSES = 4
_SECONDS = re.compile(r"[0-9]{1,9}")


class NoAnswer(Exception):
    """There was no answer in time, or none was asked for. `code` is safe to keep and to log."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver answered: a status, and how long it asks us to wait, bounded."""

    status: int
    wait: timedelta


def post(url: str, *, body: bytes, headers: Mapping[str, str], now: datetime) -> Answer:
    """Post the body once.

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
    with line, _cut_in_time(line) as is_late:
        try:
            answer = _asked(line, target, body=body, headers=headers, now=now)
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
def _cut_in_time(line: socket.socket) -> Iterator[Event]:
    """Cut the line when the time is over: a receiver that sends a byte now and then would hold a worker for ever."""
    is_late, same_line = Event(), line.dup()  # TLS takes the first one away from us

    def cut() -> None:
        is_late.set()
        with suppress(OSError):
            same_line.shutdown(socket.SHUT_RDWR)

    timer = Timer(settings.WEBHOOK_ANSWER_SECONDS, cut)
    timer.start()
    try:
        yield is_late
    finally:
        timer.cancel()
        timer.join()
        same_line.close()


def _asked(line: socket.socket, target: Target, *, body: bytes, headers: Mapping[str, str], now: datetime) -> Answer:
    line.settimeout(settings.WEBHOOK_ANSWER_SECONDS)
    with closing(HTTPConnection(target.host, target.port)) as connection:
        connection.sock = _tls().wrap_socket(line, server_hostname=target.host) if target.is_encrypted else line
        connection.request("POST", target.path, body, {"Host": target.named, "Connection": "close", **headers})
        response = connection.getresponse()
        return Answer(response.status, _wait(response.getheader("Retry-After") or "", now=now))


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _wait(text: str, *, now: datetime) -> timedelta:
    """Return how long a Retry-After asks to wait: seconds, or until a date (RFC 9110, 10.2.3); 0 for anything else."""
    if _SECONDS.fullmatch(text):
        return min(timedelta(seconds=int(text)), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return timedelta(0)
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(timedelta(0), min(until - now, LONGEST_WAIT))


def _code(failure: Exception) -> str:
    """Return what kind of failure it was; its words may quote the answer."""
    if isinstance(failure, TimeoutError):
        return "timed-out"
    if isinstance(failure, ssl.SSLError):
        return "tls-failed"
    return "connection-failed" if isinstance(failure, OSError) else "not-http"
