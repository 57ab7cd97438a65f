"""The insurer's team: who has how much, who is away, and whether anything will be late."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from authz.access.roles import Role
from authz.errors import InvalidInput
from authz.prior_auths import review_queue
from authz.prior_auths.breach_forecast import PACE_DAYS, forecast_of
from authz.prior_auths.services import queue
from authz.web import rows
from authz.web.forms import PlainForm, local_instant
from authz.web.pages import Page

MOST_AT_RISK = 50
"""So many of those at risk are listed, the most pressing first; the count tells of all."""


class AbsenceForm(PlainForm):
    """From when to when the reader is away."""

    starts_at = local_instant("Away from")
    ends_at = local_instant("Back from")

    def __init__(self, posted: Mapping[str, Any] | None = None) -> None:
        super().__init__(posted, auto_id="away-%s", label_suffix="")


class Team(Page):
    """Workload, absences and the forecast. Whoever reviews can note here that they are away."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(AbsenceForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = AbsenceForm(request.POST)
        if not form.is_valid():
            return self._page(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            queue.be_away(**form.cleaned_data, by=self.actor, now=self.now)
        except InvalidInput as refusal:
            form.refuse(refusal.fields)
            return self._page(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        messages.success(request, "It is noted that you are away; nothing is handed to you meanwhile.")
        return redirect("desk-team")

    def _page(self, form: AbsenceForm, *, status: int = 200) -> HttpResponse:
        if self.is_clinic:
            raise PermissionDenied("The team is the insurer's.")
        risky = review_queue.desk_queue(self.actor, review_queue.Part.AT_RISK, now=self.now)
        return self.show(
            "pages/desk_team.html",
            status=status,
            loads=review_queue.workload(self.actor, now=self.now),
            absences=review_queue.absences(self.actor, now=self.now),
            forecast=forecast_of(self.actor, now=self.now),
            pace_days=PACE_DAYS,
            risky=rows.rows(risky[:MOST_AT_RISK], self.actor, today=self.today()),
            risky_count=risky.count(),
            may_reassign=Role.INSURER_ADMIN in self.actor.roles,
            form=form if not self.actor.roles.isdisjoint({Role.REVIEWER, Role.PHYSICIAN}) else None,
            faults=list(form.faults()),
        )
