"""`manage.py replay`: recompute what was evaluated, and name every difference."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from authz.prior_auths import replay
from authz.prior_auths.replay import Replayed


class Command(BaseCommand):
    """Replays evaluations. Any difference gives exit status 1."""

    help = "Recompute evaluations from what they kept, byte for byte, and compare that with what the tables tell."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--all", action="store_true", help="every evaluation")
        which.add_argument("--patient", type=UUID, metavar="ID", help="those of one patient, by public id")
        which.add_argument("--evaluation", type=UUID, metavar="ID", help="a single one, by public id")
        parser.add_argument(
            "--values", action="store_true", help="also print the values that differ, which are patients' facts"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command.

        :raises CommandError: when there is nothing to replay; at the end, when anything differs.
        """
        found = replay.evaluations(patient_id=options["patient"], evaluation_id=options["evaluation"])
        if not options["all"] and not found.exists():
            raise CommandError("There is no such evaluation.")
        count = differing = 0
        for replayed in replay.replay(found.iterator(chunk_size=500)):
            count += 1
            if replayed.differences:
                differing += 1
                self._tell(replayed, with_values=options["values"])
        self.stdout.write(f"{count} evaluations replayed, {count - differing} without any difference.")
        if differing:
            raise CommandError(f"{differing} evaluations differ.")

    def _tell(self, replayed: Replayed, *, with_values: bool) -> None:
        evaluation = replayed.evaluation
        self.stdout.write(f"evaluation {evaluation.public_id} at {evaluation.evaluated_at:%Y-%m-%d %H:%M:%S} UTC")
        for difference in replayed.differences:
            values = f": {difference.values}" if with_values and difference.values else ""
            self.stdout.write(f"  {difference.says}{values}")
