"""The servers and programs of a deployment, started again when they end, each of them at the mercy of the faults."""

import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Event, Lock, Thread

from redis import Redis

from config.embedded.folders import ROOT
from config.embedded.paths import temporary_folder
from config.embedded.ports import any_free
from config.embedded.postgres import PRODUCT, Postgres
from config.embedded.processes import Process, server_account, spawn
from config.embedded.valkey import Valkey
from tests.faults.proxy import Proxy

WEBS, WORKERS = 2, 2
LEASE_SECONDS = 6
SABOTAGE = Path(__file__).with_name("sabotage")
_CELERY = ("celery", "-A", "workers.app")


class Program:
    """A process of the product with its children, in a group of its own."""

    def __init__(self, name: str, words: Sequence[str], *, env: Mapping[str, str], log: Path) -> None:
        self.name = name
        self._command = [sys.executable, "-m", *words]
        self.env = dict(env)
        self._log = log
        self.process: Process | None = None

    def start(self) -> None:
        """Start it; it is killed when the thread that starts it ends."""
        self.process = spawn(self._command, log=self._log, cwd=ROOT, env=self.env, if_we_die=signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and all its children."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    @property
    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None


class Stack:
    """All of it, in a temporary folder. Use as a context; programs are watched while it is open."""

    def __init__(self, *, smtp_port: int, hook_port: int, safeguard_off: str = "") -> None:
        self.folder = temporary_folder(server_account())
        self.postgres = Postgres(self.folder / "postgres", self.folder / "run", durable=True)
        self.valkey = Valkey(self.folder / "valkey", self.folder / "run")
        self.to_postgres = Proxy(self.folder / "run" / ".s.PGSQL.5432", any_free())
        self.to_valkey = Proxy(self.valkey.socket, any_free())
        self.web_ports = [any_free() for _ in range(WEBS)]
        self._smtp_port, self._hook_port = smtp_port, hook_port
        self._safeguard_off = safeguard_off
        self._is_over = Event()
        self.servers = Lock()
        self.programs: list[Program] = []

    def __enter__(self) -> "Stack":
        self.postgres.start()
        self.postgres.create_database("authz")
        self.valkey.start()
        self.to_postgres.start()
        self.to_valkey.start()
        return self

    def serve(self) -> None:
        """Start the programs and the watch; the database must be migrated."""
        workers = [*map(self._worker, range(WORKERS)), self._courier()]
        self.programs = [*map(self._web, self.web_ports), *workers, self._beat()]
        for program in self.programs:
            program.start()
        Thread(target=self._watch, daemon=True).start()

    def some(self, kind: str, random: Random) -> Program:
        """Return one of the programs whose name begins so."""
        return random.choice([program for program in self.programs if program.name.startswith(kind)])

    def restart_valkey(self) -> None:
        """Kill it and start it again; what was not on its disk is gone."""
        with self.servers:
            _kill(self.valkey.process)
            self.valkey.start()

    def restart_postgres(self) -> None:
        """Stop it at once, as `pg_ctl stop -m immediate` does, and start it again, which recovers from its log."""
        with self.servers:
            if self.postgres.process is not None:
                self.postgres.process.send_signal(signal.SIGQUIT)
                self.postgres.process.wait()
            self.postgres.start()

    def broker(self) -> "Redis[bytes]":
        """Return a client of Valkey that no fault cuts off."""
        return Redis.from_url(self.valkey.url())

    def __exit__(self, *_how: object) -> None:
        self._is_over.set()
        for program in self.programs:
            program.signal(signal.SIGCONT)
            program.signal(signal.SIGKILL)
            if program.process is not None:
                program.process.wait()
        self.to_postgres.stop()
        self.to_valkey.stop()
        self.valkey.stop()
        self.postgres.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _watch(self) -> None:
        while not self._is_over.wait(0.1):
            for program in self.programs:
                if program.has_ended and not self._is_over.is_set():
                    program.signal(signal.SIGKILL)  # its children, should it have left any
                    program.start()

    def _web(self, port: int) -> Program:
        words = [
            *("gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", "--no-control-socket", "--workers", "1"),
            *("--worker-class", "gthread", "--threads", "4", "--timeout", "60", "--graceful-timeout", "2"),
        ]
        return self._program(f"web-{port}", words, AUTHZ_WEB_THREADS="4")

    def _worker(self, number: int) -> Program:
        words = [*_CELERY, "worker", "--pool", "prefork", "--concurrency", "2", "-n", f"worker-{number}@%h"]
        return self._program(f"worker-{number}", [*words, "--without-gossip", "--without-mingle", "--loglevel", "INFO"])

    def _courier(self) -> Program:
        # Named as a worker: every fault of a worker befalls it, too.
        words = ["celery", "-A", "workers.courier", "worker", "--queues", "outside", "--pool", "threads", "-c", "8"]
        words += ["-n", "worker-courier@%h", "--without-gossip", "--without-mingle", "--loglevel", "INFO"]
        return self._program("worker-courier", words)

    def _beat(self) -> Program:
        return self._program("beat", [*_CELERY, "beat", "--pidfile", ""])

    def _program(self, name: str, words: Sequence[str], **more: str) -> Program:
        return Program(name, words, env={**self.environment(), **more}, log=self.folder / f"{name}.log")

    def environment(self) -> dict[str, str]:
        """Return what a program is told: the servers behind the proxies, short leases, and which safeguard is off."""
        return {
            **os.environ,
            "DJANGO_ENV": "test",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "AUTHZ_SECRET_KEY": "a-secret-for-faults-only-of-enough-length-and-more",
            "AUTHZ_BASE_URL": f"http://127.0.0.1:{self.web_ports[0]}",
            "DATABASE_URL": f"postgresql://{PRODUCT}@127.0.0.1:{self.to_postgres.port}/authz",
            "REDIS_URL": f"redis://127.0.0.1:{self.to_valkey.port}/0",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(self._smtp_port),
            "EMAIL_USE_TLS": "false",
            "AUTHZ_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1/32",
            "AUTHZ_WEBHOOK_PORTS": f"443,{self._hook_port}",
            "AUTHZ_SWEEP_SECONDS": "1",
            "AUTHZ_LEASE_SECONDS": str(LEASE_SECONDS),
            "PYTHONPATH": os.pathsep.join([str(SABOTAGE), str(ROOT)]),
            "AUTHZ_SAFEGUARD_OFF": self._safeguard_off,
        }


def _kill(process: Process | None) -> None:
    if process is not None:
        process.kill()
        process.wait()


def wait_for(port: int, *, seconds: float = 60) -> None:
    """Wait until something listens.

    :raises TimeoutError: when nothing does in time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise TimeoutError(f"nothing listens on port {port}")
