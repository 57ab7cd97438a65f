"""`make run` and `make demo`: one process that starts everything, shows it working, and stops all it started."""

import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded import environment, lock, paths, ports
from config.embedded.processes import ending, server_account, tail
from config.embedded.stack import Stack, say

SECONDS_TO_WALK = 300.0


def run() -> int:
    """Serve until Ctrl-C, from the data folder of this checkout; return the exit status.

    :raises CannotStart: when the embedded servers or the product cannot start.
    :raises AlreadyRunning: when a supervisor serves from the same folder.
    """
    environment.refuse_production()
    data = paths.data_folder(server_account())
    with lock.held(data), serving(data) as stack:
        if _walk_through(stack) != 0:
            say("The walk-through did not get to its end, see above; everything keeps serving.")
        _show_ways_in(stack)
        stack.keep_watch()
    return 0


def demo() -> int:
    """Start everything in a new temporary folder, show it working, remove all; return the walk-through's exit status.

    :raises CannotStart: when the embedded servers or the product cannot start.
    """
    environment.refuse_production()
    data = paths.temporary_folder(server_account())
    try:
        with lock.held(data), serving(data) as stack:
            status = _walk_through(stack)
            if status != 0:
                _show_logs(data)
            return status
    finally:
        shutil.rmtree(data)


@contextmanager
def serving(data: Path) -> Iterator[Stack]:
    """Start everything in `data`; at the end stop everything, and let no second Ctrl-C cut that short."""
    begun = time.monotonic()
    stack = Stack(data, _port())
    say(f"Authz: starting. Data and logs: {data}")
    try:
        stack.start()
        lock.write_note(data, stack.url)
        say(f"Serving after {time.monotonic() - begun:.1f} s: {stack.url}\n")
        yield stack
    finally:
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sign, signal.SIG_IGN)
        begun = time.monotonic()
        stack.stop()
        say(f"Authz: everything stopped in {time.monotonic() - begun:.1f} s.")


def _port() -> int:
    wanted = ports.wanted_port()
    port = ports.next_free(wanted)
    if port != wanted:
        say(f"Port {wanted} is taken; using {port}.")
    return port


def _walk_through(stack: Stack) -> int:
    """Run the main job once through the public API, and return its exit status."""
    words = ("-m", "config.embedded.walk_through", "--url", stack.url, "--mail", str(stack.mail))
    status = stack.run_to_its_end(*words, seconds=SECONDS_TO_WALK)
    if status < 0:
        say(f"The walk-through was ended ({ending(status)}); it may take {SECONDS_TO_WALK:.0f} s at most.")
    return abs(status)


def _show_ways_in(stack: Stack) -> None:
    say(f"\n  pages      {stack.url}/\n  API        {stack.url}/api/docs/\n  mail       {stack.url}/demo/mail/")
    say(f"  data, logs {stack.data}\n")
    say(stack.log_ins.read_text(encoding="utf-8"))
    say("Ctrl-C stops everything.")


def _show_logs(data: Path) -> None:
    for log in sorted(data.glob("*.log")):
        say(f"\n-- {log.name}\n{tail(log)}")
