"""A deployment with a virus scanner takes nothing without its word."""

import socket
import socketserver
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from django.conf import LazySettings

from authz.documentation.virus_scan import FileInfected, ScannerUnavailable, must_be_clean


class Scanner(socketserver.BaseRequestHandler):
    """Speaks clamd's INSTREAM, and finds something in whatever says so."""

    def handle(self) -> None:
        said = b""
        while not said.endswith(b"\0\0\0\0") or len(said) < 15:
            said += self.request.recv(1 << 16)
        assert said.startswith(b"zINSTREAM\0")
        content, rest = b"", said[10:]
        while length := struct.unpack("!I", rest[:4])[0]:
            content, rest = content + rest[4 : 4 + length], rest[4 + length :]
        answers = {
            b"ill": b"stream: Test-Signature FOUND\0",
            b"odd": b"INSTREAM size limit exceeded. ERROR\0",
            b"dumb": b"",
        }
        self.request.sendall(answers.get(content, b"stream: OK\0"))


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def scanner(settings: LazySettings) -> Iterator[None]:
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Scanner)
    settings.CLAMD_URL = f"tcp://127.0.0.1:{server.server_address[1]}"
    with serving(server):
        yield


def test_without_a_scanner_nobody_is_asked(settings: LazySettings) -> None:
    settings.CLAMD_URL = ""

    must_be_clean(b"ill")


def test_what_the_scanner_lets_through_is_taken(scanner: None) -> None:
    must_be_clean(b"well" * 100_000)


def test_what_the_scanner_finds_something_in_is_refused(scanner: None) -> None:
    with pytest.raises(FileInfected):
        must_be_clean(b"ill")


@pytest.mark.parametrize("content", [b"odd", b"dumb"])
def test_an_answer_that_says_nothing_is_no_leave(scanner: None, content: bytes) -> None:
    with pytest.raises(ScannerUnavailable):
        must_be_clean(content)


def test_a_scanner_that_is_not_there_lets_nothing_through(settings: LazySettings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can listen there meanwhile
        settings.CLAMD_URL = f"tcp://127.0.0.1:{taken.getsockname()[1]}"

        with pytest.raises(ScannerUnavailable):
            must_be_clean(b"well")


def test_a_scanner_can_be_asked_over_a_socket_of_the_machine(settings: LazySettings, tmp_path: Path) -> None:
    place = tmp_path / "clamd.socket"
    settings.CLAMD_URL = f"unix://{place}"

    with serving(socketserver.ThreadingUnixStreamServer(str(place), Scanner)), pytest.raises(FileInfected):
        must_be_clean(b"ill")
