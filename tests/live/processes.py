"""Real worker and beat processes, and waiting for what can be seen rather than for time to pass."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection
from psycopg.conninfo import make_conninfo

from tests.post_office import PostOffice

ROOT = Path(__file__).resolve().parent.parent.parent
DEADLINE_SECONDS = 90.0


class Never(AssertionError):
    """What was waited for did not come."""


def wait_until(came: Callable[[], object], *, what: str, log: Path | None = None) -> None:
    """Look again and again until it came.

    :raises Never: after a minute and a half, with the end of the log.
    """
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not came():
        if time.monotonic() > deadline:
            said = log.read_text(errors="replace")[-3000:] if log else ""
            raise Never(f"waited {DEADLINE_SECONDS:.0f} s in vain: {what}\n{said}")
        time.sleep(0.05)


def environment(post_office: PostOffice, **more: str) -> dict[str, str]:
    """Return what a process needs to work on this test's database, broker and post office, with short pauses."""
    database = connection.settings_dict
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    parts = {name: database[key] for name, key in names.items() if database[key]}
    return {
        **os.environ,
        "DATABASE_URL": make_conninfo(**parts),
        "REDIS_URL": settings.REDIS_URL,
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(post_office.port),
        "EMAIL_USE_TLS": "false",
        "AUTHZ_SWEEP_SECONDS": "1",
        "AUTHZ_LEASE_SECONDS": "3",
        **more,
    }


class Running:
    """A started process with all its children."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self.log = log

    def kill(self) -> None:
        """End it and its children as a power cut would: no clean-up, no last words."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def celery(*words: str, env: Mapping[str, str], log: Path) -> Iterator[Running]:
    """Run `celery -A workers.app …` until the block ends."""
    command = [sys.executable, "-m", "celery", "-A", "workers.app", *words]
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=dict(env), stdout=output, stderr=output, start_new_session=True
        )
    running = Running(process, log)
    try:
        yield running
    finally:
        if process.poll() is None:
            running.kill()


@contextmanager
def worker(env: Mapping[str, str], folder: Path) -> Iterator[Running]:
    """Run one worker of two processes for what is done in the house and for what leaves it."""
    words = ["worker", "--queues", "authz,outside", "--pool", "prefork", "--concurrency", "2", "--loglevel", "INFO"]
    with celery(*words, "--without-gossip", "--without-mingle", env=env, log=folder / "worker.log") as running:
        yield running


@contextmanager
def beat(env: Mapping[str, str], folder: Path) -> Iterator[Running]:
    """Run beat as a deployment does."""
    with celery("beat", "--pidfile", "", env=env, log=folder / "beat.log") as running:
        yield running
