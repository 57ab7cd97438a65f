"""`manage.py create_api_client`: a machine that acts for an organization."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from authz.access.machines import services
from authz.access.models import Organization
from authz.access.roles import Role
from authz.errors import InvalidInput


class Command(BaseCommand):
    """Creates an API client and prints its id and its secret, this once."""

    help = "Create a machine's access for an organization, and print its id and secret once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("organization", help="The organization's name.")
        parser.add_argument("name", help="What the machine is.")
        parser.add_argument("--role", required=True, choices=[role.value for role in Role if role is not Role.SYSTEM])

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command.

        :raises CommandError: when the organization is unknown, or has no such role.
        """
        organization = Organization.objects.filter(name=options["organization"]).first()
        if organization is None:
            raise CommandError(f"There is no organization called {options['organization']!r}.")
        try:
            client, secret = services.create_client(
                organization=organization, name=options["name"], roles={Role(options["role"])}
            )
        except InvalidInput as refusal:
            raise CommandError(" ".join(sentence for told in refusal.fields.values() for sentence in told)) from refusal
        self.stdout.write(
            f"client_id     {client.public_id}\nclient_secret {secret}\nThe secret is not kept: note it now."
        )
