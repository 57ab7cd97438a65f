"""The insurer's steps on appeals and peer-to-peer calls as forms."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final
from uuid import UUID

from django import forms

from authz.prior_auths import calls
from authz.prior_auths.call_lifecycle import MOST_TIMES, OPEN, CallOutcome
from authz.web import words
from authz.web.decision_forms import StepForm
from authz.web.forms import local_instant, offered_time
from authz.web.step_forms import CodedForm, NoteForm

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
        self.fields["time"] = offered_time(times)

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
