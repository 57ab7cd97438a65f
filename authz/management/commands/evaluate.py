"""`manage.py evaluate`: cases in, verdicts out, as JSON lines. Needs no database."""

import gzip
import json
import sys
import zlib
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError

from authz.rules.case_json import answers
from authz.rules.verdict import smallest_json, verdict_to_json

STANDARD_STREAM = "-"


class Command(BaseCommand):
    """Evaluates a file of cases. Refused lines are named on the error stream and give exit status 1."""

    help = "Evaluate cases (one JSON object a line) and write one result a line, in the exchange format."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--input", required=True, help="file of cases, .jsonl or .jsonl.gz; - for standard input")
        parser.add_argument("--output", required=True, help="file for results, gzipped if .gz; - for standard output")
        parser.add_argument("--full", action="store_true", help="write everything found, not only the exchange format")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run the command.

        :raises CommandError: after the last line, when a line was refused; at once, when a file cannot be used.
        """
        source, target = options["input"], options["output"]
        if source != STANDARD_STREAM and Path(source).absolute() == Path(target).absolute():
            raise CommandError("Input and output are the same file.")
        try:
            with _open_to_read(source) as lines, _open_to_write(target) as results:
                refused = self._evaluate(lines, results, is_full=options["full"])
        except (OSError, EOFError, zlib.error) as error:
            raise CommandError(f"Evaluation stopped: {error}.") from error
        if refused:
            raise CommandError(f"Refused lines: {refused}.")

    def _evaluate(self, lines: Iterable[bytes], results: IO[bytes], *, is_full: bool) -> int:
        """Write a result for each good line; return how many lines were refused."""
        refused = 0
        for outcome in answers(lines, render=verdict_to_json if is_full else smallest_json):
            if outcome.answer is None:
                refused += 1
                self.stderr.write(f"line {outcome.number}: {outcome.reason}")
            else:
                results.write(json.dumps(outcome.answer, separators=(",", ":")).encode() + b"\n")
        return refused


@contextmanager
def _open_to_read(name: str) -> Iterator[Iterable[bytes]]:
    if name == STANDARD_STREAM:
        yield sys.stdin.buffer
        return
    with cast(IO[bytes], gzip.open(name)) if name.endswith(".gz") else Path(name).open("rb") as file:
        yield file


@contextmanager
def _open_to_write(name: str) -> Iterator[IO[bytes]]:
    if name == STANDARD_STREAM:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with cast(IO[bytes], gzip.open(name, "wb")) if name.endswith(".gz") else Path(name).open("wb") as file:
        yield file
