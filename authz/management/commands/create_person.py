"""`manage.py create_person`: someone who can log in, with their first role."""

from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError, transaction

from authz.access import services
from authz.access.models import Organization, Person
from authz.access.roles import Role
from authz.errors import InvalidInput


class Command(BaseCommand):
    """Creates a person with a role in an organization; a known person gets the further role."""

    help = "Create someone who can log in, or give them a further role. Asks for the password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("full_name")
        parser.add_argument("--organization", required=True, help="The organization's name.")
        parser.add_argument("--role", required=True, choices=[role.value for role in Role if role is not Role.SYSTEM])
        parser.add_argument("--password-stdin", action="store_true", help="Read the password from standard input.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command.

        :raises CommandError: when the organization is unknown, the password too weak, or the role not its kind's.
        """
        organization = Organization.objects.filter(name=options["organization"]).first()
        if organization is None:
            raise CommandError(f"There is no organization called {options['organization']!r}.")
        person = Person.objects.filter(email=options["email"].lower()).first()
        password = "" if person else self._password(from_input=options["password_stdin"])
        try:
            with transaction.atomic():
                person = person or services.create_person(
                    email=options["email"],
                    full_name=options["full_name"],
                    password=password,
                    time_zone=organization.time_zone,
                )
                services.add_membership(person=person, organization=organization, role=Role(options["role"]))
        except InvalidInput as refusal:
            raise CommandError(" ".join(sentence for told in refusal.fields.values() for sentence in told)) from refusal
        except IntegrityError:
            raise CommandError(f"{options['email']} already has the role {options['role']} there.") from None
        self.stdout.write(f"{person.email}: {options['role']} in {organization.name}")

    def _password(self, *, from_input: bool) -> str:
        password = self._line() if from_input else getpass("Password: ")
        try:
            validate_password(password)
        except ValidationError as refusal:
            raise CommandError(" ".join(refusal.messages)) from refusal
        return password

    def _line(self) -> str:
        return input().strip()
