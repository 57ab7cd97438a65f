"""Which requests stand behind a figure, as a list and as CSV: those that the same selectors counted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, Final

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from authz.errors import InvalidInput, NotFound
from authz.ids import PersonId
from authz.prior_auths.lifecycle import ACTIVE, State
from authz.prior_auths.models import Determination, PriorAuth
from authz.reporting import selectors
from authz.reporting.aging import Age, Aged, TimeLeft
from authz.reporting.figures import Figure, Speed, hours
from authz.reporting.periods import Period
from authz.reporting.selectors import Whose
from authz.reporting.sheet import rounded
from authz.web import figure_words, formats, page_tags, rows, words
from authz.web.pages import Page
from authz.web.sheets import MOST, instant, sheet
from authz.web.worklist_filters import query

PER_PAGE: Final = 50

Told = str | date | datetime
"""What is told of a request in one column; a day or an instant is written as the page or the file writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behind:
    """Requests, the figure they stand behind, and what is told of each in which columns."""

    figure: str
    of: str
    requests: QuerySet[PriorAuth]
    columns: Sequence[str]
    told: Callable[[PriorAuth], Sequence[Told]]


class RequestsBehind(Page):
    """The requests behind a figure, newest first: a page of them, or all as CSV."""

    is_sheet = False
    above: ClassVar[str]
    """The page that tells the figure, by the name of its address."""
    form: ClassVar[type[forms.Form]]

    def get(self, request: HttpRequest) -> HttpResponse:
        form = self.form(request.GET)
        if not form.is_valid():
            raise NotFound("There is no such figure.")
        asked = {name: request.GET.get(name, "") for name in form.fields}
        try:
            behind = self.behind(form.cleaned_data)
        except InvalidInput as refusal:
            raise NotFound("There is no such figure.") from refusal
        return self._taken_out(behind, asked) if self.is_sheet else self._listed(behind, asked)

    def behind(self, said: Mapping[str, Any]) -> Behind:
        """Return the requests behind the figure that an address names."""
        raise NotImplementedError

    @property
    def _columns(self) -> list[str]:
        return ["Request", "Payer" if self.is_clinic else "Clinic", "Plan", "Status"]

    def _listed(self, behind: Behind, asked: Mapping[str, str]) -> HttpResponse:
        page = Paginator(_whole(behind.requests), PER_PAGE).get_page(self.request.GET.get("page"))
        columns = [*self._columns, *behind.columns]
        match = self.request.resolver_match
        return self.show(
            "pages/figure_requests.html",
            behind=behind,
            columns=columns,
            listed=[(one, list(zip(columns[1:], map(_shown, self._cells(one, behind)), strict=True))) for one in page],
            page=page,
            above=reverse(self.above),
            sheet=reverse(f"{match.url_name if match else ''}-sheet") + query(asked),
            before=query(asked, page=str(page.previous_page_number())) if page.has_previous() else "",
            after=query(asked, page=str(page.next_page_number())) if page.has_next() else "",
        )

    def _taken_out(self, behind: Behind, asked: Mapping[str, str]) -> HttpResponse:
        if behind.requests.count() > MOST:
            messages.error(self.request, f"These are more than {MOST:,} requests. Take fewer days, then take them out.")
            return redirect(reverse(self.above) + query(asked))
        columns = [name.lower().replace(" ", "_") for name in (*self._columns, *behind.columns)]
        found = ([one.number, *map(_kept, self._cells(one, behind))] for one in _whole(behind.requests))
        return sheet(self, "requests behind a figure", columns=columns, lines=found)

    def _cells(self, one: PriorAuth, behind: Behind) -> list[Told]:
        other = one.insurer if self.is_clinic else one.clinic
        plan = one.coverage.plan if one.coverage else None
        status = words.status(State(one.state), rows.outcome_of(one))
        return [other.name if other else "", plan.name if plan else "", status.words, *behind.told(one)]


class CountedForm(forms.Form):
    """Which figure, of which days, and whose."""

    figure = forms.ChoiceField(choices=[(one.value, one.value) for one in Figure])
    urgency = forms.ChoiceField(choices=[(one.value, one.value) for one in Speed])
    since = forms.DateField()
    until = forms.DateField()
    payer = forms.UUIDField(required=False)
    plan = forms.UUIDField(required=False)


