"""A record opened in an emergency: by a clinician who says why, and as administrators see it afterwards."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from authz.access.roles import Action, must_be_allowed
from authz.errors import InvalidInput
from authz.policies.selectors import plans
from authz.prescriptions.emergency import selectors, services
from authz.prescriptions.emergency.models import EmergencyAccess
from authz.prescriptions.emergency.services import PatientOfYours
from authz.web.emergency_form import EmergencyForm
from authz.web.forms import Fault
from authz.web.pages import Page
from authz.web.sheets import MOST, instant, sheet

_MOST: Final = 200
_COLUMNS: Final = ("who", "for", "patient", "from", "until", "why")


class EmergencyPage(Page):
    """Who opened what, when and why, the newest first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        found = selectors.accesses(self.actor).order_by("-pk")[:_MOST]
        return self.show("pages/emergency.html", accesses=found)


class EmergencySheet(Page):
    """The same as CSV."""

    def get(self, request: HttpRequest) -> HttpResponse:
        found = list(selectors.accesses(self.actor).order_by("-pk")[: MOST + 1])
        if len(found) > MOST:
            messages.error(request, f"These are more than {MOST:,}. Ask the API for them.")
            return redirect("emergency-access")
        return sheet(self, "emergencies", columns=_COLUMNS, lines=(_cells(one) for one in found))


class OpenInEmergency(Page):
    """Asks whom and why, warns of who is told, and leads to the patient."""

    def get(self, request: HttpRequest) -> HttpResponse:
        must_be_allowed(self.actor, Action.OPEN_IN_EMERGENCY)
        return self._show(EmergencyForm(plans(), today=self.today()))

    def post(self, request: HttpRequest) -> HttpResponse:
        must_be_allowed(self.actor, Action.OPEN_IN_EMERGENCY)
        form = EmergencyForm(plans(), request.POST, today=self.today())
        if not form.is_valid():
            return self._show(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            opened = services.open_record(**form.told(), by=self.actor, now=self.now)
        except InvalidInput as refusal:
            form.refuse(refusal.fields)
            return self._show(form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        except PatientOfYours as refusal:
            return self._show(form, status=HTTPStatus.CONFLICT, sentence=f"{refusal.detail} Search the worklist.")
        return redirect("patient", patient_id=opened.patient.public_id)

    def _show(self, form: EmergencyForm, *, status: int = 200, sentence: str = "") -> HttpResponse:
        return self.show(
            "pages/open_in_emergency.html",
            status=status,
            form=form,
            hours=settings.EMERGENCY_ACCESS_HOURS,
            faults=[*([Fault(sentence, "")] if sentence else []), *form.faults()],
        )


def _cells(one: EmergencyAccess) -> Iterator[str]:
    yield one.person.full_name
    yield one.organization.name
    yield str(one.patient.public_id)
    yield instant(one.opened_at)
    yield instant(one.ends_at)
    yield one.reason
