"""Start a program so that it cannot outlive us, and stop it politely."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None

Process = subprocess.Popen[bytes]


class CannotStart(RuntimeError):
    """The embedded stack cannot start; the message is a sentence for the person who tried."""


@dataclass(frozen=True)
class Account:
    """The user and group a server runs as."""

    uid: int
    gid: int


def server_account() -> Account | None:
    """Return the account for the servers, or None for our own.

    PostgreSQL refuses to run as root, so root lends its servers the rights of `nobody`.

    :raises CannotStart: when our uid has no passwd entry, which initdb refuses.
    """
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        return Account(nobody.pw_uid, nobody.pw_gid)
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise CannotStart(
            f"The embedded PostgreSQL cannot run as uid {os.geteuid()}: it has no entry in /etc/passwd. "
            "Add one, or set DATABASE_URL to a PostgreSQL server of your own."
        ) from None
    return None


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path | None,
    errors: Path | None = None,
    account: Account | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    if_we_die: signal.Signals = signal.SIGTERM,
) -> Process:
    """Start a program in a session of its own, so that Ctrl-C reaches us alone.

    Its output is appended to `log`, or goes where ours goes; its errors go to `errors`, or with its output.
    Call this from the main thread: on Linux the child gets `if_we_die` when the *thread* that started it ends.
    """
    who: dict[str, Any] = {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}
    with ExitStack() as files:
        return subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=files.enter_context(log.open("ab")) if log else None,
            stderr=files.enter_context(errors.open("ab")) if errors else subprocess.STDOUT,
            env=env,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_die_with_parent(if_we_die),
            **who,
        )


def _die_with_parent(dying: signal.Signals) -> Callable[[], None] | None:
    """Return what the child runs before exec; it comes after the change of user, which would clear the wish."""
    if _LIBC is None:
        return None
    libc, parent = _LIBC, os.getpid()

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, dying.value)
        if os.getppid() != parent:
            os._exit(1)

    return ask


def ask_to_stop(process: Process | None, polite: signal.Signals) -> None:
    """Send `polite` to the process, if there is one and it still runs."""
    if process is not None and process.poll() is None:
        process.send_signal(polite)


def await_end(process: Process | None, *, seconds: float) -> None:
    """Wait for the process to end; after `seconds` kill it and everything it started in its session."""
    if process is None:
        return
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def ending(status: int) -> str:
    """Say how a process ended, from its return code."""
    return f"signal {-status}, {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def tail(log: Path, *, lines: int = 15) -> str:
    """Return the last lines of a log, indented, to show why a program died."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:]) or "    (the log is empty)"
