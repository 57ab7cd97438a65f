"""`manage.py lifecycle_doc`: draws docs/lifecycle.md anew from the table that the product runs on."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from authz.prior_auths.lifecycle_drawing import redrawn


class Command(BaseCommand):
    """Writes what is between the marks in docs/lifecycle.md; the words around it stay. Needs no database."""

    help = "Draw the diagram, the steps and the permission matrix in docs/lifecycle.md anew from the code."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run the command."""
        page = settings.ROOT / "docs" / "lifecycle.md"
        page.write_text(redrawn(page.read_text(encoding="utf-8")), encoding="utf-8")
        self.stdout.write(f"{page} is drawn from the table.")
