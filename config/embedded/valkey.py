"""An embedded Valkey (it speaks Redis): unix socket only, append-only file, never evicting."""

import signal
import socket
import time
from pathlib import Path

from config.embedded.paths import make_folder, valkey_program
from config.embedded.processes import CannotStart, Process, ask_to_stop, await_end, server_account, spawn, tail

SECONDS_TO_START = 20.0


class Valkey:
    """One server over `data_dir`, listening on a socket in `run_dir`."""

    name = "Valkey"
    polite = signal.SIGTERM

    def __init__(self, data_dir: Path, run_dir: Path) -> None:
        """Take the folders; `run_dir` must be short enough for a socket (see paths.socket_folder)."""
        self.data_dir = data_dir
        self.socket = run_dir / "valkey.sock"
        self.log = data_dir.with_name(f"{data_dir.name}.log")
        self.process: Process | None = None

    def url(self) -> str:
        """Return the address as redis-py reads it."""
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Start the server and wait until it answers.

        :raises CannotStart: when it dies first; the message shows the end of its log.
        """
        self.begin()
        self.wait()

    def begin(self) -> None:
        """Start the server without waiting for it."""
        account = server_account()
        make_folder(self.data_dir, account)
        make_folder(self.socket.parent, account)
        self.process = spawn([valkey_program(account), *self._options()], log=self.log, account=account)

    def _options(self) -> list[str]:
        """Return the settings: no port, no snapshots beside the append-only file, and no silent loss of queued work."""
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data_dir),
            "appendonly": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
            "set-proc-title": "no",  # its command line is how the next start would know it again
        }
        return [word for name, value in settings.items() for word in (f"--{name}", value)]

    def wait(self) -> None:
        """Wait until the server answers.

        :raises CannotStart: when it dies first, or takes too long.
        """
        deadline = time.monotonic() + SECONDS_TO_START
        while not self.answers():
            if self.process is None or self.process.poll() is not None or time.monotonic() > deadline:
                raise CannotStart(f"Valkey did not start. The end of {self.log}:\n{tail(self.log)}")
            time.sleep(0.02)

    def answers(self) -> bool:
        """Tell whether a PING gets its PONG."""
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(2)
            try:
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def stop(self) -> None:
        """Stop the server after it has written its file."""
        ask_to_stop(self.process, self.polite)
        await_end(self.process, seconds=5)
