"""What somebody thinks of prescribing, as a form that is only read."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from django import forms

from authz.prior_auths.opioid_use import SeenRecord
from authz.prior_auths.what_if import LONGEST, Plan
from authz.web.forms import PlainForm

DEFAULT_DAYS = 7


class PlanForm(PlainForm):
    """Days, a first day and, for another than the last one, a product."""

    days_supply = forms.IntegerField(
        label="Days' supply",
        widget=forms.NumberInput({"min": 1, "max": LONGEST, "class": "short"}),
        error_messages={"required": "Give the days.", "invalid": "A whole number of days is needed."},
    )
    starts_on = forms.DateField(
        label="First day",
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        error_messages={"required": "Give a day.", "invalid": "Give a day as YYYY-MM-DD."},
    )
    rxcui = forms.ChoiceField(label="Product", required=False)

    def __init__(self, sent: Mapping[str, Any] | None, records: Iterable[SeenRecord], *, starts_on: date) -> None:
        super().__init__(
            sent, auto_id="plan-%s", label_suffix="", initial={"days_supply": DEFAULT_DAYS, "starts_on": starts_on}
        )
        products = {record.rxcui: record.product_name for record in records if record.rxcui}
        field = self.fields["rxcui"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [("", "As the last one"), *products.items()]

    def plan(self) -> Plan:
        """Return the plan, once the form is valid."""
        return Plan(**self.cleaned_data)
