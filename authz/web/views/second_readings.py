"""Approvals by rule that were chosen to be read by a person: what the rule was shown, and what that person finds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from authz.access.roles import Action, may
from authz.errors import AuthzError, Forbidden, InvalidInput, NotFound
from authz.ids import DeterminationId
from authz.prior_auths import second_readings
from authz.prior_auths.determination import SecondFinding
from authz.prior_auths.models import Determination
from authz.prior_auths.outlook import Criterion
from authz.prior_auths.services import second_readings as reading
from authz.web.forms import PlainForm, long_text
from authz.web.pages import Page
from authz.web.sheets import MOST, instant, sheet

PER_PAGE: Final = 20
FOUND: Final[Mapping[str, str]] = {
    SecondFinding.AGREES: "I would have approved it, too",
    SecondFinding.DISAGREES: "I would not have approved it",
}
_COLUMNS: Final = ("request", "decided_at", "finding", "note", "read_at", "read_by")


class ReadingForm(PlainForm):
    """What the reader finds of one approval."""

    finding = forms.ChoiceField(
        label="What do you find?",
        choices=list(FOUND.items()),
        widget=forms.RadioSelect,
        error_messages={"required": "Say what you find.", "invalid_choice": "Say what you find."},
    )
    note = long_text("Why?", hint="Needed where you disagree. The administrators are told, and can reopen the request.")

    def __init__(self, approval: Determination, posted: Mapping[str, Any] | None = None) -> None:
        super().__init__(posted, auto_id=f"reading-{approval.public_id}-%s", label_suffix="")
        self.fields["note"].required = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An approval that nobody has read, with what the rule was shown; without a form for whoever may not say."""

    approval: Determination
    criteria: list[Criterion]
    form: ReadingForm | None


class SecondReadings(Page):
    """What waits to be read, the oldest first; or what was read."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.listed()

    def listed(self, attempt: ReadingForm | None = None, key: DeterminationId | None = None) -> HttpResponse:
        """Return the list; what was attempted stands where it belongs."""
        is_read = self.request.GET.get("show") == "read"
        waiting = second_readings.unread(self.actor)
        found = second_readings.sampled(self.actor).exclude(second_reading=None).order_by("-second_reading__pk")
        page = Paginator(found if is_read else waiting, PER_PAGE).get_page(self.request.GET.get("page"))
        may_read = may(self.actor, Action.READ_A_SECOND_TIME)
        return self.show(
            "pages/second_readings.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if attempt else HTTPStatus.OK,
            is_read=is_read,
            page=page,
            waiting_count=waiting.count(),
            waiting=[] if is_read else [_waiting(one, may_read, attempt, key) for one in page],
            faults=list(attempt.faults()) if attempt else [],
        )


class SecondReading(SecondReadings):
    """Records what somebody found. It changes no decision."""

    def get(self, request: HttpRequest, **ids: DeterminationId) -> HttpResponse:
        return redirect("second-readings")

    def post(self, request: HttpRequest, determination_id: DeterminationId) -> HttpResponse:
        approval = second_readings.sampled(self.actor).filter(public_id=determination_id).first()
        if approval is None:
            raise NotFound("There is no such approval to be read a second time.")
        form = ReadingForm(approval, request.POST)
        if not form.is_valid():
            return self.listed(form, determination_id)
        said = form.cleaned_data
        try:
            reading.read(
                determination_id=determination_id,
                finding=SecondFinding(said["finding"]),
                note=said["note"],
                by=self.actor,
                now=self.now,
            )
        except InvalidInput as refusal:
            form.refuse(refusal.fields)
            return self.listed(form, determination_id)
        except (Forbidden, NotFound):
            raise
        except AuthzError as refusal:
            messages.error(request, refusal.detail)
            return redirect("second-readings")
        messages.success(request, f"Your reading of {approval.prior_auth.number} is noted.")
        return redirect("second-readings")


class SecondReadingsSheet(Page):
    """All of them as CSV, read or not."""

    def get(self, request: HttpRequest) -> HttpResponse:
        long_and_not_told = ("trace", "prior_auth__packet", "prior_auth__explanation")
        found = list(second_readings.sampled(self.actor).defer(*long_and_not_told)[: MOST + 1])
        if len(found) > MOST:
            messages.error(request, f"These are more than {MOST:,}. Ask the API for them.")
            return redirect("second-readings")
        return sheet(self, "second readings", columns=_COLUMNS, lines=(_cells(one) for one in found))


def _waiting(
    approval: Determination, may_read: bool, attempt: ReadingForm | None, key: DeterminationId | None
) -> Waiting:
    form = attempt if approval.public_id == key else ReadingForm(approval)
    criteria = second_readings.shown_to_rule(approval)
    return Waiting(approval=approval, criteria=criteria, form=form if may_read else None)


def _cells(approval: Determination) -> Iterator[str]:
    read = getattr(approval, "second_reading", None)
    yield approval.prior_auth.number
    yield instant(approval.decided_at)
    yield read.finding if read else ""
    yield read.note if read else ""
    yield instant(read.read_at if read else None)
    yield read.read_by.full_name if read else ""
