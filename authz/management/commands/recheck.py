"""`manage.py recheck`: bring patients' requests into line, after a change that concerns them all."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from authz import clock
from authz.prescriptions.models import Patient
from authz.prior_auths.services import rechecking


class Command(BaseCommand):
    """Asks for rechecks and helps to make them. Cut short, it loses nothing: the workers go on."""

    help = "Recheck patients: open the requests that are needed now, follow open ones, retract needless ones."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--all", action="store_true", help="every patient")
        which.add_argument("--plan", metavar="CODE", help="the patients whom a plan of this code covers, or ever did")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command.

        :raises CommandError: when there is no such plan.
        """
        patients = Patient.objects.filter(merged_into=None)
        if options["plan"] is not None:
            patients = rechecking.patients_of(plan_code=options["plan"])
            if not patients.exists():
                raise CommandError(f"No plan {options['plan']!r} covers anybody.")
        asked = rechecking.ask_for(patients=patients, now=clock.now())
        while rechecking.recheck_next(now=clock.now()):
            pass
        self.stdout.write(f"Patients asked for: {asked}; still to be rechecked: {rechecking.waiting().count()}.")
