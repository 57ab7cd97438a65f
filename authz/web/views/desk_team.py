"""The insurer's team: who has how much, who is away, whether anything will be late; and requests handed on together."""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from authz.access.roles import Actor, Role
from authz.errors import AuthzError, Forbidden, InvalidInput, NotFound
from authz.ids import PriorAuthId
from authz.prior_auths import review_queue
from authz.prior_auths.breach_forecast import PACE_DAYS, forecast_of
from authz.prior_auths.lifecycle import TABLE, Step
from authz.prior_auths.models import Absence
from authz.prior_auths.review_queue import Load
from authz.prior_auths.services import absences, queue
from authz.prior_auths.services.steps import IllegalStep
from authz.web import formats, rows
from authz.web.forms import PlainForm, local_instant, long_text
from authz.web.pages import Page
from authz.web.sheets import MOST, instant, sheet
from authz.web.views.worklist_sheet import COLUMNS as REQUESTS
from authz.web.views.worklist_sheet import cells

MOST_LISTED: Final = 50
"""So many of those at risk, or of one reviewer, are listed, the most pressing first; the count tells of all."""
_COLUMNS: Final = ("reviewer", "in_hand", "with_the_clinic", "at_risk", "here")
_NOTE_ABSENCES: Final = frozenset({Role.REVIEWER, Role.PHYSICIAN, Role.INSURER_ADMIN})
_ABSENCES: Final = ("reviewer", "away_from", "back_from")


class AbsenceForm(PlainForm):
    """From when to when the reader is away, or for an administrator somebody of the team."""

    person = forms.ChoiceField(label="Who is away", error_messages={"invalid_choice": "Choose somebody of the team."})
    starts_at = local_instant("Away from")
    ends_at = local_instant("Back from")

    def __init__(self, team: Sequence[Load], by: Actor, posted: Mapping[str, Any] | None = None) -> None:
        super().__init__(posted, auto_id="away-%s", label_suffix="")
        if Role.INSURER_ADMIN in by.roles:
            person: Any = self.fields["person"]
            person.choices = [("", "Choose"), *((str(one.person_id), one.name) for one in team)]
        else:
            del self.fields["person"]

    def noted(self) -> dict[str, Any]:
        """Return what the service takes."""
        said = dict(self.cleaned_data)
        person = said.pop("person", None)
        return {**said, "person_id": UUID(person) if person else None}


class BackForm(PlainForm):
    """Which absence is over: whose, the reader's own without, and when it starts, the one that runs without."""

    person = forms.UUIDField(required=False)
    starts_at = forms.DateTimeField(required=False)

    def named(self) -> dict[str, Any]:
        """Return what the service takes."""
        return {"person_id": self.cleaned_data["person"], "starts_at": self.cleaned_data["starts_at"]}


class HandOnForm(PlainForm):
    """To whom the ticked requests go, and why."""

    request = forms.MultipleChoiceField(widget=forms.MultipleHiddenInput, required=False)
    person = forms.ChoiceField(
        label="Hand the ticked to",
        error_messages={"required": "Choose somebody.", "invalid_choice": "Choose somebody of the team."},
    )
    reason = long_text("Why?", most=500, rows=1, hint="It is kept with each request, and both sides can read it.")

    def __init__(self, team: Sequence[Load], posted: Any = None) -> None:
        super().__init__(posted, auto_id="hand-on-%s", label_suffix="")
        people = [(str(one.person_id), f"{one.name}{', away' if one.is_absent else ''}") for one in team]
        person: Any = self.fields["person"]
        person.choices = [("", "Choose"), *people]
        ticked: Any = self.fields["request"]
        # What can be handed on, the service says; here they only have to be ids.
        ticked.choices = [(key, key) for key in self.ticked() if _id(key)]

    def clean(self) -> None:
        super().clean()
        if not self.cleaned_data.get("request"):
            self.add_error(None, "Tick the requests first.")

    def ticked(self) -> list[str]:
        """Return the ids of the requests that are ticked."""
        data: Any = self.data
        return data.getlist("request") if self.is_bound else []

    def handed(self) -> dict[str, Any]:
        """Return what the service takes."""
        said = self.cleaned_data
        keys = [PriorAuthId(UUID(key)) for key in said["request"]]
        return {"prior_auth_ids": keys, "person_id": UUID(said["person"]), "reason": said["reason"]}


