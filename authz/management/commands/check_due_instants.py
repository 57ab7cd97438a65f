"""`manage.py check_due_instants`: hold the due instants that order the queue against the computed ones."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from authz.prior_auths.services import due_instants


class Command(BaseCommand):
    """Mends what it finds and names it. Any difference gives exit status 1."""

    help = "Compute the due instant of every undecided request anew, and mend those that order the queue wrongly."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run the command.

        :raises CommandError: when any kept instant was not the computed one.
        """
        mended = due_instants.mend()
        for public_id in mended:
            self.stdout.write(f"request {public_id}: mended")
        if mended:
            raise CommandError(f"{len(mended)} kept due instants were wrong and are mended.")
        self.stdout.write("Every kept due instant is the computed one.")
