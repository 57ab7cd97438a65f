"""Lists as files: CSV that no spreadsheet takes for formulas. That one was taken out is on the trail."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, TypeVar

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from authz.audit import services as audit
from authz.audit.circumstances import present
from authz.prescriptions.part2 import notice
from authz.reporting.sheet import safe
from authz.web.pages import Page

Answer = TypeVar("Answer", bound=HttpResponseBase)

REDISCLOSURE: Final = "redisclosure_notice"
MOST: Final = 10_000
"""More than anybody works on; a longer list is refused and never cut. Whoever wants everything asks the API."""


def sheet(page: Page, name: str, *, columns: Sequence[str], lines: Iterable[Iterable[str]]) -> HttpResponse:
    """Return a list of the reader's organization as CSV; `name` is that of the file and of the list: "the worklist".

    Instants are in UTC, days in the organization's calendar. Where anything of it falls under 42 CFR Part 2, every line
    says so in a last column, unless the list has that column by itself.
    """
    kept = [[safe(cell) for cell in line] for line in lines]
    said = notice(is_part2=present().is_part2)
    if said and REDISCLOSURE not in columns:
        columns, kept = [*columns, REDISCLOSURE], [[*line, said] for line in kept]
    audit.record(
        by=page.actor,
        action=f"export the {name}",
        subject_kind="organization",
        subject_id=page.organization.public_id,
        now=page.now,
    )
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    csv.writer(answer).writerows([columns, *kept])
    return as_file(answer, f"{name.replace(' ', '-')}-{page.today().isoformat()}.csv")


def streamed(page: Page, name: str, *, lines: Iterator[str]) -> StreamingHttpResponse:
    """Return lines of CSV as a file under a name of ours, sent as they are made."""
    answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    return as_file(answer, f"{name.replace(' ', '-')}-{page.today().isoformat()}.csv")


def as_file(answer: Answer, name: str) -> Answer:
    """Return an answer to be saved under a name of ours, and never shown as a page."""
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def instant(at: datetime | None) -> str:
    """Return an instant as a cell holds it; empty for none."""
    return at.isoformat(timespec="seconds") if at else ""
