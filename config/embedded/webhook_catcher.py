"""A receiver of webhooks: each event that is posted becomes one .json file, which /demo/webhooks/ shows."""

import argparse
import json
import signal
import sys
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from typing import Any
from uuid import uuid4

MOST_BYTES = 100_000
_SHOWN = ("webhook-id", "webhook-timestamp", "webhook-signature", "content-type", "user-agent")


def keep(folder: Path, *, path: str, headers: dict[str, str], body: bytes) -> Path:
    """Write one event; names sort by arrival, and a file appears only when it is whole."""
    name = f"{time.time_ns():020d}-{uuid4().hex[:8]}"
    told = {
        "received_at": datetime.now(UTC).isoformat(),
        "path": path,
        "headers": {key: value for key, value in headers.items() if key in _SHOWN},
        "body": body.decode("utf-8", "replace"),
    }
    part = folder / f".{name}"
    part.write_text(json.dumps(told), encoding="utf-8")
    return part.rename(folder / f"{name}.json")


class _Catcher(BaseHTTPRequestHandler):
    folder: Path

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            self.send_response(413)
        else:
            headers = {key.lower(): value for key, value in self.headers.items()}
            keep(self.folder, path=self.path, headers=headers, body=self.rfile.read(int(length)))
            self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the server's word
        """Say nothing: what came is in the folder."""


def catch(folder: Path, port: int) -> ThreadingHTTPServer:
    """Return a server on the loopback address that keeps what is posted to it."""
    return ThreadingHTTPServer(("127.0.0.1", port), type("Catcher", (_Catcher,), {"folder": folder}))


def _end(_sign: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def main() -> None:
    """Read the command line and serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m config.embedded.webhook_catcher", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the events go")
    parser.add_argument("port", type=int, help="the port on 127.0.0.1")
    chosen = parser.parse_args()
    chosen.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, _end)
    with catch(chosen.folder, chosen.port) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
