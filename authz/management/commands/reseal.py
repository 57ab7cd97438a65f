"""`manage.py reseal`: seal the kept secrets with the first encryption key, so that the others can be taken away."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from authz.access.people import services as people
from authz.notifications.channels.webhook import endpoints
from authz.sealing import CannotOpen


class Command(BaseCommand):
    """Reseals what is sealed. All of it or nothing."""

    help = "Seal every kept secret with the first of AUTHZ_ENCRYPTION_KEYS."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run the command.

        :raises CommandError: when a secret was sealed with a key that is no longer named.
        """
        try:
            count = endpoints.reseal() + people.reseal()
        except CannotOpen:
            raise CommandError("A secret was sealed with a key that AUTHZ_ENCRYPTION_KEYS does not name.") from None
        self.stdout.write(f"Resealed: {count}.")
