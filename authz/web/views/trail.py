"""The audit trail for an organization's administrators: who read and changed what; and the trail to take away."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from authz import clock
from authz.audit import selectors, services
from authz.audit.circumstances import Origin
from authz.audit.exported import lines_of
from authz.audit.models import AuditEntry
from authz.audit.services import READ
from authz.reporting.trail_sheet import trail_lines
from authz.web.forms import PlainForm
from authz.web.pages import Page
from authz.web.sheets import as_file, streamed
from authz.web.worklist_filters import query

PER_PAGE: Final = 50
MOST_LINES: Final = 50_000
"""An export is put together before it is sent; a longer one is the operator's, by `manage.py audit export`."""
_SHOWN_PATIENTS: Final = 3
_A_DAY: Final = timedelta(days=1)
_READS, _CHANGES = "reads", "changes"
_DAY: Final = {"invalid": "Give a day as YYYY-MM-DD; the trail is not narrowed by it."}
_WAY: Final[Mapping[Origin, str]] = {
    Origin.API: "over the API",
    Origin.PAGE: "on a page",
    Origin.COMMAND: "by a command",
    Origin.WORKER: "by itself",
    Origin.OTHER: "before log-in, or not known",
}


def _a_day(label: str) -> forms.DateField:
    widget = forms.DateInput({"type": "date"})
    return forms.DateField(label=label, widget=widget, required=False, error_messages=dict(_DAY))


class TrailForm(PlainForm):
    """By what the trail is narrowed. What cannot be read is named, and left out."""

    since = _a_day("From")
    until = _a_day("To, included")
    who = forms.CharField(label="Who", max_length=100, required=False)
    patient = forms.UUIDField(
        label="Patient's id",
        required=False,
        error_messages={"invalid": "That is no patient's id; the trail is not narrowed by it."},
    )
    what = forms.ChoiceField(
        label="What",
        choices=[("", "Reads and changes"), (_READS, "Reads"), (_CHANGES, "Changes")],
        required=False,
        error_messages={"invalid_choice": "It is not known here, so the trail is not narrowed by it."},
    )

    def __init__(self, sent: Mapping[str, str]) -> None:
        super().__init__(sent, auto_id="trail-%s", label_suffix="")

    def kept(self) -> dict[str, str]:
        """Return what the address says of the filters."""
        return {name: self.data[name] for name in self.fields if self.data.get(name)}

    def span(self, zone: str) -> tuple[datetime | None, datetime | None]:
        """Return from which instant to before which, by the days of a calendar; None for an end that is open."""
        since: date | None = self._said("since")
        until: date | None = self._said("until")
        return (
            clock.end_of_day(zone, on=since - _A_DAY) if since else None,
            clock.end_of_day(zone, on=until) if until else None,
        )

    def narrowed(self, entries: QuerySet[AuditEntry], *, zone: str) -> QuerySet[AuditEntry]:
        """Return of some entries those that are wanted, newest first."""
        since, until = self.span(zone)
        who, patient, what = self._said("who"), self._said("patient"), self._said("what")
        wanted = Q()
        if since:
            wanted &= Q(at__gte=since)
        if until:
            wanted &= Q(at__lt=until)
        if who:
            wanted &= Q(actor_name__icontains=who) | Q(person__email__icontains=who)
        if patient:
            wanted &= Q(patients__contains=[patient])
        if what:
            wanted &= Q(action=READ) if what == _READS else ~Q(action=READ)
        return entries.filter(wanted).order_by("-pk")

    def _said(self, name: str) -> Any:
        self.is_valid()
        return self.cleaned_data.get(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An entry in words; of many patients the first few, and how many more there are."""

    entry: AuditEntry
    what: str
    way: str
    patients: list[UUID]
    more: int


class Trail(Page):
    """What was read and changed, the newest first. That somebody looked is on the trail, too."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        form = TrailForm(request.GET)
        number = _number(request.GET.get("page", ""))
        # One more than is shown tells whether there is another page; to count a trail takes longer than to read it.
        listed = list(self.wanted(form)[(number - 1) * PER_PAGE : number * PER_PAGE + 1])
        services.note_looked_at(by=self.actor, now=self.now)
        kept = form.kept()
        return self.show(
            "pages/trail.html",
            form=form,
            entries=[_told(entry) for entry in listed[:PER_PAGE]],
            is_narrowed=bool(kept),
            number=number,
            here=query(kept),
            before=query(kept, page=str(number - 1)) if number > 1 else "",
            after=query(kept, page=str(number + 1)) if len(listed) > PER_PAGE else "",
        )

    def wanted(self, form: TrailForm) -> QuerySet[AuditEntry]:
        """Return the entries that a form asks for.

        :raises Forbidden: when the actor does not administer the organization.
        """
        return form.narrowed(selectors.entries(self.actor), zone=self.organization.time_zone)

    def too_many(self, form: TrailForm, sentence: str) -> HttpResponse:
        """Lead back: nothing is cut."""
        messages.error(self.request, sentence)
        return redirect(reverse("trail") + query(form.kept()))


class TrailSheet(Trail):
    """The entries that the filters leave, as CSV."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        rows = self.wanted(TrailForm(request.GET))
        services.note_looked_at(by=self.actor, now=self.now, is_export=True)
        return streamed(self, "audit trail", lines=trail_lines(selectors.in_batches(self.actor, rows)))


class TrailExport(Trail):
    """The unbroken chain of the days that are asked for, to be verified: everybody's entries, whoever is asked for."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        form = TrailForm(request.GET)
        since, until = form.span(self.organization.time_zone)
        head = selectors.own_part(self.actor, since=since, until=until)
        if head.ends.sequence - head.follows.sequence > MOST_LINES:
            return self.too_many(form, f"These are more than {MOST_LINES:,} entries. Ask for fewer days.")
        lines = list(lines_of(head, selectors.words(self.actor.organization, head)))
        services.note_taken_out(by=self.actor, now=self.now)
        answer = HttpResponse("".join(f"{line}\n" for line in lines), content_type="application/x-ndjson")
        return as_file(answer, f"audit-trail-{self.today().isoformat()}.jsonl")


def _told(entry: AuditEntry) -> Told:
    shown = entry.patients[:_SHOWN_PATIENTS]
    subject = f": {entry.subject_kind.replace('-', ' ')}" if entry.subject_kind else ""
    return Told(
        entry=entry,
        what=f"{entry.action}{subject}",
        way=_WAY[Origin(entry.origin)],
        patients=shown,
        more=len(entry.patients) - len(shown),
    )


def _number(text: str) -> int:
    return max(1, int(text)) if text.isdecimal() and len(text) < 7 else 1
