"""`manage.py rotate_api_client`: a new secret, new keys, or the end of a machine."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from authz import clock
from authz.access.machines import services
from authz.access.machines.keys import KeysRefused
from authz.access.models import ApiClient


class Command(BaseCommand):
    """Replaces what a machine proves itself by. The secret before holds for a while, unless said otherwise."""

    help = "Give a machine a new secret (printed once), or a key set from a file; or deactivate it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("client_id", type=UUID)
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--overlap-hours", type=int, default=24, help="How long the secret before holds; 24.")
        how.add_argument("--jwks", type=Path, help="A file with a JSON Web Key Set, instead of a secret.")
        how.add_argument("--deactivate", action="store_true", help="End it and its tokens at once, for good.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command.

        :raises CommandError: when there is no such machine, or the keys are none that we take.
        """
        client = ApiClient.objects.filter(public_id=options["client_id"], is_active=True).first()
        if client is None:
            raise CommandError("There is no active API client of that id.")
        if options["deactivate"]:
            services.end(client=client)
            self.stdout.write(f"{client.name} is deactivated.")
        elif options["jwks"]:
            self._give_keys(client, options["jwks"])
        else:
            overlap = timedelta(hours=min(max(options["overlap_hours"], 0), 168))
            secret = services.rotate_secret(client=client, overlap=overlap, now=clock.now())
            self.stdout.write(f"client_secret {secret}\nThe secret is not kept: note it now.")

    def _give_keys(self, client: ApiClient, file: Path) -> None:
        try:
            services.give_keys(client=client, jwks=json.loads(file.read_bytes()), jwks_url="")
        except (OSError, ValueError, KeysRefused) as refusal:
            raise CommandError(f"These are no keys that we take: {refusal}") from refusal
        self.stdout.write(f"{client.name} proves itself by these keys from now on.")
