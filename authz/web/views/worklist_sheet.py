"""The worklist as a file: every request that the filters leave, not the page alone."""

import csv
from collections.abc import Iterator
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from authz.audit import services as audit
from authz.prescriptions.part2 import notice
from authz.prior_auths import worklist
from authz.reporting.sheet import safe
from authz.web import rows
from authz.web.rows import Row
from authz.web.views.worklist import Worklist
from authz.web.worklist_filters import kept, query

COLUMNS: Final = (
    "request", "patient", "prescription", "prescriber", "payer", "opioid_day", "limit", "mme_per_day", "status",
    "who_has_the_ball", "works_on_it", "supply_ends_on", "decision_due_at", "next_for_you", "redisclosure_notice",
)  # fmt: skip
MOST: Final = 10_000
"""More than any clinic works on; whoever wants everything asks the API."""


class WorklistSheet(Worklist):
    """The wanted part of the worklist as CSV. That it was taken out is kept in the trail."""

    def get(self, request: HttpRequest) -> HttpResponse:
        wanted = self.form(request.GET, worklist.choices(self.actor)).wanted()
        requests = worklist.worklist(self.reading, wanted)
        if requests.count() > MOST:
            messages.error(request, f"These are more than {MOST:,} requests. Narrow the list, then take it out.")
            return redirect(reverse("worklist") + query(kept(request.GET)))
        audit.record(
            by=self.actor,
            action="export the worklist",
            subject_kind="organization",
            subject_id=self.organization.public_id,
            now=self.now,
        )
        found = rows.rows(requests, self.actor, today=self.today())
        answer = HttpResponse(content_type="text/csv; charset=utf-8")
        csv.writer(answer).writerows([COLUMNS, *([safe(cell) for cell in _cells(row)] for row in found)])
        answer["Content-Disposition"] = f'attachment; filename="worklist-{self.today().isoformat()}.csv"'
        answer["X-Content-Type-Options"] = "nosniff"
        return answer


def _cells(row: Row) -> Iterator[str]:
    request, use = row.prior_auth, row.use
    yield request.number
    yield row.patient
    yield row.product
    yield str(request.prescriber or "")
    yield request.insurer.name if request.insurer else ""
    yield str(use.number) if use else ""
    yield str(use.limit) if use else ""
    yield use.mme if use else ""
    yield row.status.words
    yield row.ball
    yield row.assignee
    yield request.runs_out_on.isoformat()
    yield row.due_at.isoformat() if row.due_at else ""
    yield row.action.words if row.action else ""
    yield notice(is_part2=request.is_part2)
