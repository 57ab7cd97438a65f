"""A real server on loopback, for webhooks and for key sets: it can accept, refuse, redirect, stall, or babble."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from time import time
from typing import Any


class Mood(Enum):
    ANSWER = auto()
    """Answer with `status` and `headers`."""
    HANG = auto()
    """Hear, and never answer."""
    DRIP = auto()
    """Answer a byte now and then, for three seconds."""
    FLOOD = auto()
    """Answer with `status`, and a body without end."""
    BABBLE = auto()
    """Answer something that is no HTTP."""


@dataclass(frozen=True)
class Heard:
    """One request as it came in, and when, in Unix seconds."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float


@dataclass
class Receiver:
    """Listens on 127.0.0.1 at `port` while open; `heard` is every request that came in, whatever was answered.

    `meanwhile` is called between hearing and answering; `somebody_waits` tells of a caller that is left hanging.
    """

    port: int = 0
    mood: Mood = Mood.ANSWER
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    heard: list[Heard] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None
    somebody_waits: Event = field(default_factory=Event)
    closing: Event = field(default_factory=Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?from=authz"

    @property
    def ids(self) -> list[str]:
        """Return the `webhook-id` of everything heard."""
        return [heard.headers["webhook-id"] for heard in self.heard]

    @contextmanager
    def opened(self) -> Iterator["Receiver"]:
        """Serve until the block ends, at the same port each time."""
        self.closing.clear()
        server = _Server(("127.0.0.1", self.port), _handler(self))
        self.port = server.server_address[1]
        serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            yield self
        finally:
            self.closing.set()
            server.shutdown()
            serving.join()
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hung up is what some of the tests are about."""


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.heard.append(Heard(self.path, headers, body, at=time()))
            receiver.meanwhile()
            _ANSWERS[receiver.mood](receiver, self)

        do_GET = do_POST  # noqa: N815 - the name that the server looks for

        def log_message(self, *_words: object) -> None:
            """Say nothing: the canary looks at what is said."""

    return Handler


def _answer(receiver: Receiver, handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(receiver.status)
    for name, value in receiver.headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(receiver.body)


def _hang(receiver: Receiver, _handler: BaseHTTPRequestHandler) -> None:
    receiver.somebody_waits.set()
    receiver.closing.wait()


def _drip(receiver: Receiver, handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 204 No Content\r\nX-Long: ")
    for _ in range(150):
        if receiver.closing.wait(0.02):
            return
        handler.wfile.write(b"x")
        handler.wfile.flush()


def _flood(receiver: Receiver, handler: BaseHTTPRequestHandler) -> None:
    _answer(receiver, handler)
    while not receiver.closing.is_set():
        handler.wfile.write(b"x" * 65536)


def _babble(_receiver: Receiver, handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"220 This is a mail server\r\n")


_ANSWERS = {
    Mood.ANSWER: _answer,
    Mood.HANG: _hang,
    Mood.DRIP: _drip,
    Mood.FLOOD: _flood,
    Mood.BABBLE: _babble,
}
