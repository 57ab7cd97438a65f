"""What an insurer's administrators write on the pages of policies: drafts, ends, simulations, reasons."""

import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django import forms

from authz.policies.models import Plan
from authz.policies.reasons import LibraryReason
from authz.simulations.services import MINUTES_A_REQUEST
from authz.web.forms import OneNewline, PlainForm, long_text

_LONGEST_DOCUMENT: Final = 200_000


class PolicyForm(PlainForm):
    """A form with a prefix of ids of its own, since several stand on a page."""

    name = "policy"

    def __init__(self, posted: Mapping[str, Any] | None = None, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(posted, initial=dict(initial or {}), auto_id=f"{self.name}-%s", label_suffix="")


class DraftForm(PolicyForm):
    """A version of a policy as TOML, like the files of the catalog."""

    name = "draft"
    document = OneNewline(
        label="The policy, as TOML",
        help_text="Like the files of the catalog: settings with their sources, and examples each way.",
        max_length=_LONGEST_DOCUMENT,
        widget=forms.Textarea({"rows": 16, "class": "code", "spellcheck": "false"}),
        error_messages={"required": "Write or paste the policy here."},
    )

    def clean_document(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self.cleaned_data["document"], parse_float=Decimal)
        except tomllib.TOMLDecodeError as error:
            raise forms.ValidationError(f"This is not TOML: {error}.") from None
        except (ValueError, RecursionError):
            raise forms.ValidationError("This is not TOML that can be read.") from None

    def refuse(self, fields: Mapping[str, Any]) -> None:
        """Put everything that is wrong with the document to its one field, by its place."""
        super().refuse({"document": [f"{path}: {sentence}" for path, said in fields.items() for sentence in said]})


class RetireForm(PolicyForm):
    name = "retire"
    retired_on = forms.DateField(
        label="First day on which it no longer holds",
        widget=forms.DateInput({"type": "date"}),
        input_formats=["%Y-%m-%d"],
        error_messages={"required": "Give a day.", "invalid": "Give a day as YYYY-MM-DD."},
    )


class SimulationForm(PolicyForm):
    """For which plans, over which days of recorded history."""

    name = "simulate"
    plans = forms.TypedMultipleChoiceField(
        label="For the members of",
        coerce=UUID,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "Choose plans of yours."},
    )
    since = forms.DateField(
        label="From", widget=forms.DateInput({"type": "date"}), error_messages={"required": "Give a day."}
    )
    until = forms.DateField(
        label="To", widget=forms.DateInput({"type": "date"}), error_messages={"required": "Give a day."}
    )
    minutes_a_request = forms.IntegerField(
        label="Minutes of a reviewer for one request",
        initial=MINUTES_A_REQUEST,
        min_value=1,
        max_value=10_000,
        widget=forms.NumberInput({"class": "short"}),
    )

    def __init__(
        self, plans: Iterable[Plan], posted: Mapping[str, Any] | None = None, initial: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(posted, initial)
        self.fields["plans"].choices = [(str(plan.public_id), plan.name) for plan in plans]  # type: ignore[attr-defined]  # of a choice


class ReasonForm(PolicyForm):
    """A reason in the insurer's own words."""

    name = "reason"
    code = forms.RegexField(
        r"^[a-z0-9][a-z0-9-]{0,39}$",
        label="Code",
        max_length=40,
        help_text="A code of the library, to say it in your own words, or a new one.",
        error_messages={"required": "Give a code.", "invalid": "Use small letters, digits and hyphens."},
    )
    text = long_text("One plain sentence that the patient can read")
    criterion = forms.CharField(
        label="The criterion's clause", max_length=500, error_messages={"required": "Name the clause."}
    )
    would_change = long_text("What would change it", most=1000, rows=2)

    def reason(self) -> LibraryReason:
        """Return what was written."""
        return LibraryReason(**self.cleaned_data)
