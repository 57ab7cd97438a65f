"""What every page for somebody who is logged in shares: the clock read once, the actor, times in their own zone."""

from contextlib import nullcontext
from datetime import date, datetime
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views import View
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from authz import clock
from authz.access.models import Organization, Person
from authz.access.people.selectors import lacks_second_factor
from authz.access.roles import Action, Actor, OrganizationKind, may
from authz.access.source import source_of
from authz.access.tenancy import within
from authz.audit import services as audit
from authz.audit.circumstances import Circumstances, Origin, under
from authz.errors import Forbidden, NotFound
from authz.notifications import selectors as notifications
from authz.prescriptions.part2 import NOTICE, NOTICE_HEADER
from authz.web.seat import seat_of


def _htmx(request: HttpRequest) -> HtmxDetails:
    """Return what the middleware found out: true when a part of a page asks, and not the browser."""
    found: HtmxDetails = request.htmx  # type: ignore[attr-defined]  # the middleware puts it there
    return found


def is_part(request: HttpRequest) -> bool:
    """Say whether a part of a page asks, which takes a part as its answer."""
    return bool(_htmx(request))


def _shown(request: HttpRequest) -> str:
    """Return the address of the page that the reader looks at, also when a part of it asks for something."""
    shown = _htmx(request).current_url_abs_path if _htmx(request) else None
    return shown or request.get_full_path()


def _whole_page(request: HttpRequest, to: HttpResponseRedirect) -> HttpResponseBase:
    """Lead the whole page there: a log-in form has no place in a part of a page."""
    return HttpResponseClientRedirect(to.url) if _htmx(request) else to


class Page(View):
    """A page for somebody who is logged in. A stranger's id is answered as one that nothing has."""

    now: datetime
    person: Person
    organization: Organization
    actor: Actor

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.now = clock.now()
        person = request.user
        if not isinstance(person, Person):
            return _whole_page(request, redirect_to_login(_shown(request)))
        if lacks_second_factor(person):
            return _whole_page(request, redirect("mfa_index"))
        seat = seat_of(request, person)
        if seat is None:
            return _whole_page(request, redirect("choose-organization"))
        self.person = person
        self.organization, self.actor = seat
        # In the name of the organization; what only reads does so in one transaction.
        reading = transaction.atomic() if request.method in {"GET", "HEAD"} else nullcontext()
        with timezone.override(person.time_zone), within(self.organization.pk), reading:
            answer = self._on_the_trail(request, *args, **kwargs)
        # Pages are about patients: nothing between us and the reader may keep them.
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def _on_the_trail(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Have the trail tell whose data is shown, or show nothing. What was changed has its entry already."""
        address, source = f"{request.method} {request.path}", source_of(request.META)
        with under(Circumstances(origin=Origin.PAGE, address=address, source=source)) as circumstances:
            answer = self._refused_as_pages(request, *args, **kwargs)
            is_told = request.method not in {"GET", "HEAD"} and circumstances.entries
            if answer.status_code < 300 and not is_told:
                audit.record_read(by=self.actor, circumstances=circumstances, now=self.now)
        if circumstances.is_part2 and request.method in {"GET", "HEAD"}:
            answer.headers[NOTICE_HEADER] = NOTICE
        return answer

    def _refused_as_pages(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        except NotFound as refusal:
            raise Http404 from refusal
        except Forbidden as refusal:
            raise PermissionDenied(refusal.detail) from refusal

    @property
    def is_clinic(self) -> bool:
        return self.organization.kind == OrganizationKind.CLINIC.value

    def today(self) -> date:
        """Return the day it is in the calendar of the actor's organization."""
        return clock.day_in(self.organization.time_zone, at=self.now)

    def show(self, template: str, *, status: int = 200, **context: object) -> HttpResponse:
        """Return a page, with what its frame needs to know."""
        frame = {
            "now": self.now,
            "today": self.today(),
            "organization": self.organization,
            "is_clinic": self.is_clinic,
            "roles": sorted(self.actor.roles),
            "unread": notifications.inbox(self.actor).filter(read_at=None).count(),
            "is_administrator": may(self.actor, Action.MANAGE_WEBHOOKS),
            "reads_figures": may(self.actor, Action.READ_METRICS),
        }
        return render(self.request, template, frame | context, status=status)
