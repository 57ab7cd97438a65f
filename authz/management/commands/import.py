# ruff: noqa: N999 - the file is named after the command, and the command is `import`
"""`manage.py import FILE…`: FHIR or CSV files of one organization, of any size."""

import csv
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, BinaryIO, cast
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from authz import clock
from authz.access.models import Organization
from authz.access.roles import Actor, OrganizationKind, Role
from authz.errors import AuthzError
from authz.imports import selectors
from authz.imports.documents import Format
from authz.imports.models import ImportRun
from authz.imports.services import Progress, Source, take_in

STANDARD_INPUT = "-"
_PIECE = 1024 * 1024
_ACTS_AS = {OrganizationKind.CLINIC.value: Role.STAFF, OrganizationKind.INSURER.value: Role.INTAKE}


class Command(BaseCommand):
    """Takes files in as one import and says what became of every line. Refused lines give exit status 1."""

    help = "Import patients, coverages, orders and fills from FHIR R4 (Bundle or NDJSON) or CSV files."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("files", nargs="+", metavar="FILE", help="the files; - for standard input")
        parser.add_argument(
            "--organization", required=True, help="whose files they are: the exact name, or the public id"
        )
        parser.add_argument("--format", choices=["auto", *Format], default="auto", help="what all the files are")
        parser.add_argument("--rejects", help="where to write the refused lines; default FILE.rejected.csv")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the import.

        :raises CommandError: at once, when nothing can be imported; at the end, when a line was refused.
        """
        by = _actor(_organization(options["organization"]))
        form = None if options["format"] == "auto" else Format(options["format"])
        with ExitStack() as stack:
            sources = [Source(name=name, stream=_open(name, stack), form=form) for name in options["files"]]
            runs = self._take_in(sources, by)
        for source, run in zip(sources, runs, strict=True):
            self._report(source.name, run)
        written = _write_rejects(options["files"], runs, by, options["rejects"])
        if written:
            count = sum(run.rejected for run in runs)
            raise CommandError(f"{count} lines were refused; see {', '.join(written)}.")

    def _take_in(self, sources: Sequence[Source], by: Actor) -> list[ImportRun]:
        try:
            return take_in(sources=sources, by=by, now=clock.now, on_progress=self._show(sources))
        except AuthzError as error:
            raise CommandError(f"{error.detail} ({error.code})") from error

    def _show(self, sources: Sequence[Source]) -> Any:
        """Return how progress is shown: on one line of a terminal, otherwise not at all."""
        if not self.stderr.isatty():
            return lambda _: None
        sizes = {source.name: _size(source.stream) for source in sources}

        def show(progress: Progress) -> None:
            share = 100 * progress.done_bytes // max(sizes[progress.name], 1)
            self.stderr.write(f"\r{progress.name}: {progress.reading}, {share} %\033[K", ending="")

        return show

    def _report(self, name: str, run: ImportRun) -> None:
        if self.stderr.isatty():
            self.stderr.write("\r\033[K", ending="")
        self.stdout.write(
            f"{name}: {run.created} created, {run.unchanged} unchanged, {run.corrected} corrected, "
            f"{run.not_an_opioid} not an opioid, {run.rejected} rejected."
        )
        for kind, counts in run.by_kind.items():
            self.stdout.write(f"  {kind}: " + ", ".join(f"{count} {what}" for what, count in counts.items()))
        self.stdout.write(f"  {run.needs_person} records need a person.")


def _organization(text: str) -> Organization:
    try:
        found = Organization.objects.filter(public_id=UUID(text)).first()
    except ValueError:
        found = Organization.objects.filter(name=text).first()
    if found is None:
        raise CommandError(f"There is no organization {text!r}.")
    return found


def _actor(organization: Organization) -> Actor:
    """Return the operator of the machine, who may here what the staff that usually takes files in may."""
    role = _ACTS_AS[organization.kind]
    return Actor(name="manage.py import", roles=frozenset({role}), organization_id=organization.pk)


def _open(name: str, stack: ExitStack) -> BinaryIO:
    """Open a file to read from its start as often as needed; standard input is copied to disk first."""
    if name == STANDARD_INPUT:
        copy = stack.enter_context(TemporaryFile())  # noqa: SIM115 - the stack closes it
        while piece := sys.stdin.buffer.read(_PIECE):
            copy.write(piece)
        return cast(BinaryIO, copy)
    try:
        return stack.enter_context(Path(name).open("rb"))
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}.") from error


def _size(stream: BinaryIO) -> int:
    return stream.seek(0, 2)


def _write_rejects(names: Sequence[str], runs: Sequence[ImportRun], by: Actor, chosen: str | None) -> list[str]:
    """Write the refused lines beside each file, or all into the chosen one; return the files written."""
    refused = [(name, run) for name, run in zip(names, runs, strict=True) if run.rejected]
    if chosen:
        targets = {chosen: refused} if refused else {}
    else:
        targets = {_beside(name): [(name, run)] for name, run in refused}
    for target, some in targets.items():
        with Path(target).open("w", newline="", encoding="utf-8") as file:
            _write(file, some, by)
    return list(targets)


def _beside(name: str) -> str:
    return "standard-input.rejected.csv" if name == STANDARD_INPUT else f"{name}.rejected.csv"


def _write(file: IO[str], runs: Sequence[tuple[str, ImportRun]], by: Actor) -> None:
    table = csv.writer(file)
    table.writerow(["file", "line", "code", "element", "reason"])
    for name, run in runs:
        for row in selectors.rejections(by, run).iterator():
            table.writerow([name, row.line, row.code, row.path, row.reason])
