"""Breaking the glass: the patient as their insurance card names them, and why."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError

from authz.policies.models import Plan
from authz.web.forms import PlainForm, long_text

_EARLIEST_BIRTH: Final = date(1900, 1, 1)
_DAY: Final = {"required": "Give the day of birth.", "invalid": "Give a day as YYYY-MM-DD."}


class EmergencyForm(PlainForm):
    """Fields are called as the service calls them."""

    plan_id = forms.ChoiceField(
        label="Insurance plan",
        error_messages={"required": "Choose the plan on the card.", "invalid_choice": "Choose a plan of the list."},
    )
    member_id = forms.CharField(
        label="Member's number",
        help_text="As it is on the card.",
        max_length=64,
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Give the member's number."},
    )
    birth_date = forms.DateField(
        label="Day of birth", widget=forms.DateInput({"type": "date"}), error_messages=dict(_DAY)
    )
    reason = long_text(
        "Why do you need the record now?", most=1000, hint="At least 20 characters. Administrators read it."
    )
    is_understood = forms.BooleanField(
        label="I need it to treat this patient now, and I know that the administrators are told at once",
        error_messages={"required": "Say that you know it."},
    )

    def __init__(self, plans: Iterable[Plan], posted: Mapping[str, Any] | None = None, *, today: date) -> None:
        super().__init__(posted, auto_id="emergency-%s", label_suffix="")
        self.today = today
        offered = [(str(plan.public_id), f"{plan.insurer.name}: {plan.name}") for plan in plans]
        plan_id: Any = self.fields["plan_id"]
        plan_id.choices = [("", "Choose"), *offered]

    def clean_birth_date(self) -> date:
        born: date = self.cleaned_data["birth_date"]
        if not _EARLIEST_BIRTH <= born <= self.today:
            raise ValidationError("Nobody was born on that day.")
        return born

    def told(self) -> dict[str, Any]:
        """Return what the service takes."""
        said = {name: value for name, value in self.cleaned_data.items() if name != "is_understood"}
        return said | {"plan_id": UUID(said["plan_id"])}
