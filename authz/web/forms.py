"""What forms share: every fault named at its field, and in a summary that leads there; and the form of the log-in."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from django import forms
from django.utils import timezone

from authz.prior_auths.models import CallTime
from authz.web import formats

LONGEST_NOTE = 2000
_LOCAL: Final = "%Y-%m-%dT%H:%M"  # as browsers write it


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and the id of the field it is about; empty when it is about none."""

    sentence: str
    place: str


class PlainForm(forms.Form):
    """A form whose fields are called as the services call them, so that their refusals find the fields.

    `prefix_of_errors` is what a service puts before a field's name.
    """

    use_required_attribute = False  # the server names every fault at once, and in the same words for everybody
    prefix_of_errors: ClassVar[str] = ""

    def refuse(self, fields: Mapping[str, Sequence[str]]) -> None:
        """Take over a service's refusal; what fits no field is told for the whole form."""
        for path, sentences in fields.items():
            name = path.removeprefix(self.prefix_of_errors)
            for sentence in sentences:
                self.add_error(name if name in self.fields else None, sentence)

    def questions_shown(self) -> Collection[str]:
        """Return the questions that the form shows, by id."""
        return self.fields.keys()

    def faults(self) -> Iterator[Fault]:
        """Yield everything that is wrong, in the order of the form."""
        if not self.is_bound:
            return
        for sentence in self.non_field_errors():
            yield Fault(str(sentence), "")
        for field in self:
            for sentence in field.errors:
                yield Fault(f"{field.label}: {sentence}", _place(field))

    def typed(self) -> list[tuple[str, str]]:
        """Return what was written, with the label of each field, for when the form cannot be shown again."""
        if not self.is_bound:
            return []
        written = [(str(field.label), str(field.value() or "")) for field in self if not field.is_hidden]
        return [(label, text) for label, text in written if text.strip()]


def _place(field: forms.BoundField) -> str:
    """Return the id that a link can lead to; of radio buttons the first."""
    return field.id_for_label or f"{field.auto_id}_0"


def local_instant(label: str, *, is_required: bool = True, hint: str = "", css: str = "") -> forms.DateTimeField:
    """Return a field for an instant, written in the reader's own time zone."""
    return forms.DateTimeField(
        label=label,
        help_text=hint,
        required=is_required,
        widget=forms.DateTimeInput({"type": "datetime-local"} | ({"class": css} if css else {}), format=_LOCAL),
        input_formats=[_LOCAL],
        error_messages={"required": "Give a day and a time.", "invalid": "Give a day and a time."},
    )


def offered_time(times: Iterable[CallTime]) -> forms.ChoiceField:
    """Return a field for one of the times of a call, told in the reader's own time zone; its value is the time's id."""
    return forms.ChoiceField(
        label="Which time?",
        choices=[(str(time.public_id), formats.moment(timezone.localtime(time.starts_at))) for time in times],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a time.", "invalid_choice": "This time is no longer offered."},
    )


def long_text(label: str, *, most: int = LONGEST_NOTE, hint: str = "", rows: int = 3) -> forms.CharField:
    """Return a field for a sentence or more; a line break is one character."""
    return OneNewline(
        label=label,
        help_text=hint,
        max_length=most,
        widget=forms.Textarea({"rows": rows}),
        error_messages={"required": "Write something here."},
    )


class OneNewline(forms.CharField):
    """A text whose line breaks are as we keep them, not as browsers send them."""

    def to_python(self, value: object) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class LogInForm(PlainForm):
    """Who is there. Whether it is right is asked elsewhere."""

    email = forms.EmailField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "username"}),
        error_messages={"required": "Give your e-mail address."},
    )
    password = forms.CharField(
        label="Password",
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
        error_messages={"required": "Give your password."},
    )


class JoinForm(PlainForm):
    """What somebody new tells of themselves."""

    full_name = forms.CharField(
        label="Your name",
        max_length=200,
        widget=forms.TextInput({"autocomplete": "name"}),
        error_messages={"required": "Give your name."},
    )
    password = forms.CharField(
        label="Password",
        help_text="At least twelve characters.",
        strip=False,
        max_length=1024,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        error_messages={"required": "Choose a password."},
    )
    again = forms.CharField(
        label="The same password again",
        strip=False,
        max_length=1024,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        error_messages={"required": "Give the password again."},
    )

    def clean(self) -> None:
        super().clean()
        if "again" in self.cleaned_data and self.cleaned_data["again"] != self.cleaned_data.get("password"):
            self.add_error("again", "This is another password.")
