"""`manage.py load_demonstration`: invented clinics, insurers, people and patients, made through the services."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from authz import clock
from authz.demonstration import people, services
from authz.demonstration.people import LogIn
from authz.demonstration.services import MadeMachine


class Command(BaseCommand):
    """Loads the demonstration once and prints who can log in; run again, it only prints."""

    help = "Load the demonstration's invented people and patients, and print who can log in."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run the command.

        :raises CommandError: in a production deployment, where nobody may log in with a printed password.
        """
        if settings.IS_PRODUCTION:
            raise CommandError(
                "This is a production deployment (DJANGO_ENV), and the demonstration's password is printed for all to "
                "see. Set DJANGO_ENV=demonstration for a demonstration."
            )
        made = services.load(now=clock.now())
        self.stdout.write(f"Log in with one of these addresses and the password: {people.password()}\n\n")
        for one in people.log_ins():
            self.stdout.write(_log_in_line(one))
        self.stdout.write("\nMachines ask for a token with a client id and its secret, which is shown once:\n\n")
        for line in _machine_lines(made):
            self.stdout.write(line)


def _log_in_line(one: LogIn) -> str:
    return f"  {one.email:<26} {one.name:<17} {one.place.name:<24} {one.does}"


def _machine_lines(made: list[MadeMachine]) -> list[str]:
    if not made:
        return ["  The secrets were shown when the demonstration was loaded. `make reset` makes new ones."]
    return [f"  {one.name} ({one.organization}): {one.client_id} {one.secret}" for one in made]
