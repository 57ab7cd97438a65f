"""`manage.py set_superior`: whom a person reports to in an organization."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from authz.access import services
from authz.access.models import Organization, Person
from authz.errors import InvalidInput


class Command(BaseCommand):
    """Records whom a person reports to, in place of whoever it was; without a superior, that it is nobody."""

    help = "Record whom a person reports to: who is below a decider does not decide the appeal."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("superior", nargs="?", help="The superior's e-mail address; left out, it is nobody.")
        parser.add_argument("--organization", required=True, help="The organization's name.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command.

        :raises CommandError: when one of them is unknown or has no role there, or the line would be a circle.
        """
        organization = Organization.objects.filter(name=options["organization"]).first()
        if organization is None:
            raise CommandError(f"There is no organization called {options['organization']!r}.")
        person, superior = _person(options["email"]), _person(options["superior"]) if options["superior"] else None
        try:
            services.set_superior(person=person, organization=organization, superior=superior)
        except InvalidInput as refusal:
            raise CommandError(" ".join(sentence for told in refusal.fields.values() for sentence in told)) from refusal
        self.stdout.write(f"{person.email} reports to {superior.email if superior else 'nobody'} in {organization}")


def _person(email: str) -> Person:
    person = Person.objects.filter(email=email.lower()).first()
    if person is None:
        raise CommandError(f"There is nobody with the e-mail address {email}.")
    return person
