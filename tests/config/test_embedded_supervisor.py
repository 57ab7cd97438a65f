"""`run` and `demo` start everything, mend what breaks, say what they did, and leave nothing behind."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.embedded import leftovers, paths, ports
from config.embedded.processes import server_account, tail
from tests.config import small_product

pytestmark = pytest.mark.live

NOT_INHERITED = {
    "DATABASE_URL",
    "REDIS_URL",
    "DJANGO_ENV",
    "DJANGO_SETTINGS_MODULE",
    "AUTHZ_SECRET_KEY",
    "AUTHZ_DATA_DIR",
}


@dataclass
class Start:
    """One start of the supervisor, over `data`, printing into `shown`."""

    process: subprocess.Popen[bytes]
    data: Path
    shown: Path
    port: int

    def says(self, words: str, *, seconds: float = 20.0) -> str:
        """Wait until it has said the words, and return all it said."""
        deadline = time.monotonic() + seconds
        while words not in (text := self.shown.read_text(encoding="utf-8")):
            assert time.monotonic() < deadline, f"{words!r} was not said in:\n{text}"
            assert self.process.poll() is None or words in self.shown.read_text(encoding="utf-8"), text
            time.sleep(0.02)
        return text

    def pids(self) -> list[int]:
        """Return the processes it noted as its own."""
        return [pid for pid, _command in json.loads((self.data / "processes.json").read_text(encoding="utf-8"))]

    def pid_of(self, words: str) -> int:
        """Return the first of its processes whose command line has the words."""
        return next(pid for pid in self.pids() if leftovers.is_running(pid, mentions=(words,)))

    def status(self) -> int:
        """Return the HTTP status of its /readyz, or 0 when nothing answers."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            line.request("GET", "/readyz")
            return line.getresponse().status
        except OSError:
            return 0
        finally:
            line.close()


Starter = Callable[..., Start]


@pytest.fixture(scope="module")
def product() -> Iterator[Path]:
    """The folder of the small product; every start in this file runs it."""
    folder = paths.temporary_folder(server_account())
    yield small_product.write(folder / "product")
    shutil.rmtree(folder)


@contextmanager
def starter(product: Path, folder: Path) -> Iterator[Starter]:
    """Start supervisors of the small product; whatever is still running at the end is stopped."""
    started: list[Start] = []

    def begin(action: str, **env: str) -> Start:
        own = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        port = ports.any_free()
        more = {"AUTHZ_DATA_DIR": str(folder / "data"), "PORT": str(port), "TMPDIR": str(folder)}
        shown = folder / f"shown-{len(started)}"
        with shown.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "config.embedded", action],
                cwd=product,
                env={**own, **more, **env},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        started.append(Start(process, folder / "data", shown, port))
        return started[-1]

    yield begin
    for one in started:
        one.process.terminate()
        one.process.wait(15)


@pytest.fixture
def start(product: Path, folder: Path) -> Iterator[Starter]:
    """Start a supervisor over a folder of this test alone."""
    with starter(product, folder) as begin:
        yield begin


@pytest.fixture(scope="module")
def serving(product: Path) -> Iterator[Start]:
    """One start that serves, shared by the tests that leave it serving; the port it wanted was taken."""
    folder = paths.temporary_folder(server_account())
    with socket.create_server(("127.0.0.1", 0)) as listener, starter(product, folder) as begin:
        taken = listener.getsockname()[1]
        run = begin("run", PORT=str(taken))
        said = re.search(r"is taken; using (\d+)\.", run.says("Ctrl-C stops everything."))
        assert said, run.says("Authz")
        run.port = int(said[1])
        yield run
    shutil.rmtree(folder)


