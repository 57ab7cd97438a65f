"""`manage.py outbox`: what was given up, how to bring it back, and what is old enough to go."""

from argparse import ArgumentParser
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from authz import clock
from authz.errors import NotFound
from authz.notifications import selectors, services
from authz.outbox import selectors as outbox
from authz.outbox import services as facts

_REPLAY: dict[str, Callable[[int], None]] = {
    "fact": lambda key: facts.replay(message_id=key, now=clock.now()),
    "delivery": lambda key: services.replay(delivery_id=key, now=clock.now()),
}


class Command(BaseCommand):
    """Looks after the outbox. It tells ids, topics, channels and codes, and nothing of what a message says."""

    help = "List what was given up, replay it, or delete what was told long ago."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="the dead facts and deliveries")
        replay = verbs.add_parser("replay", help="give dead ones all their attempts again")
        which = replay.add_mutually_exclusive_group(required=True)
        which.add_argument("id", nargs="?", metavar="ID", help="as listed, such as delivery-17")
        which.add_argument("--all", action="store_true")
        prune = verbs.add_parser("prune", help="delete what was told, in batches; the workers do it, too")
        prune.add_argument("--older-than", type=int, metavar="DAYS", default=settings.OUTBOX_RETENTION_DAYS)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command.

        :raises CommandError: when nothing dead has that id, or the days are fewer than one.
        """
        if options["verb"] == "list":
            self._list()
        elif options["verb"] == "prune":
            self._prune(options["older_than"])
        elif options["all"]:
            self.stdout.write(f"Replayed: {services.replay_all(now=clock.now())}.")
        else:
            self._replay(options["id"])

    def _list(self) -> None:
        for fact in outbox.dead():
            self._tell("fact", fact.pk, fact.topic, "outbox", fact.attempts, fact.last_error)
        for delivery in selectors.dead().select_related("message"):
            topic, channel = delivery.message.topic, delivery.channel
            self._tell("delivery", delivery.pk, topic, channel, delivery.attempts, delivery.last_error)

    def _tell(self, kind: str, key: int, *rest: object) -> None:
        self.stdout.write("\t".join([f"{kind}-{key}", *map(str, rest)]))

    def _replay(self, name: str) -> None:
        kind, _, key = name.partition("-")
        if kind not in _REPLAY or not key.isdecimal():
            raise CommandError("Give an id as it is listed, such as delivery-17.")
        try:
            _REPLAY[kind](int(key))
        except NotFound:
            raise CommandError(f"Nothing dead is called {name}.") from None
        self.stdout.write("Replayed: 1.")

    def _prune(self, days: int) -> None:
        if days < 1:
            raise CommandError("Give a number of days, at least 1.")
        deleted, before = 0, clock.now() - timedelta(days=days)
        while batch := services.prune(before=before):
            deleted += batch
        self.stdout.write(f"Deleted: {deleted}.")
