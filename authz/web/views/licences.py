"""The licences of an insurer's people, for its administrator to record, renew and end."""

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from authz import clock
from authz.access import selectors as access
from authz.administration import selectors
from authz.administration.services import licences
from authz.errors import InvalidInput
from authz.ids import LicenceId
from authz.web.licence_form import LicenceForm, PeriodForm
from authz.web.pages import Page


class LicencesPage(Page):
    """Who is licensed, and who should be; a POST records one more."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.listed()

    def post(self, request: HttpRequest) -> HttpResponse:
        form = LicenceForm(access.members(self.actor), request.POST)
        # Asked first, so that nobody else learns what is wrong with a form that is not theirs.
        selectors.licences(self.actor)
        if not form.is_valid():
            return self.listed(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            made = licences.record(**form.licence(), by=self.actor, now=self.now)
        except InvalidInput as refusal:
            form.refuse(refusal.fields)
            return self.listed(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        messages.success(request, f"{made} of {made.person.full_name} is recorded.")
        return redirect("licences")

    def listed(self, form: LicenceForm | None = None, *, status: int = 200) -> HttpResponse:
        today = clock.day_in(self.organization.time_zone, at=self.now)
        rows = selectors.licences(self.actor)
        form = form or LicenceForm(access.members(self.actor))
        return self.show(
            "pages/licences.html",
            status=status,
            licences=list(rows),
            unlicensed=selectors.unlicensed(self.actor, on=today),
            today=today,
            form=form,
            faults=list(form.faults()),
        )


class LicenceChanged(Page):
    """Renews one, or ends it."""

    def get(self, request: HttpRequest, licence_id: LicenceId) -> HttpResponse:
        return redirect("licences")

    def post(self, request: HttpRequest, licence_id: LicenceId) -> HttpResponse:
        licence = selectors.licence(self.actor, licence_id)
        whose = f"{licence} of {licence.person.full_name}"
        form = PeriodForm(request.POST)
        try:
            if form.is_valid():
                licences.change_period(licence_id=licence_id, **form.cleaned_data, by=self.actor, now=self.now)
        except InvalidInput as refusal:
            form.refuse(refusal.fields)
        if wrong := [fault.sentence for fault in form.faults()]:
            messages.error(request, f"{whose} stays as it was. {' '.join(wrong)}")
        else:
            messages.success(request, f"{whose} is valid until {form.cleaned_data['valid_until']}.")
        return redirect("licences")