class FigureRequests(RequestsBehind):
    """Those that count in a published figure."""

    above = "figures"
    form = CountedForm

    def behind(self, said: Mapping[str, Any]) -> Behind:
        period, speed = Period(said["since"], said["until"]), Speed(said["urgency"])
        figure, of = Figure(said["figure"]), Whose(payer=said["payer"], plan=said["plan"])
        found, counted = selectors.counted_requests(self.actor, period, figure=figure, speed=speed, of=of)
        return Behind(
            figure=figure_words.FIGURE[figure],
            of=f"{_days(period)}. {figure_words.SPEED[speed]}.",
            requests=found,
            columns=("Urgency", "Counted on"),
            told=lambda one: (figure_words.SPEED[counted[one.pk].speed], counted[one.pk].on),
        )


class AgedForm(forms.Form):
    """In which state, how old, and with how much time left; what is left out is whichever."""

    state = forms.ChoiceField(choices=[(one.value, one.value) for one in State if one in ACTIVE], required=False)
    age = forms.ChoiceField(choices=[(one.value, one.value) for one in Age], required=False)
    left = forms.ChoiceField(choices=[(one.value, one.value) for one in TimeLeft], required=False)


class AgedRequests(RequestsBehind):
    """Open ones of an age, or with so much time left."""

    above = "open-by-age"
    form = AgedForm

    def behind(self, said: Mapping[str, Any]) -> Behind:
        state = State(said["state"]) if said["state"] else None
        age = Age(said["age"]) if said["age"] else None
        left = TimeLeft(said["left"]) if said["left"] else None
        named = (
            words.STATUS[state].words if state else "Whatever their status",
            figure_words.AGE[age] if age else "",
            f"Time left: {figure_words.LEFT[left].lower()}" if left else "",
        )
        return Behind(
            figure="Open requests",
            of=". ".join(filter(None, named)) + ".",
            requests=selectors.aged_requests(self.actor, now=self.now, of=Aged(state=state, age=age, left=left)),
            columns=("Counts from", "Due"),
            told=lambda one: (one.submitted_at or one.opened_at, one.due_at or "No deadline"),
        )


class WorkedForm(forms.Form):
    """Of which days, and whose work; of nobody it is everybody's."""

    since = forms.DateField()
    until = forms.DateField()
    person = forms.UUIDField(required=False)


class WorkedRequests(RequestsBehind):
    """Those that the clinic submitted, with the work on each."""

    above = "clinic-work"
    form = WorkedForm

    def behind(self, said: Mapping[str, Any]) -> Behind:
        period = Period(said["since"], said["until"])
        person = PersonId(said["person"]) if said["person"] else None
        found = selectors.worked_requests(self.actor, period, person_id=person)

        def told(one: PriorAuth) -> Sequence[Told]:
            work = found.works[one.pk]
            decided_after = "Not decided" if work.to_decide is None else rounded(hours(work.to_decide)) or ""
            return work.submitted_at, str(len(work.touches)), rounded(hours(work.to_submit)) or "", decided_after

        return Behind(
            figure=f"Touched by {found.person.full_name}" if found.person else "Submitted",
            of=f"{_days(period)}.",
            requests=found.requests,
            columns=("Submitted", "Touches", "Hours to submission", "Hours to decision"),
            told=told,
        )


def _whole(requests: QuerySet[PriorAuth]) -> QuerySet[PriorAuth]:
    newest_first = Prefetch("determinations", Determination.objects.order_by("-pk"))
    whose = requests.select_related("insurer", "clinic", "coverage__plan").prefetch_related(newest_first)
    return whose.defer(*PriorAuth.LONG).order_by("-pk")


def _days(period: Period) -> str:
    return f"{formats.day(period.since)} to {formats.day(period.until)}"


def _shown(told: Told) -> str:
    if isinstance(told, datetime):
        return page_tags.moment(told)
    return page_tags.day(told) if isinstance(told, date) else told


def _kept(told: Told) -> str:
    if isinstance(told, datetime):
        return instant(told)
    return told.isoformat() if isinstance(told, date) else told