def gone(pids: list[int], *, seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while any(leftovers.is_running(pid, mentions=()) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_run_serves_and_shows_the_walk_through_the_addresses_and_the_log_ins(serving: Start) -> None:
    text = serving.says("Ctrl-C stops everything.")

    assert serving.status() == 200
    assert "the worker worked" in text
    assert f"http://127.0.0.1:{serving.port}/api/docs/" in text
    assert "rae logs in, in the database authz" in text


def test_a_taken_port_is_passed_over_and_said(serving: Start) -> None:
    text = serving.says("Serving after")

    assert re.search(rf"Port \d+ is taken; using {serving.port}\.", text)
    assert serving.status() == 200


def test_a_second_start_says_where_the_first_is_and_disturbs_nothing(serving: Start, start: Starter) -> None:
    second = start("run", AUTHZ_DATA_DIR=str(serving.data))

    assert second.process.wait(10) == 0
    assert f"already running: pid {serving.process.pid}, http://127.0.0.1:{serving.port}" in tail(second.shown)
    assert serving.status() == 200


@pytest.mark.parametrize(("server", "name"), [("bin/postgres", "PostgreSQL"), ("valkey-server", "Valkey")])
def test_a_killed_server_is_back_within_seconds_and_the_next_request_works(
    serving: Start, server: str, name: str
) -> None:
    killed = serving.pid_of(server)

    os.kill(killed, signal.SIGKILL)
    serving.says(f"{name} started again", seconds=3)
    deadline = time.monotonic() + 5
    while serving.status() != 200 and time.monotonic() < deadline:
        time.sleep(0.05)

    assert serving.status() == 200
    assert serving.pid_of(server) != killed


def test_ctrl_c_stops_everything_within_a_few_seconds(start: Starter) -> None:
    run = start("run")
    run.says("Ctrl-C stops everything.")
    pids = run.pids()

    begun = time.monotonic()
    run.process.send_signal(signal.SIGINT)
    status = run.process.wait(15)

    assert status == 0
    assert time.monotonic() - begun < 8
    assert len(pids) == 8
    assert gone(pids, seconds=0)
    assert not (run.data / "running.json").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere leftovers are stopped at the next start")
def test_nothing_outlives_a_supervisor_that_was_killed_and_the_next_start_works(start: Starter) -> None:
    run = start("run")
    run.says("Ctrl-C stops everything.")
    pids = run.pids()

    run.process.kill()
    run.process.wait()
    all_gone = gone(pids)
    again = start("run").says("Ctrl-C stops everything.")

    assert len(pids) == 8
    assert all_gone
    assert "rae logs in" in again


def test_what_people_and_programs_write_is_for_us_alone(serving: Start) -> None:
    readable_by_others = [p.name for p in serving.data.iterdir() if p.is_file() and p.stat().st_mode & 0o077]

    assert serving.status() == 200
    assert readable_by_others == []


def test_sigterm_while_starting_stops_everything_too(start: Starter) -> None:
    run = start("run")
    run.says("starting.")
    deadline = time.monotonic() + 10
    while not (run.data / "postgres" / "postmaster.pid").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    server = int((run.data / "postgres" / "postmaster.pid").read_text(encoding="utf-8").split()[0])

    run.process.terminate()
    run.process.wait(15)

    assert gone([server], seconds=0)
    assert "everything stopped" in tail(run.shown)


def test_demo_exits_0_after_the_walk_through_and_removes_all_it_made(start: Starter, folder: Path) -> None:
    before = set(folder.iterdir())

    demo = start("demo")

    assert demo.process.wait(30) == 0
    assert "the worker worked" in tail(demo.shown)
    assert set(folder.iterdir()) - before == {demo.shown}


def test_demo_exits_with_the_failure_of_the_walk_through_and_names_the_step(start: Starter) -> None:
    demo = start("demo", FAILS_AT="walk")

    assert demo.process.wait(30) == 1
    assert "step 2 was not seen" in demo.shown.read_text(encoding="utf-8")
    assert "everything stopped" in tail(demo.shown)


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        ("migrate", "`manage.py migrate` failed (exit status 1)"),
        ("load_demonstration", "`manage.py load_demonstration` failed (exit status 1)"),
        ("web", "web ended while starting"),
    ],
)
def test_a_step_that_fails_stops_the_start_and_shows_the_end_of_its_log(
    start: Starter, step: str, sentence: str
) -> None:
    run = start("run", FAILS_AT=step)

    assert run.process.wait(30) == 1
    text = run.shown.read_text(encoding="utf-8")
    assert sentence in text
    assert "told to fail" in text
    assert "everything stopped" in text


def test_production_is_refused(start: Starter) -> None:
    run = start("run", DJANGO_ENV="production")

    assert run.process.wait(10) == 1
    assert "DATABASE_URL and REDIS_URL must be set" in tail(run.shown)
    assert not run.data.exists()
