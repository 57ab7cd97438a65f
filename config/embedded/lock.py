"""One supervisor per data folder, and a note about the one that holds it."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

NOTE = "running.json"


class AlreadyRunning(RuntimeError):
    """Another supervisor holds the data folder; the message says which and where."""


@contextmanager
def held(data: Path) -> Iterator[None]:
    """Hold the data folder; the kernel lets go of it when we end, however we end.

    :raises AlreadyRunning: when another process holds it.
    """
    with (data / "lock").open("a") as file:
        _lock(file, data)
        try:
            yield
        finally:
            (data / NOTE).unlink(missing_ok=True)


def _lock(file: IO[str], data: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise AlreadyRunning(f"Authz is already running: {_note(data)}. Data: {data}") from None


def _note(data: Path) -> str:
    file = data / NOTE
    if not file.exists():
        return "it is just starting"
    note = json.loads(file.read_text(encoding="utf-8"))
    return f"pid {note['pid']}, {note['url']}"


def write_note(data: Path, url: str) -> None:
    """Leave our pid and URL for whoever starts a second time; replaced whole, so it is never read half written."""
    part = data / f"{NOTE}.part"
    part.write_text(json.dumps({"pid": os.getpid(), "url": url}), encoding="utf-8")
    part.replace(data / NOTE)
