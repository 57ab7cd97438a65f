"""`manage.py audit`: take the trail out, and look whether it is whole."""

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from authz import clock
from authz.access.models import Organization
from authz.audit import roots, selectors, services
from authz.audit.chain import Root
from authz.audit.exported import NotAnExport, first_fault_in, lines_of
from authz.audit.selectors import SYSTEMS

SYSTEM = "system"


class Command(BaseCommand):
    """Looks after the trail. An export has who did and read what, and patients' ids, but no patient data."""

    help = "Export the audit trail, verify it or an export of it, seal it, keep a root, or delete what is old enough."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        verbs = parser.add_subparsers(dest="verb", required=True)
        export = verbs.add_parser("export", help="write an organization's entries, one a line")
        export.add_argument(
            "organization", metavar="ORGANIZATION", help="its id or name; `system` for the system itself"
        )
        export.add_argument("--since", type=_instant, metavar="INSTANT", help="such as 2025-03-10T00:00:00Z")
        export.add_argument("--until", type=_instant, metavar="INSTANT", help="not included")
        verify = verbs.add_parser("verify", help="look whether a trail is whole: an export, or the database")
        verify.add_argument("export", nargs="?", metavar="EXPORT", help="a file, or - ; needs no database")
        verify.add_argument("--organization", metavar="ORGANIZATION", help="only its entries in the database")
        verify.add_argument(
            "--root",
            type=_root,
            action="append",
            default=[],
            metavar="SEQUENCE:HASH",
            help="one that was kept elsewhere",
        )
        verbs.add_parser("seal", help="number and hash what is not yet; the workers do it, too")
        verbs.add_parser("root", help="keep how far each chain goes, and write it elsewhere")
        verbs.add_parser("prune", help="delete the whole days that are older than they are kept")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command.

        :raises CommandError: when something is wrong with the trail, or there is no such organization or file.
        """
        act: dict[str, Callable[[dict[str, Any]], None]] = {
            "export": self._export,
            "verify": self._verify,
            "seal": lambda _: self.stdout.write(f"Sealed: {services.seal()}."),
            "root": lambda _: self._root(),
            "prune": lambda _: self._prune(),
        }
        act[options["verb"]](options)

    def _export(self, options: dict[str, Any]) -> None:
        whose = _whose(options["organization"])
        services.seal()
        head = selectors.part(whose, since=options["since"], until=options["until"])
        for line in lines_of(head, selectors.words(whose, head)):
            self.stdout.write(line)

    def _verify(self, options: dict[str, Any]) -> None:
        if options["export"]:
            self._verify_export(options["export"], options["root"])
            return
        if options["root"] and not options["organization"]:
            raise CommandError("Say with --organization whose the roots are.")
        chosen = [_whose(options["organization"])] if options["organization"] else selectors.chains()
        faults = [(whose, selectors.fault_of(whose, roots=options["root"])) for whose in chosen]
        wrong = [f"{selectors.public_id_of(whose) or SYSTEM}: {fault}" for whose, fault in faults if fault]
        if wrong:
            raise CommandError("\n".join(wrong))
        self.stdout.write(f"Whole: {len(chosen)} chains. Not sealed yet: {selectors.unsealed().count()}.")

    def _verify_export(self, name: str, kept: list[Root]) -> None:
        try:
            fault = first_fault_in(_lines(name), roots=kept)
        except (OSError, UnicodeDecodeError, NotAnExport) as refusal:
            raise CommandError(str(refusal)) from None
        if fault:
            raise CommandError(str(fault))
        self.stdout.write("Whole.")

    def _root(self) -> None:
        for whose in selectors.chains():
            if root := services.make_root(whose=whose, tell=roots.write_elsewhere):
                self.stdout.write(roots.to_line(root))

    def _prune(self) -> None:
        services.seal()
        now, deleted = clock.now(), 0
        for whose in selectors.chains():
            while batch := services.prune(whose=whose, now=now):
                deleted += batch
        self.stdout.write(f"Deleted: {deleted}.")


def _lines(name: str) -> Iterator[str]:
    if name == "-":
        yield from sys.stdin
        return
    with Path(name).open(encoding="utf-8") as file:
        yield from file


def _whose(named: str) -> int:
    if named == SYSTEM:
        return SYSTEMS
    try:
        found = Organization.objects.filter(public_id=UUID(named)).first()
    except ValueError:
        found = Organization.objects.filter(name=named).first()
    if found is None:
        raise CommandError(f"There is no organization {named}.")
    return found.pk


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("say in which time zone, such as Z")
    return instant


def _root(text: str) -> Root:
    sequence, _, digest = text.partition(":")
    if len(bytes.fromhex(digest)) != 32:
        raise ValueError("a root is a number, a colon and 64 hexadecimal digits")
    return Root(int(sequence), digest.lower())
