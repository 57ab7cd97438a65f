"""Processes of an earlier start that outlived it. Linux ends them with us; elsewhere we look at the next start."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

SECONDS_TO_LEAVE = 5.0


def is_running(pid: int, *, mentions: tuple[str, ...]) -> bool:
    """Tell whether the process runs and its command line mentions every one of the words.

    A pid alone proves nothing: the system gives it to another process sooner or later.
    """
    command = _command_line(pid)
    return bool(command) and all(word in command for word in mentions)


def _command_line(pid: int) -> str:
    """Return the command line, or nothing for a process that is gone or only waits to be collected."""
    if sys.platform == "linux":
        return _from_proc(Path(f"/proc/{pid}/cmdline"))  # small images have no `ps`
    shown = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()


def _from_proc(file: Path) -> str:
    try:
        return file.read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def stop(pid: int, polite: signal.Signals) -> None:
    """Ask the process to leave, and after five seconds make it."""
    os.kill(pid, polite)
    deadline = time.monotonic() + SECONDS_TO_LEAVE
    while _command_line(pid):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def note(file: Path, pids: Iterable[int]) -> None:
    """Write down the processes we have started, by pid and command line."""
    file.write_text(json.dumps([[pid, _command_line(pid)] for pid in pids]), encoding="utf-8")


def stop_noted(file: Path) -> None:
    """Stop what an earlier start wrote down and could not stop, if it still is the same."""
    for pid, command in json.loads(file.read_text(encoding="utf-8")) if file.exists() else []:
        if command and is_running(pid, mentions=(command,)):
            stop(pid, signal.SIGTERM)
    file.unlink(missing_ok=True)
