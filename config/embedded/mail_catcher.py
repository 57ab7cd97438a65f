"""A real SMTP server that delivers nowhere: each message becomes one .eml file, which /demo/mail/ shows."""

import argparse
import asyncio
import signal
import time
from pathlib import Path
from uuid import uuid4

from aiosmtpd.smtp import SMTP, Envelope, Session


class Catcher:
    """The SMTP handler: writes each accepted message into `folder`."""

    def __init__(self, folder: Path) -> None:
        """Take the folder for the messages."""
        self.folder = folder

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - SMTP's word
        """Keep the message; the answer tells the sender that it is ours now."""
        keep(self.folder, bytes(envelope.original_content or b""), recipients=list(envelope.rcpt_tos))
        return "250 Message kept"


def keep(folder: Path, message: bytes, *, recipients: list[str]) -> Path:
    """Write one message; names sort by arrival, and a file appears only when it is whole.

    The recipients of the envelope are added on top, as hidden copies are named nowhere else.
    """
    name = f"{time.time_ns():020d}-{uuid4().hex[:8]}"
    part = folder / f".{name}"
    part.write_bytes(b"".join(b"X-Envelope-To: " + to.encode() + b"\r\n" for to in recipients) + message)
    return part.rename(folder / f"{name}.eml")


async def catch(folder: Path, port: int) -> None:
    """Listen on the loopback address until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, ended.set)
    server = await loop.create_server(lambda: SMTP(Catcher(folder), loop=loop), "127.0.0.1", port)
    async with server:
        await ended.wait()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m config.embedded.mail_catcher", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the messages go")
    parser.add_argument("port", type=int, help="the port on 127.0.0.1")
    chosen = parser.parse_args()
    chosen.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    asyncio.run(catch(chosen.folder, chosen.port))


if __name__ == "__main__":
    main()
