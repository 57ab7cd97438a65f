"""The worklist's filters as a form, and as the address that holds them."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django import forms
from django.http import QueryDict

from authz.prior_auths.lifecycle import ACTIVE, State
from authz.prior_auths.wanted import NOBODY, Ball, Due, Show, Wanted
from authz.prior_auths.worklist import Choice, Choices
from authz.web import words
from authz.web.forms import PlainForm
from authz.web.sealed_words import unsealed

SEARCH: Final = "search"
_LONGEST_SEARCH: Final = 100
_UNKNOWN: Final = {"invalid_choice": "It is not known here, so the list is not narrowed by it."}


class FiltersForm(PlainForm):
    """By what the list is narrowed. A filter that is not known is named, and left out."""

    show = forms.ChoiceField(
        choices=[(show.value, words.SHOW[show]) for show in Show],
        required=False,
        widget=forms.HiddenInput,
        error_messages=_UNKNOWN,
        label="Part",
    )

    def __init__(self, sent: Mapping[str, Any], choices: Choices, *, me: UUID) -> None:
        super().__init__(sent, auto_id="filter-%s", label_suffix="")
        states = [(state.value, words.STATUS[state].words) for state in State if state in ACTIVE]
        colleagues = [(str(me), "Me"), *(pair for pair in _pairs(choices.colleagues) if pair[0] != str(me))]
        offered = {
            "state": ("Status", "Any status", states),
            "ball": ("Who has the ball", "Anybody", [(ball.value, words.BALL[ball]) for ball in Ball]),
            "due": ("Due", "At any time", [(due.value, words.DUE[due]) for due in Due]),
            "assignee": ("Works on it", "Anybody", [*colleagues, (NOBODY, "Nobody yet")]),
            "prescriber": ("Prescriber", "Any prescriber", _pairs(choices.prescribers)),
            "payer": ("Payer", "Any payer", _pairs(choices.payers)),
        }
        for name, (label, nothing, offers) in offered.items():
            self.fields[name] = forms.ChoiceField(
                label=label, choices=[("", nothing), *offers], required=False, error_messages=_UNKNOWN
            )

    def wanted(self) -> Wanted:
        """Return what is wanted, by all that could be read."""
        self.full_clean()
        said: dict[str, str] = {name: value for name, value in self.cleaned_data.items() if value}
        kinds: dict[str, Any] = {
            "show": Show, "state": State, "ball": Ball, "due": Due, "assignee": str, "prescriber": UUID, "payer": UUID,
        }  # fmt: skip
        return Wanted(
            search=unsealed(self.data.get(SEARCH, "")), **{name: kinds[name](value) for name, value in said.items()}
        )


class SearchForm(PlainForm):
    """What to look for. It names patients, so it is sent as a form and never part of an address as it was typed."""

    words = forms.CharField(
        label="Search",
        max_length=_LONGEST_SEARCH,
        required=False,
        widget=forms.TextInput({"type": "search", "autocomplete": "off", "spellcheck": "false"}),
        help_text="Patient, member, product, request or authorization",
    )


def query(kept: Mapping[str, str], **changed: str) -> str:
    """Return the filters as the end of an address, with some of them changed; what is empty is left out."""
    told = QueryDict(mutable=True)
    for name, value in {**kept, **changed}.items():
        if value:
            told[name] = value
    return f"?{told.urlencode()}" if told else "?"


def kept(sent: Mapping[str, str]) -> dict[str, str]:
    """Return what an address says of the filters."""
    names = (SEARCH, "show", "state", "ball", "due", "assignee", "prescriber", "payer")
    return {name: sent[name] for name in names if sent.get(name)}


def _pairs(choices: list[Choice]) -> list[tuple[str, str]]:
    return [(str(choice.id), choice.name) for choice in choices]
