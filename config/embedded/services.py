"""The product's own programs, and the watch that starts again what ends by itself."""

import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from config.embedded.folders import ROOT
from config.embedded.processes import CannotStart, Process, ask_to_stop, await_end, ending, spawn, tail

LOG_LIMIT = 10_000_000
SECONDS_OF_GOOD_HEALTH = 60.0


class Service(Protocol):
    """Something with one process that is kept running."""

    name: str
    log: Path
    process: Process | None
    polite: signal.Signals

    def begin(self) -> None:
        """Start the process without waiting until it serves."""


@dataclass
class Program:
    """A Python module of this checkout, kept running."""

    name: str
    module: Sequence[str]
    log: Path
    env: Mapping[str, str]
    if_we_die: signal.Signals = signal.SIGTERM
    polite: signal.Signals = signal.SIGTERM
    process: Process | None = None

    def begin(self) -> None:
        """Start the program."""
        command = [sys.executable, "-m", *self.module]
        self.process = spawn(command, log=self.log, env=self.env, cwd=ROOT, if_we_die=self.if_we_die)


@dataclass
class Watched:
    """One service under watch: it is started again when it ends, after longer and longer pauses."""

    service: Service
    started: float = field(default_factory=time.monotonic)
    failures: int = 0
    again_at: float | None = None

    def look(self, now: float) -> str | None:
        """Start the service again if it is due, and return the news, if there is any. `now` is monotonic seconds."""
        process = self.service.process
        if self.again_at is not None:
            return self._start_again(now) if now >= self.again_at else None
        if process is None or process.poll() is None:
            return None
        self.failures = 1 if now - self.started > SECONDS_OF_GOOD_HEALTH else self.failures + 1
        self.again_at = now + pause(self.failures)
        return f"{self.service.name} ended ({ending(process.returncode)}); see {self.service.log}"

    def _start_again(self, now: float) -> str:
        self.started, self.again_at = now, None
        self.service.begin()
        return f"{self.service.name} started again"


def pause(failures: int) -> float:
    """Return the seconds to wait before the next start: 0.2, 0.4, 0.8 … 30."""
    return float(min(0.1 * 2 ** min(failures, 20), 30.0))


def must_live(service: Service) -> None:
    """Check a service that has not served yet.

    :raises CannotStart: when it is dead already; there is no use in trying again. The message shows its last words.
    """
    if service.process is not None and service.process.poll() is not None:
        how = ending(service.process.returncode)
        raise CannotStart(
            f"{service.name} ended while starting ({how}). The end of {service.log}:\n{tail(service.log)}"
        )


def put_old_log_aside(log: Path) -> None:
    """Keep one older log, so that logs do not fill the disk."""
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.old"))


def stop_together(services: Sequence[Service], *, seconds: float) -> None:
    """Tell the services to stop, in their order, then wait for all; who is not gone after `seconds` is killed."""
    for service in services:
        ask_to_stop(service.process, service.polite)
    for service in services:
        await_end(service.process, seconds=seconds)
