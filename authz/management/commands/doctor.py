"""`manage.py doctor`: look at this deployment from all sides, and say in plain words what to do."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from authz import clock
from authz.operations.checks import ALWAYS, WITH_DATABASE, servers
from authz.operations.findings import Finding, Standing

_NEEDED = {"database", "migrations"}  # without these nothing in the database can be looked at
_MARK = {Standing.WELL: "  ok ", Standing.LOOK: "look ", Standing.BROKEN: "BAD  "}


class Command(BaseCommand):
    """Changes nothing and sends nothing. Anything that does not work gives exit status 1."""

    help = "Check servers, settings, programs and what waits, with advice; exit 1 when something does not work."
    # It tells of missing migrations and failing checks itself, and must run in spite of both.
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run the command.

        :raises CommandError: when something does not work.
        """
        number = 0
        for finding in _findings(clock.now()):
            self.stdout.write(f"{_MARK[finding.standing]} {finding.subject}: {finding.says}")
            if finding.advice:
                self.stdout.write(f"      {finding.advice}")
            number += finding.standing is Standing.BROKEN
        if number:
            raise CommandError(f"{number} of these must be mended." if number > 1 else "One of these must be mended.")


def _findings(now: datetime) -> Iterator[Finding]:
    of_database = list(servers.database(now))
    yield from of_database
    is_usable = not any(found.standing is Standing.BROKEN and found.subject in _NEEDED for found in of_database)
    for check in (*ALWAYS, *WITH_DATABASE) if is_usable else ALWAYS:
        yield from check(now)
