"""A real SMTP server inside the test process, which can accept, refuse, or leave a worker hanging in mid-sending."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from enum import Enum, auto
from threading import Event

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from config.embedded.ports import any_free


class Mood(Enum):
    ACCEPT = auto()
    REFUSE = auto()
    HANG_BEFORE_ACCEPTING = auto()
    ACCEPT_THEN_HANG = auto()


class PostOffice:
    """Listens on 127.0.0.1 at `port` while open. `letters` is what it accepted; `somebody_hangs` tells of a sender.

    Nothing is taken for addresses in `unknown`.
    """

    def __init__(self) -> None:
        self.port = any_free()
        self.mood = Mood.ACCEPT
        self.unknown: set[str] = set()
        self.letters: list[Envelope] = []
        self.somebody_hangs = Event()

    async def handle_RCPT(  # noqa: N802 - SMTP's word
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.unknown:
            return "550 No such patient here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - SMTP's word
        if self.mood is Mood.REFUSE:
            return "451 Not now, says the patient's post office"
        if self.mood is not Mood.HANG_BEFORE_ACCEPTING:
            self.letters.append(envelope)
        if self.mood in {Mood.HANG_BEFORE_ACCEPTING, Mood.ACCEPT_THEN_HANG}:
            self.somebody_hangs.set()
            await asyncio.sleep(3600)  # ends when the sender hangs up, which cancels this
        return "250 Accepted"

    @contextmanager
    def opened(self) -> Iterator["PostOffice"]:
        """Serve until the block ends."""
        controller = Controller(self, hostname="127.0.0.1", port=self.port)
        controller.start()
        try:
            yield self
        finally:
            controller.stop()

    def mails(self) -> list[EmailMessage]:
        """Return the accepted mails, parsed."""
        return [message_from_bytes(bytes(letter.content or b""), policy=default) for letter in self.letters]

    def mails_to(self, address: str) -> list[EmailMessage]:
        """Return the accepted mails for one address."""
        return [mail for mail in self.mails() if address in str(mail["To"])]
