"""`manage.py pain_signal`: switch a clinic's pain signal on or off, as its administrator would."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from authz import clock
from authz.access.models import Organization
from authz.access.roles import Actor, OrganizationKind, Role
from authz.pain import services

_WORDS = {"on": True, "off": False}


class Command(BaseCommand):
    """Switches the pain signal of a clinic. The trail says that it was done here."""

    help = "Switch a clinic's pain signal on or off."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("clinic", help="The clinic's name.")
        parser.add_argument("state", choices=list(_WORDS))

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command.

        :raises CommandError: when there is no such clinic.
        """
        clinics = Organization.objects.filter(kind=OrganizationKind.CLINIC.value)
        clinic = clinics.filter(name=options["clinic"]).first()
        if clinic is None:
            raise CommandError(f"There is no clinic called {options['clinic']!r}.")
        operator = Actor(name="manage.py pain_signal", roles=frozenset({Role.CLINIC_ADMIN}), organization_id=clinic.pk)
        services.switch(is_on=_WORDS[options["state"]], by=operator, now=clock.now())
        self.stdout.write(f"The pain signal of {clinic.name} is {options['state']}.")
