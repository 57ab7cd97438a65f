"""`manage.py create_organization`: the first step of a new deployment."""

from typing import Any
from zoneinfo import available_timezones

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from authz.access import services
from authz.access.roles import OrganizationKind


class Command(BaseCommand):
    """Creates a clinic or an insurer and prints its id."""

    help = "Create a clinic or an insurer."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", choices=[kind.value for kind in OrganizationKind])
        parser.add_argument("name")
        parser.add_argument("--time-zone", required=True, help="IANA name of the calendar its days are read in.")
        parser.add_argument("--identifier-system", default="", help="The FHIR system under which it numbers patients.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command.

        :raises CommandError: when the time zone is none, or the name is taken.
        """
        if options["time_zone"] not in available_timezones():
            raise CommandError(f"{options['time_zone']} is no IANA time zone; use one such as America/Chicago.")
        try:
            made = services.create_organization(
                kind=OrganizationKind(options["kind"]),
                name=options["name"],
                time_zone=options["time_zone"],
                identifier_system=options["identifier_system"],
            )
        except IntegrityError:
            raise CommandError(f"There is already an organization called {options['name']!r}.") from None
        self.stdout.write(f"{made.kind} {made.name}: {made.public_id}")
