"""What requests cost a clinic: the touches of its people, and the time they took; and the same as CSV."""

from fractions import Fraction
from urllib.parse import urlencode

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from authz.errors import InvalidInput
from authz.reporting import selectors
from authz.reporting.figures import Times
from authz.reporting.selectors import ClinicsWork
from authz.reporting.sheet import WORK_COLUMNS, rounded
from authz.web.matrix import Cell, Matrix, MatrixRow, counted
from authz.web.pages import Page
from authz.web.period_form import DaysForm
from authz.web.sheets import sheet
from authz.web.worklist_filters import query


class ClinicWork(Page):
    """Of the requests that the clinic submitted on some days, up to now."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        form = DaysForm(request.GET, today=self.today())
        work = self.work(form)
        behind = reverse("worked-requests") + query(form.asked())
        return self.show(
            "pages/clinic_work.html",
            form=form,
            work=work,
            tables=_tables(work, behind) if work else [],
            sheet=reverse("clinic-work-sheet") + query(form.asked()),
            faults=list(form.faults()),
            status=422 if form.errors else 200,
        )

    def work(self, form: DaysForm) -> ClinicsWork | None:
        """Return the work of the days that are asked for; None where it cannot be, which the form then says.

        :raises Forbidden: when the actor is no clinic's.
        """
        try:
            return selectors.clinics_work(self.actor, form.days()) if form.is_valid() else None
        except InvalidInput as refusal:
            form.refuse(refusal.fields)
            return None


class ClinicWorkSheet(ClinicWork):
    """The same as CSV: a line for all of it, and one a person."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        form = DaysForm(request.GET, today=self.today())
        work = self.work(form)
        if work is None:
            return redirect(reverse("clinic-work") + query(form.asked()))
        return sheet(self, "clinic work", columns=WORK_COLUMNS, lines=work.lines)


def _tables(work: ClinicsWork, behind: str) -> list[Matrix]:
    """Return the figures of all the work, and the touches person by person; `behind` leads to the requests."""
    total = work.total
    of_all = [
        MatrixRow(
            "Touches",
            [
                counted(len(total.touches), behind),
                Cell(str(sum(total.touches))),
                *_middle(total.mean_touches, total.median_touches),
            ],
        ),
        _span("Hours from opened to submitted", total.to_submit),
        _span("Hours from submitted to decided", total.to_decide),
    ]
    people = [
        MatrixRow(
            one.person.full_name,
            [Cell(str(one.touches)), counted(one.requests, f"{behind}&{urlencode({'person': one.person.public_id})}")],
        )
        for one in work.people
    ]
    return [
        Matrix(
            id="work",
            caption="What they cost, a request",
            corner="Figure",
            columns=["Requests", "In all", "Mean", "Median"],
            groups=[("", of_all)],
        ),
        Matrix(
            id="people",
            caption="By name: how often each touched them, and on how many",
            corner="Person",
            columns=["Touches", "Requests"],
            groups=[("", people)],
        ),
    ]


def _span(name: str, times: Times) -> MatrixRow:
    """Return how long something took. Added up, hours of different requests say nothing."""
    return MatrixRow(
        name, [Cell(str(len(times.microseconds))), Cell(""), *_middle(times.mean_hours, times.median_hours)]
    )


def _middle(mean: Fraction | None, median: Fraction | None) -> list[Cell]:
    return [Cell(rounded(mean) or "None"), Cell(rounded(median) or "None")]
