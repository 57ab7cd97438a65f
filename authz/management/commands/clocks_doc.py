"""`manage.py clocks_doc`: draws docs/clocks.md anew from the regimes that ship with the product."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from authz.policies import regimes
from authz.prior_auths.clock_drawing import redrawn


class Command(BaseCommand):
    """Writes what is between the marks in docs/clocks.md; the words around it stay. Needs no database."""

    help = "Draw the tables of the regimes in docs/clocks.md anew from their files."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run the command."""
        page = settings.ROOT / "docs" / "clocks.md"
        page.write_text(redrawn(page.read_text(encoding="utf-8"), regimes.every_version()), encoding="utf-8")
        self.stdout.write(f"{page} is drawn from the regimes.")
