"""How an insurer is reached, as a form."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django import forms

from authz.access.contact import LONGEST_ADDRESS, LONGEST_HOURS, LONGEST_NUMBER, Contact
from authz.web.forms import PlainForm, long_text


def _number(label: str, *, is_required: bool) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text="With its area code, such as 1-800-555-0100.",
        max_length=LONGEST_NUMBER,
        required=is_required,
        widget=forms.TextInput({"type": "tel", "class": "short"}),
        error_messages={"required": "Give a number."},
    )


class ContactForm(PlainForm):
    """What letters print; what is right is the contact's own to say."""

    postal_address = long_text(
        "Postal address",
        most=LONGEST_ADDRESS,
        hint="To whom, the street or the box, and the city with its ZIP code, each on its own line.",
    )
    phone = _number("Phone", is_required=True)
    hours = forms.CharField(
        label="When are calls answered?",
        help_text="Such as: Monday to Friday, 8 am to 8 pm.",
        max_length=LONGEST_HOURS,
        required=False,
    )
    fax = _number("Fax", is_required=False)

    def __init__(self, contact: Contact | None, posted: Mapping[str, Any] | None = None) -> None:
        initial = asdict(contact) if contact else None
        super().__init__(posted, auto_id="contact-%s", label_suffix="", initial=initial)

    def contact(self) -> Contact:
        """Return what was said.

        :raises InvalidInput: naming each field that is not right.
        """
        return Contact(**self.cleaned_data)
