"""The insurer's steps on appeals and peer-to-peer calls as forms."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final
from uuid import UUID

from django import forms
from django.utils import timezone

from authz.prior_auths import calls
from authz.prior_auths.call_lifecycle import MOST_TIMES, OPEN, CallOutcome
from authz.web import words
from authz.web.step_forms import CodedForm, NoteForm, StepForm

_LOCAL: Final = "%Y-%m-%dT%H:%M"
_OPEN: Final = [state.value for state in OPEN]


class DismissAppealForm(CodedForm):
    codes: ClassVar[Mapping[Any, str]] = words.APPEAL_DISMISSAL


class ReferenceForm(NoteForm):
    """Under which reference the independent reviewer has it."""

    def add_fields(self) -> None:
        self.fields["reason"].label = "The independent reviewer's reference"


class TimesForm(StepForm):
    """A few times in the reader's own zone; empty ones are left out."""

    def add_fields(self) -> None:
        for number in range(1, MOST_TIMES + 1):
            self.fields[f"time-{number}"] = local_instant(f"Time {number}", is_required=False)

    def refuse(self, fields: Mapping[str, Any]) -> None:
        super().refuse({"time-1" if name.startswith("times") else name: said for name, said in fields.items()})

    def arguments(self) -> dict[str, Any]:
        said = [self.cleaned_data[name] for name in self.fields]
        return {"times": [time for time in said if time is not None]}


class ConfirmTimeForm(StepForm):
    """One of the times that the clinic proposes."""

    def add_fields(self) -> None:
        open_one = self.prior_auth.calls.filter(state__in=_OPEN).first()
        times = calls.times(open_one) if open_one else []
        self.fields["time"] = forms.ChoiceField(
            label="Which time?",
            choices=[(str(row.public_id), words.moment(timezone.localtime(row.starts_at))) for row in times],
            widget=forms.RadioSelect,
            error_messages={"required": "Choose one.", "invalid_choice": "Choose one of these."},
        )

    def arguments(self) -> dict[str, Any]:
        return {"time_id": UUID(self.cleaned_data["time"])}


class ConcludeForm(NoteForm):
    """What came of a call, and what was said."""

    def add_fields(self) -> None:
        self.fields["reason"].label = "What was said, in a sentence"
        self.fields["outcome"] = forms.ChoiceField(
            label="What came of it?",
            choices=[(outcome.value, said) for outcome, said in words.CALL_OUTCOME.items()],
            error_messages={"required": "Choose one."},
        )

    def arguments(self) -> dict[str, Any]:
        return {"outcome": CallOutcome(self.cleaned_data["outcome"]), **super().arguments()}


def local_instant(label: str, *, is_required: bool = True) -> forms.DateTimeField:
    """Return a field for an instant, written in the reader's own time zone."""
    return forms.DateTimeField(
        label=label,
        required=is_required,
        widget=forms.DateTimeInput({"type": "datetime-local"}, format=_LOCAL),
        input_formats=[_LOCAL],
        error_messages={
            "required": "Give a day and a time.",
            "invalid": "Give a day and a time.",
        },
    )
