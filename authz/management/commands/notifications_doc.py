"""`manage.py notifications_doc`: draws docs/notifications.md anew from the matrix that the product runs on."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from authz.notifications.drawing import redrawn


class Command(BaseCommand):
    """Writes what is between the marks in docs/notifications.md; the words around it stay. Needs no database."""

    help = "Draw the tables of who hears what in docs/notifications.md anew from the code."
    requires_system_checks = ()

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run the command."""
        page = settings.ROOT / "docs" / "notifications.md"
        page.write_text(redrawn(page.read_text(encoding="utf-8")), encoding="utf-8")
        self.stdout.write(f"{page} is drawn from the matrix.")
