"""What a clinic can do once it was decided, or talked about: forms for appeals and peer-to-peer calls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django import forms
from django.utils import timezone

from authz.prior_auths import calls
from authz.prior_auths.appeal_lifecycle import AppealStep
from authz.prior_auths.call_lifecycle import CallStep
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.models import Appeal, Call
from authz.prior_auths.services import appealing, calling
from authz.web import words
from authz.web.forms import PlainForm, local_instant, long_text, offered_time

FILE: Final = "appeal"
"""The place of the form that files an appeal."""
ASK_FOR_CALL: Final = "call"
"""The place of the form that asks for a peer-to-peer call."""
_TIMES: Final = 3


class AfterForm(PlainForm):
    """A form about an appeal or a call, told apart by `place`, which its fields' ids begin with."""

    def __init__(self, subject: Appeal | Call | None, posted: Mapping[str, Any] | None = None, *, place: str) -> None:
        super().__init__(posted, auto_id=f"{place}-%s", label_suffix="")
        self.subject = subject
        self.add_fields()

    def add_fields(self) -> None:
        """Add the fields that depend on the subject."""

    def arguments(self) -> dict[str, Any]:
        """Return what the service takes besides the subject and the actor."""
        return dict(self.cleaned_data)


class FileAppealForm(AfterForm):
    urgency = forms.ChoiceField(
        label="How soon is a new decision needed?",
        choices=[(urgency.value, words.URGENCY[urgency]) for urgency in Urgency],
        initial=Urgency.STANDARD.value,
        widget=forms.RadioSelect,
    )
    reason = long_text("Why is the decision wrong?", hint="The insurer reads it. New facts help more than arguments.")
    good_cause = long_text("Why so late?", hint="Only after the last day; the insurer judges it.", rows=2)

    def add_fields(self) -> None:
        self.fields["good_cause"].required = False

    def arguments(self) -> dict[str, Any]:
        return {**super().arguments(), "urgency": Urgency(self.cleaned_data["urgency"])}


class WhyForm(AfterForm):
    reason = long_text("Why?", hint="Both sides can read it.", rows=2)


class ChooseTimeForm(AfterForm):
    """One of the times that the other side gave."""

    def add_fields(self) -> None:
        times = calls.times(self.subject) if isinstance(self.subject, Call) else []
        self.fields["time_id"] = offered_time(times)

    def refuse(self, fields: Mapping[str, Any]) -> None:
        super().refuse({"time_id" if name == "time" else name: said for name, said in fields.items()})

    def arguments(self) -> dict[str, Any]:
        return {"time_id": UUID(self.cleaned_data["time_id"])}


class TimesForm(AfterForm):
    """A few times, by the clock of the person who writes; empty ones are left out."""

    def add_fields(self) -> None:
        for number in range(_TIMES):
            self.fields[f"times[{number}]"] = local_instant(
                f"Time {number + 1}",
                is_required=number == 0,
                hint=f"In your own time zone, {timezone.get_current_timezone_name()}." if number == 0 else "",
                css="short",
            )

    def refuse(self, fields: Mapping[str, Any]) -> None:
        super().refuse({"times[0]" if name == "times" else name: said for name, said in fields.items()})

    def arguments(self) -> dict[str, Any]:
        return {"times": [at for at in self.cleaned_data.values() if at is not None]}


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterStep:
    """How a step is offered: the service that takes it, its form, and what is said when it is done."""

    take: Callable[..., object]
    form: type[AfterForm]
    label: str
    says: str
    done: str


FILING = AfterStep(
    take=appealing.file,
    form=FileAppealForm,
    label="File an appeal",
    says="Somebody at the insurer who has not decided it before looks at it anew.",
    done="The appeal is filed.",
)
APPEAL_STEPS: Final[Mapping[AppealStep, AfterStep]] = {
    AppealStep.WITHDRAW: AfterStep(
        take=appealing.withdraw,
        form=WhyForm,
        label="Withdraw the appeal",
        says="The decision stands then. Within its time it can be appealed again.",
        done="The appeal is withdrawn.",
    ),
}
ASKING = AfterStep(
    take=calling.ask_for,
    form=TimesForm,
    label="Ask for a peer-to-peer call",
    says="The insurer's physician confirms one of your times or offers others. A call decides nothing by itself.",
    done="The call is asked for.",
)
CALL_STEPS: Final[Mapping[CallStep, AfterStep]] = {
    CallStep.ACCEPT: AfterStep(
        take=calling.accept,
        form=ChooseTimeForm,
        label="Accept a time",
        says="The insurer's physician calls then. A call decides nothing by itself.",
        done="The time is agreed on.",
    ),
    CallStep.PROPOSE_TIMES: AfterStep(
        take=calling.propose_times,
        form=TimesForm,
        label="Propose other times",
        says="They stand instead of those there were; the insurer confirms one.",
        done="The times are proposed.",
    ),
    CallStep.DECLINE: AfterStep(
        take=calling.decline,
        form=WhyForm,
        label="Do without the call",
        says="An appeal stays possible.",
        done="The call is declined.",
    ),
}