class Team(Page):
    """Workload, absences and the forecast. Reviewers note here that they are away, administrators that anybody is."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.page()

    def post(self, request: HttpRequest) -> HttpResponse:
        form = AbsenceForm(self.loads(), self.actor, request.POST)
        if not form.is_valid():
            return self.page(away=form)
        try:
            absence = absences.be_away(**form.noted(), by=self.actor, now=self.now)
        except InvalidInput as refusal:
            form.refuse(refusal.fields)
            return self.page(away=form)
        is_own = absence.person_id == self.actor.person_id
        who = "you are away; nothing is handed to you" if is_own else "they are away; nothing is handed to them"
        messages.success(request, f"It is noted that {who} meanwhile.")
        return redirect("desk-team")

    def loads(self) -> list[Load]:
        """Return how much each reviewer has."""
        if self.is_clinic:
            raise PermissionDenied("The team is the insurer's.")
        return review_queue.workload(self.actor, now=self.now)

    def page(self, *, away: AbsenceForm | None = None, hand_on: HandOnForm | None = None) -> HttpResponse:
        """Return the page; a form that was refused stands where it belongs."""
        loads = self.loads()
        chosen = self.chosen(loads)
        listed = self.listed(chosen)
        faults = [*(away.faults() if away else ()), *(hand_on.faults() if hand_on else ())]
        hand_on = hand_on or HandOnForm(loads)
        return self.show(
            "pages/desk_team.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK,
            loads=loads,
            chosen=chosen,
            absences=review_queue.absences(self.actor, now=self.now),
            forecast=forecast_of(self.actor, now=self.now),
            pace_days=PACE_DAYS,
            listed=rows.rows(listed[:MOST_LISTED], self.actor, today=self.today()),
            listed_count=listed.count(),
            can_be_handed_on={state.value for state in TABLE[Step.REASSIGN].sources if state},
            hand_on=hand_on if Role.INSURER_ADMIN in self.actor.roles else None,
            ticked={UUID(key) for key in hand_on.ticked() if _id(key)},
            away=None if self.actor.roles.isdisjoint(_NOTE_ABSENCES) else away or AbsenceForm(loads, self.actor),
            is_admin=Role.INSURER_ADMIN in self.actor.roles,
            reader=self.actor.person_id,
            faults=faults,
        )

    def chosen(self, loads: Sequence[Load]) -> Load | None:
        """Return the reviewer whose requests are asked for, None for those at risk."""
        return next((load for load in loads if str(load.person_id) == self.request.GET.get("of")), None)

    def listed(self, chosen: Load | None) -> Any:
        """Return what one reviewer has, or what is at risk, the most pressing first."""
        if chosen is not None:
            return review_queue.in_hand_of(self.actor, chosen.person_id)
        return review_queue.desk_queue(self.actor, review_queue.Part.AT_RISK, now=self.now)


class Back(Team):
    """Ends an absence, or takes it back: the reader's own, or for an administrator anybody's of the team."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return redirect("desk-team")

    def post(self, request: HttpRequest) -> HttpResponse:
        form = BackForm(request.POST)
        if form.is_valid() and absences.be_back(**form.named(), by=self.actor, now=self.now):
            messages.success(request, "The absence is off the list.")
        else:
            messages.error(request, "There is no such absence any more. Look at the list again.")
        return redirect("desk-team")


class HandedOn(Team):
    """Hands the ticked requests to a colleague: all of them, or none when one cannot be handed on."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return redirect("desk-team")

    def post(self, request: HttpRequest) -> HttpResponse:
        if Role.INSURER_ADMIN not in self.actor.roles:
            raise PermissionDenied("Administrators hand on several at once; a reviewer does so at the desk.")
        form = HandOnForm(self.loads(), request.POST)
        if not form.is_valid():
            return self.page(hand_on=form)
        try:
            handed = queue.reassign_all(**form.handed(), by=self.actor, now=self.now)
        except InvalidInput as refusal:
            form.refuse(refusal.fields)
        except IllegalStep:
            form.add_error(None, "One of the requests is with no reviewer any more. Look at the list again.")
        except (Forbidden, NotFound):
            raise
        except AuthzError as refusal:
            form.add_error(None, refusal.detail)
        else:
            messages.success(request, f"{formats.counted(len(handed), 'request')} handed on.")
            return redirect("desk-team")
        return self.page(hand_on=form)


class TeamSheet(Team):
    """Who has how much, as CSV."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return sheet(self, "workload", columns=_COLUMNS, lines=(_load(load) for load in self.loads()))


class TeamRequestsSheet(Team):
    """All that is at risk, or that one reviewer has, as CSV."""

    def get(self, request: HttpRequest) -> HttpResponse:
        listed = self.listed(self.chosen(self.loads()))
        if listed.count() > MOST:
            messages.error(request, f"These are more than {MOST:,} requests. Ask the API for them.")
            return redirect("desk-team")
        found = rows.rows(listed, self.actor, today=self.today())
        return sheet(self, "requests of the team", columns=REQUESTS, lines=(cells(row) for row in found))


class AbsencesSheet(Page):
    """Who is away now or later, as CSV."""

    def get(self, request: HttpRequest) -> HttpResponse:
        found = review_queue.absences(self.actor, now=self.now)
        return sheet(self, "absences", columns=_ABSENCES, lines=(_absence(one) for one in found))


def _absence(one: Absence) -> Iterator[str]:
    yield one.person.full_name
    yield instant(one.starts_at)
    yield instant(one.ends_at)


def _load(load: Load) -> Iterator[str]:
    yield load.name
    yield from map(str, (load.in_hand, load.waiting, load.at_risk))
    yield "away" if load.is_absent else "yes"


def _id(text: str) -> bool:
    """Say whether it can be an id; the page offers no others."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True
