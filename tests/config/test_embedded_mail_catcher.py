"""The catcher takes mail as a real server does, keeps it whole, and delivers it nowhere."""

import signal
import smtplib
import sys
import time
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path

import pytest

from config.embedded import ports
from config.embedded.folders import ROOT
from config.embedded.mail_catcher import keep
from config.embedded.processes import ask_to_stop, await_end, spawn, tail


@pytest.fixture
def port(folder: Path) -> Iterator[int]:
    """The port of a catcher that writes into `folder`/mail."""
    chosen, log = ports.any_free(), folder / "mail.log"
    catcher = spawn(
        [sys.executable, "-m", "config.embedded.mail_catcher", folder / "mail", str(chosen)], log=log, cwd=ROOT
    )
    deadline = time.monotonic() + 10
    while not listens(chosen) and time.monotonic() < deadline:
        assert catcher.poll() is None, tail(log)
        time.sleep(0.02)
    yield chosen
    ask_to_stop(catcher, signal.SIGTERM)
    await_end(catcher, seconds=5)
    assert catcher.returncode == 0, tail(log)


def listens(port: int) -> bool:
    try:
        smtplib.SMTP("127.0.0.1", port, timeout=2).close()
    except OSError:
        return False
    return True


def test_a_message_sent_by_smtp_becomes_a_file_with_every_recipient(port: int, folder: Path) -> None:
    message = EmailMessage()
    message["Subject"] = "A request needs you"
    message["To"] = "jones@clinic.example"
    message.set_content("See request 7 – in Authz.\n")

    with smtplib.SMTP("127.0.0.1", port) as line:
        line.send_message(message, "authz@authz.example", ["jones@clinic.example", "hidden@clinic.example"])
    kept = message_from_bytes(next((folder / "mail").glob("*.eml")).read_bytes())

    assert kept["Subject"] == "A request needs you"
    assert kept.get_all("X-Envelope-To") == ["jones@clinic.example", "hidden@clinic.example"]
    payload = kept.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert "See request 7 – in Authz." in payload.decode()


def test_messages_sort_by_their_arrival(folder: Path) -> None:
    kept = [keep(folder, f"Subject: {n}\r\n\r\n".encode(), recipients=[]) for n in range(5)]

    assert sorted(folder.glob("*.eml")) == kept
