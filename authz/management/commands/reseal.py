"""`manage.py reseal`: seal all that is sealed with the first encryption key, so that the others can be taken away."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from authz.access.people import services as people
from authz.notifications.channels.webhook import endpoints
from authz.sealing import CannotOpen
from authz.sealing import services as identifiers
from authz.sealing.identifiers import key_ids


class Command(BaseCommand):
    """Reseals what is sealed: secrets, and what names patients. Interrupted, it goes on when it is called again."""

    help = "Seal with the first of AUTHZ_ENCRYPTION_KEYS all that is sealed: secrets, and what names patients."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run the command.

        :raises CommandError: when something was sealed with a key that is no longer named, or only the owner may.
        """
        try:
            count = endpoints.reseal() + people.reseal() + sum(identifiers.reseal(model=one) for one in _ours())
        except CannotOpen:
            raise CommandError("Something was sealed with a key that AUTHZ_ENCRYPTION_KEYS does not name.") from None
        self.stdout.write(f"Resealed: {count}.")
        first = key_ids()[:1]
        left = sum(
            identifiers.sealed_otherwise(model=model, than=first).count() for model in identifiers.sealed_models()
        )
        if left:
            raise CommandError(
                f"{left} papers and documents are append-only, and keep an older key: call this again as the owner of "
                "the tables, who runs migrate. Until then keep the key."
            )


def _ours() -> list[Any]:
    return [model for model in identifiers.sealed_models() if identifiers.may_reseal(model=model)]
