"""The worklist as a file, and an insurer's list of requests: all that the filters leave, not the page alone."""

from collections.abc import Iterator
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from authz.prescriptions.part2 import notice
from authz.prior_auths import worklist
from authz.web import rows
from authz.web.rows import Row
from authz.web.sheets import MOST, REDISCLOSURE, instant, sheet
from authz.web.views.worklist import Worklist
from authz.web.worklist_filters import kept, query

COLUMNS: Final = (
    "request", "patient", "prescription", "prescriber", "payer", "opioid_day", "limit", "mme_per_day", "status",
    "who_has_the_ball", "works_on_it", "supply_ends_on", "decision_due_at", "next_for_you", REDISCLOSURE,
)  # fmt: skip


class WorklistSheet(Worklist):
    """The wanted part of the requests as CSV. That it was taken out is kept in the trail."""

    def get(self, request: HttpRequest) -> HttpResponse:
        requests = self._wanted()
        if requests.count() > MOST:
            messages.error(request, f"These are more than {MOST:,} requests. Narrow the list, then take it out.")
            return redirect(reverse("worklist") + (query(kept(request.GET)) if self.is_clinic else "?show=open"))
        found = rows.rows(requests, self.actor, today=self.today())
        name = "worklist" if self.is_clinic else "requests"
        return sheet(self, name, columns=COLUMNS, lines=(cells(row) for row in found))

    def _wanted(self) -> Any:
        if not self.is_clinic:
            return self.listed_to_insurer(is_ended=self.request.GET.get("show") == "ended")
        return worklist.worklist(self.reading, self.form(self.request.GET, worklist.choices(self.actor)).wanted())


def cells(row: Row) -> Iterator[str]:
    """Yield what a file says of one request, in the order of the columns."""
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
    yield request.runs_out_on.isoformat() if request.is_dispensed else ""
    yield instant(row.due_at)
    yield row.action.words if row.action else ""
    yield notice(is_part2=request.is_part2)
