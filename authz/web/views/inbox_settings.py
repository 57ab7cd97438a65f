"""How the reader wants to be told, and who stands in for them."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from zoneinfo import available_timezones

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from authz.errors import InvalidInput
from authz.notifications.wishes import selectors, services
from authz.web.pages import Page
from authz.web.settings_form import SettingsForm

_ZONES = sorted(zone for zone in available_timezones() if zone.startswith(("America/", "Pacific/", "US/")))


class InboxSettings(Page):
    """One form; what is refused keeps what was typed."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(self._form())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = self._form(request.POST)
        if not form.is_valid():
            return self._page(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            services.change(changes=form.changes(), by=self.actor, now=self.now)
        except InvalidInput as refusal:
            form.refuse(refusal.fields)
            return self._page(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        messages.success(request, "You are told this way from now on.")
        return redirect("inbox-settings")

    def _form(self, posted: Mapping[str, Any] | None = None) -> SettingsForm:
        person_id = selectors.person_of(self.actor)
        return SettingsForm(
            selectors.settings_of([person_id])[person_id],
            delegate=selectors.delegate_of(self.actor),
            covers=selectors.covers_of(self.actor),
            colleagues=selectors.colleagues(self.actor),
            posted=posted,
        )

    def _page(self, form: SettingsForm, *, status: int = 200) -> HttpResponse:
        faults = list(form.faults())
        return self.show("pages/inbox_settings.html", status=status, form=form, faults=faults, zones=_ZONES)
