"""Why a request, or one line of it, was decided so: the fields that ask it, and what they say."""

from collections.abc import Mapping
from typing import Any, Final

from django import forms

from authz.policies.reasons import LibraryReason
from authz.prior_auths.determination import Reason
from authz.web.forms import long_text

_LONGEST_CRITERION: Final = 500
_LONGEST_CHANGE: Final = 1000


def reason_fields(place: str, library: Mapping[str, LibraryReason], *, of: str = "") -> dict[str, forms.Field]:
    """Return the fields of a reason, named after its place; of a line (`of`), where it has another than the whole."""
    sentence = long_text(
        _label(of, "Reason in one plain sentence"),
        hint="The patient can read it. Left empty, it is the library's sentence.",
    )
    change = long_text(
        _label(of, "What would change it"),
        most=_LONGEST_CHANGE,
        hint="It stands in the letter. Left empty, it is the library's sentence.",
        rows=2,
    )
    sentence.required = change.required = False
    return {
        f"{place}.code": forms.ChoiceField(
            label=_label(of, "Another reason" if of else "Reason"),
            choices=[
                ("", "The same as of the whole" if of else "Choose one"),
                *((code, f"{code}: {known.text}") for code, known in library.items()),
            ],
            required=not of,
            error_messages={"required": "Choose a reason."},
        ),
        f"{place}.text": sentence,
        f"{place}.criterion": forms.CharField(
            label=_label(of, "The criterion it rests on"),
            help_text="The clause of the policy, such as 2.3 Quantity limits. Left empty, it is the library's.",
            max_length=_LONGEST_CRITERION,
            required=False,
        ),
        f"{place}.would_change": change,
    }


def _label(of: str, said: str) -> str:
    return f"{of}: {said[0].lower()}{said[1:]}" if of else said


def words_on(place: str, said: Mapping[str, Any]) -> bool:
    """Say whether anything beside its code was said in the fields of a place."""
    return any(said.get(f"{place}.{name}") for name in ("text", "criterion", "would_change"))


def reason_said(place: str, said: Mapping[str, Any], library: Mapping[str, LibraryReason]) -> Reason:
    """Return the reason that was said in the fields of a place, in the library's words where they are empty."""
    known = library[said[f"{place}.code"]]
    text, criterion = said[f"{place}.text"] or known.text, said[f"{place}.criterion"] or known.criterion
    return Reason(code=known.code, text=text, criterion=criterion, would_change=said[f"{place}.would_change"])
