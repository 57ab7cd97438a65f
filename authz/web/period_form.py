"""Of which days figures are told, how they are cut and told apart, and of which requests."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from django import forms

from authz.reporting.figures import Speed
from authz.reporting.periods import Every, Period
from authz.reporting.selectors import By
from authz.web import figure_words as words
from authz.web.forms import PlainForm

_A_YEAR: Final = timedelta(days=364)
_DAY: Final = {"required": "Give a day.", "invalid": "Give a day as YYYY-MM-DD."}


def _day(label: str) -> forms.DateField:
    return forms.DateField(label=label, widget=forms.DateInput({"type": "date"}), error_messages=dict(_DAY))


class DaysForm(PlainForm):
    """From a day to a day; what the address leaves out is the last year, to today."""

    since = _day("From")
    until = _day("To")

    def __init__(self, sent: Mapping[str, Any], *, today: date) -> None:
        usual = {"since": (today - _A_YEAR).replace(day=1).isoformat(), "until": today.isoformat(), **self.usual()}
        super().__init__({name: sent.get(name) or said for name, said in usual.items()}, auto_id="figures-%s")

    def usual(self) -> dict[str, str]:
        """Return what holds of the other fields unless the address says otherwise."""
        return {}

    def days(self) -> Period:
        """Return the days.

        :raises InvalidInput: when they end before they begin, or are too many.
        """
        return Period(self.cleaned_data["since"], self.cleaned_data["until"])

    def asked(self) -> dict[str, str]:
        """Return what is asked for as an address holds it."""
        return {name: str(self.data[name]) for name in self.fields}


class FiguresForm(DaysForm):
    """Also how the days are cut, and what is told apart."""

    period = forms.ChoiceField(label="Told", choices=list(words.EVERY.items()))
    by = forms.ChoiceField(label="Apart", choices=[(by.value, said) for by, said in words.BY.items()])
    urgency = forms.ChoiceField(label="Of", choices=[(speed.value, said) for speed, said in words.SPEED.items()])

    def usual(self) -> dict[str, str]:
        return {"period": Every.MONTH.value, "by": By.PAYER.value, "urgency": Speed.ALL.value}

    def every(self) -> Every | None:
        """Return into what the days are cut; None when they are told whole."""
        said = self.cleaned_data["period"]
        return None if said == words.WHOLE else Every(said)
