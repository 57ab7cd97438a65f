"""The licence of a colleague, as a form; and until when one is valid."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from authz.access.jurisdictions import JURISDICTIONS
from authz.access.models import Person
from authz.access.roles import Profession
from authz.access.specialties import Specialty
from authz.web.forms import PlainForm


def _text(label: str, *, most: int, help_text: str = "", suggested: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        max_length=most,
        widget=forms.TextInput({"autocomplete": "off", **({"list": suggested} if suggested else {})}),
        error_messages={"required": "Needed."},
    )


def _day(label: str) -> forms.DateField:
    return forms.DateField(
        label=label,
        widget=forms.DateInput({"type": "date"}),
        error_messages={"required": "Give a day.", "invalid": "Give a day."},
    )


class PeriodForm(PlainForm):
    """Until when a licence is valid, this day included."""

    valid_until = _day("Valid until")


class LicenceForm(PlainForm):
    """Whose, which, and for how long."""

    email = forms.ChoiceField(label="Whose is it?", error_messages={"required": "Choose somebody."})
    profession = forms.ChoiceField(
        label="Profession",
        choices=[("", "Choose one"), *((one.value, one.value.capitalize()) for one in Profession)],
        error_messages={"required": "Choose one."},
    )
    state = forms.ChoiceField(
        label="State",
        choices=[("", "Choose one"), *((code, code) for code in JURISDICTIONS)],
        error_messages={"required": "Choose one."},
    )
    number = _text("Number", most=40)
    specialty = _text(
        "Specialty",
        most=80,
        help_text="One that is suggested, or a taxonomy code, where policies name specialties; no other text counts.",
        suggested="specialties",
    )
    valid_from = _day("Valid from")
    valid_until = _day("Valid until")

    def __init__(self, people: Iterable[Person], posted: Mapping[str, Any] | None = None) -> None:
        super().__init__(posted, auto_id="licence-%s", label_suffix="")
        email: Any = self.fields["email"]
        email.choices = [("", "Choose somebody"), *((one.email, f"{one.full_name} ({one.email})") for one in people)]

    def licence(self) -> dict[str, Any]:
        """Return what the service takes."""
        return self.cleaned_data | {"profession": Profession(self.cleaned_data["profession"])}

    @property
    def specialties(self) -> list[str]:
        """The specialties that policies can name, in words."""
        return [specialty.words.capitalize() for specialty in Specialty]
