"""A container is called well only when its program works."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from config import probe

WAKES = "import time\nprint(flush=True)\nwhile True: time.sleep(0.1)"
HANGS = "import signal\nprint(flush=True)\nsignal.pause()"


class Health(BaseHTTPRequestHandler):
    """Answers as told, and remembers under which host name it was asked."""

    status: ClassVar[int] = 200
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(f"{self.headers['Host']}{self.path}")
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a server that answers with Health.status."""
    monkeypatch.setenv("AUTHZ_BASE_URL", "https://authz.example")
    monkeypatch.setattr(Health, "asked", [])
    with ThreadingHTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_web_is_well_when_it_is_ready_under_the_name_people_use(port: int) -> None:
    assert probe.is_web_well(port)
    assert Health.asked == ["authz.example/readyz"]


def test_web_is_not_well_when_it_is_not_ready(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Health, "status", 503)

    assert not probe.is_web_well(port)


def test_web_is_not_well_when_nothing_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHZ_BASE_URL", "https://authz.example")

    assert not probe.is_web_well(1)


@pytest.mark.skipif(sys.platform != "linux", reason="containers are Linux")
@pytest.mark.parametrize(("program", "is_well"), [(WAKES, True), (HANGS, False)])
def test_beat_is_well_while_it_wakes_up_for_its_sweeps(
    program: str, is_well: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTHZ_SWEEP_SECONDS", "1")
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.3)  # it goes to sleep for the first time, which counts as one

        answer = probe.is_beat_well(process.pid)
        process.kill()

    assert answer is is_well
