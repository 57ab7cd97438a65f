"""The product at work inside the test process: a worker that tells, and the demonstration's own mail catcher."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event, Thread

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import LazySettings
from django.db import connection

from authz import clock
from authz.notifications import services as notifications
from config.embedded.mail_catcher import Catcher
from config.embedded.ports import any_free


class Gossip(Catcher):
    """A mail server that adds words to every mail: what a careless template would do."""

    words = b""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - SMTP's word
        envelope.original_content = bytes(envelope.original_content or b"") + b"\r\n" + self.words
        return await super().handle_DATA(server, session, envelope)


@contextmanager
def mail_caught(settings: LazySettings, catcher: Catcher) -> Iterator[None]:
    """Have the product's mail arrive in the catcher's folder until the block ends."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", any_free(), False
    controller = Controller(catcher, hostname="127.0.0.1", port=settings.EMAIL_PORT)
    controller.start()
    try:
        yield
    finally:
        controller.stop()


@contextmanager
def worker() -> Iterator[None]:
    """Tell what is in the outbox until the block ends."""
    stop = Event()
    thread = Thread(target=_tell, args=[stop])
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _tell(stop: Event) -> None:
    while not stop.is_set():
        if not (notifications.fan_out_next(now=clock.now()) or notifications.send_next(now=clock.now())):
            time.sleep(0.02)
    connection.close()


@contextmanager
def at_work(settings: LazySettings, folder: Path) -> Iterator[None]:
    """Have both a worker and the mail catcher."""
    with ExitStack() as both:
        both.enter_context(mail_caught(settings, Catcher(folder)))
        both.enter_context(worker())
        yield
