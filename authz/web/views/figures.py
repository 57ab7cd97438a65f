"""How requests were decided, how often late, and how long it took: as pictures, as tables, and as CSV."""

from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from authz.errors import InvalidInput
from authz.reporting import selectors
from authz.reporting.figures import Figure, Speed, Tally
from authz.reporting.periods import Every, Period
from authz.reporting.selectors import Block
from authz.reporting.sheet import lines, rounded
from authz.web.bars import Bars, bars
from authz.web.forms import PlainForm
from authz.web.pages import Page
from authz.web.worklist_filters import query

_A_YEAR = timedelta(days=364)
_DAY: Mapping[str, str] = {"required": "Give a day.", "invalid": "Give a day as YYYY-MM-DD."}
_EVERY = {Every.MONTH: "Month by month", Every.QUARTER: "Quarter by quarter", Every.YEAR: "Year by year"}
_SPEED = {Speed.ALL: "All requests", Speed.STANDARD: "Standard", Speed.EXPEDITED: "Expedited"}


class PeriodForm(PlainForm):
    """Of which days, cut how, and of which requests."""

    since = forms.DateField(label="From", widget=forms.DateInput({"type": "date"}), error_messages=dict(_DAY))
    until = forms.DateField(label="To", widget=forms.DateInput({"type": "date"}), error_messages=dict(_DAY))
    period = forms.ChoiceField(label="Told", choices=[(every.value, said) for every, said in _EVERY.items()])
    urgency = forms.ChoiceField(label="Of", choices=[(speed.value, said) for speed, said in _SPEED.items()])

    def __init__(self, sent: Mapping[str, Any], *, today: date) -> None:
        usual = {
            "since": (today - _A_YEAR).replace(day=1).isoformat(),
            "until": today.isoformat(),
            "period": Every.MONTH.value,
            "urgency": Speed.ALL.value,
        }
        super().__init__({name: sent.get(name) or said for name, said in usual.items()}, auto_id="figures-%s")

    def asked(self) -> dict[str, str]:
        """Return what is asked for as an address holds it."""
        return {name: str(self.data[name]) for name in self.fields}


class Figures(Page):
    """The published figures of the reader's organization."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        form = PeriodForm(request.GET, today=self.today())
        blocks = self.blocks(form)
        speed = Speed(form.cleaned_data.get("urgency") or Speed.ALL.value)
        payers = dict.fromkeys(block.payer for block in blocks)
        return self.show(
            "pages/figures.html",
            form=form,
            told=[_told([one for one in blocks if one.payer == payer], speed) for payer in payers],
            sheet=reverse("figures-sheet") + query(form.asked()),
            faults=list(form.faults()),
            status=422 if form.errors else 200,
        )

    def blocks(self, form: PeriodForm) -> list[Block]:
        """Return the figures that are asked for; none where it cannot be, which the form then says.

        :raises Forbidden: when the actor may not read them.
        """
        if not form.is_valid():
            return []
        said = form.cleaned_data
        try:
            return selectors.metrics(self.actor, Period(said["since"], said["until"]), every=Every(said["period"]))
        except InvalidInput as refusal:
            form.refuse(refusal.fields)
            return []


class FiguresSheet(Figures):
    """The same as CSV, with everything that the API tells."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        form = PeriodForm(request.GET, today=self.today())
        blocks = self.blocks(form)
        if form.errors:
            return redirect(reverse("figures") + query(form.asked()))
        sheet = lines(line for block in blocks for line in block.lines)
        answer: HttpResponse | StreamingHttpResponse = StreamingHttpResponse(
            sheet, content_type="text/csv; charset=utf-8"
        )
        answer["Content-Disposition"] = f'attachment; filename="figures-{self.today().isoformat()}.csv"'
        answer["X-Content-Type-Options"] = "nosniff"
        return answer


def _told(blocks: list[Block], speed: Speed) -> dict[str, Any]:
    """Return one payer's figures: two drawings, and a row for each part of the time."""
    tallies = [(_label(block.period), block.tallies[speed]) for block in blocks]
    payer = blocks[0].payer
    return {
        "payer": payer,
        "decided_id": f"decided-{payer.public_id}",
        "times_id": f"times-{payer.public_id}",
        "decided": _drawn_counts(tallies),
        "times": _drawn_times(tallies),
        "rows": [_row(block, block.tallies[speed]) for block in blocks],
    }


def _label(period: Period) -> str:
    return f"{period.since:%b %y}"


def _drawn_counts(tallies: list[tuple[str, Tally]]) -> Bars | None:
    wanted = (Figure.RECEIVED, Figure.DECIDED, Figure.DENIED_FULLY_OR_PARTLY)
    groups = [(label, [tally.counts[figure] for figure in wanted]) for label, tally in tallies]
    series = ["received", "decided", "denied wholly or in part"]
    return bars("Requests received, decided and denied", series, groups, unit="requests")


def _drawn_times(tallies: list[tuple[str, Tally]]) -> Bars | None:
    groups = [(label, [tally.times.median_hours or Fraction(0)]) for label, tally in tallies]
    return bars("Median hours to a decision", ["median hours"], groups, unit="hours")


def _row(block: Block, tally: Tally) -> dict[str, Any]:
    return {
        "period": block.period,
        "received": tally.counts[Figure.RECEIVED],
        "decided": tally.counts[Figure.DECIDED],
        "shares": [
            (tally.counts[figure], rounded(tally.share(figure).percent))
            for figure in (Figure.APPROVED, Figure.DENIED_FULLY_OR_PARTLY, Figure.DECIDED_LATE)
        ],
        "median_hours": rounded(tally.times.median_hours),
        "mean_hours": rounded(tally.times.mean_hours),
    }
