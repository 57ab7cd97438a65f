"""Why a request, or one line of it, was decided so: the fields that ask it, and what they say."""

from collections.abc import Mapping
from typing import Any, Final

from django import forms

from authz.policies.reasons import LibraryReason
from authz.prior_auths.determination import Reason
from authz.web.forms import long_text

_LONGEST_CRITERION: Final = 500


def reason_fields(place: str, library: Mapping[str, LibraryReason], *, of: str = "") -> dict[str, forms.Field]:
    """Return the fields of a reason, named after its place; of a line (`of`), where it has another than the whole."""
    sentence = long_text(
        f"{of}reason in one plain sentence".capitalize(),
        hint="The patient can read it. Left empty, it is the library's sentence.",
    )
    sentence.required = False
    return {
        f"{place}.code": forms.ChoiceField(
            label=f"{of}another reason" if of else "Reason",
            choices=[
                ("", "The same as of the whole" if of else "Choose one"),
                *((code, f"{code}: {known.text}") for code, known in library.items()),
            ],
            required=not of,
            error_messages={"required": "Choose a reason."},
        ),
        f"{place}.text": sentence,
        f"{place}.criterion": forms.CharField(
            label=f"{of}the criterion it rests on".capitalize(),
            help_text="The clause of the policy, such as 2.3 Quantity limits. Left empty, it is the library's.",
            max_length=_LONGEST_CRITERION,
            required=False,
        ),
    }


def reason_said(place: str, said: Mapping[str, Any], library: Mapping[str, LibraryReason]) -> Reason:
    """Return the reason that was said in the fields of a place, in the library's words where they are empty."""
    known = library[said[f"{place}.code"]]
    text, criterion = said[f"{place}.text"] or known.text, said[f"{place}.criterion"] or known.criterion
    return Reason(code=known.code, text=text, criterion=criterion)
