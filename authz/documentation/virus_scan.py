"""Ask ClamAV about bytes, over its own protocol (clamd, INSTREAM). Without a `CLAMD_URL` nobody is asked."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from struct import pack
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from authz.errors import AuthzError

_PIECE: Final = 64 * 1024
_LONGEST_REPLY: Final = 4096
_CLEAN: Final = b"stream: OK"


class ScannerUnavailable(AuthzError):
    """The virus scanner does not answer, so nothing is taken: try again later."""

    code = "scanner-unavailable"


class FileInfected(AuthzError):
    """The virus scanner refuses the file."""

    code = "file-infected"


def must_be_clean(content: bytes) -> None:
    """Refuse bytes that the deployment's virus scanner refuses. What it cannot be asked about is not taken.

    :raises FileInfected: when it finds something.
    :raises ScannerUnavailable: when it is not there, does not answer in time, or answers what nobody understands.
    """
    if not settings.CLAMD_URL:
        return
    try:
        with _connected() as scanner:
            reply = _asked(scanner, content)
    except OSError as error:
        raise ScannerUnavailable("The virus scanner cannot be reached. Nothing was stored; try again later.") from error
    if reply.endswith(b" FOUND"):
        raise FileInfected("The virus scanner found something in the file. Nothing was stored.")
    if reply != _CLEAN:
        raise ScannerUnavailable("The virus scanner could not look at the file. Nothing was stored; try again later.")


@contextmanager
def _connected() -> Iterator[socket.socket]:
    """Connect to tcp://host:port or unix:///path."""
    url = urlsplit(settings.CLAMD_URL)
    if url.scheme == "unix":
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as scanner:
            scanner.settimeout(settings.CLAMD_TIMEOUT)
            scanner.connect(url.path)
            yield scanner
    else:
        place = (url.hostname or "localhost", url.port or 3310)
        with socket.create_connection(place, timeout=settings.CLAMD_TIMEOUT) as scanner:
            yield scanner


def _asked(scanner: socket.socket, content: bytes) -> bytes:
    scanner.sendall(b"zINSTREAM\0")
    for start in range(0, len(content), _PIECE):
        piece = content[start : start + _PIECE]
        scanner.sendall(pack("!I", len(piece)) + piece)
    scanner.sendall(pack("!I", 0))
    reply = b""
    while b"\0" not in reply and len(reply) < _LONGEST_REPLY and (more := scanner.recv(_LONGEST_REPLY)):
        reply += more
    return reply.partition(b"\0")[0]
