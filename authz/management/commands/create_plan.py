"""`manage.py create_plan`: an insurer's plan, under a policy and a regime."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from authz.access.models import Organization
from authz.access.roles import OrganizationKind
from authz.errors import AuthzError
from authz.policies import regimes, services


class Command(BaseCommand):
    """Creates a plan and prints its id."""

    help = "Create an insurer's plan."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("insurer", help="The insurer's name.")
        parser.add_argument("code", help="The plan's own short code.")
        parser.add_argument("name")
        parser.add_argument("--policy", default="default", help="Code of a policy; see docs/policies.md.")
        parser.add_argument("--regime", default="generic", help="Code of the legal clock; see docs/clocks.md.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command.

        :raises CommandError: when the insurer, policy or regime is unknown, or the code is taken.
        """
        insurer = Organization.objects.filter(name=options["insurer"], kind=OrganizationKind.INSURER.value).first()
        if insurer is None:
            raise CommandError(f"There is no insurer called {options['insurer']!r}.")
        try:
            made = services.create_plan(
                insurer=insurer,
                code=options["code"],
                name=options["name"],
                policy=options["policy"],
                regime=options["regime"],
                time_zone=insurer.time_zone,
            )
        except AuthzError as refusal:
            raise CommandError(refusal.detail) from refusal
        except IntegrityError:
            raise CommandError(f"{insurer.name} already has a plan of the code {options['code']!r}.") from None
        self.stdout.write(f"{made.name}: {made.public_id}")
        unconfirmed = regimes.versions(made.regime)[-1].unconfirmed
        if unconfirmed:
            told = f"{len(unconfirmed)} figures of the regime {made.regime} are not confirmed"
            self.stdout.write(f"{told}: compare them with the rule's wording (docs/clocks.md).")
