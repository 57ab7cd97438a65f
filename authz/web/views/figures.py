"""How requests were decided, how often late, and how long it took: as pictures, as tables, and as CSV."""

from fractions import Fraction
from typing import Any, Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from authz.errors import InvalidInput
from authz.reporting import selectors
from authz.reporting.figures import PERCENTAGES, Figure, Speed, Tally
from authz.reporting.periods import Every
from authz.reporting.selectors import Block, By
from authz.reporting.sheet import lines, rounded
from authz.web import figure_words
from authz.web.bars import Bars, bars
from authz.web.matrix import Cell, Matrix, MatrixRow, counted
from authz.web.pages import Page
from authz.web.period_form import FiguresForm
from authz.web.sheets import streamed
from authz.web.worklist_filters import query

_CAPTION: Final = (
    "A request counts on the day of its receipt, of its first decision, or of its end without one; percentages are of"
    " those decided"
)


class Figures(Page):
    """The published figures of the reader's organization, each leading to the requests behind it."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        form = FiguresForm(request.GET, today=self.today())
        blocks = self.blocks(form)
        told: dict[tuple[int, int | None], list[Block]] = {}
        for block in blocks:
            told.setdefault((block.payer.pk, block.plan.pk if block.plan else None), []).append(block)
        return self.show(
            "pages/figures.html",
            form=form,
            told=[_told(of_one, form) for of_one in told.values()],
            sheet=reverse("figures-sheet") + query(form.asked()),
            faults=list(form.faults()),
            status=422 if form.errors else 200,
        )

    def blocks(self, form: FiguresForm) -> list[Block]:
        """Return the figures that are asked for; none where it cannot be, which the form then says.

        :raises Forbidden: when the actor may not read them.
        """
        if not form.is_valid():
            return []
        try:
            by = By(form.cleaned_data["by"])
            return selectors.metrics(self.actor, form.days(), every=form.every(), told_by=by)
        except InvalidInput as refusal:
            form.refuse(refusal.fields)
            return []


class FiguresSheet(Figures):
    """The same as CSV, for both speeds and for all."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        form = FiguresForm(request.GET, today=self.today())
        blocks = self.blocks(form)
        if form.errors:
            return redirect(reverse("figures") + query(form.asked()))
        return streamed(self, "figures", lines=lines(line for block in blocks for line in block.lines))


def _told(blocks: list[Block], form: FiguresForm) -> dict[str, Any]:
    """Return the figures of one payer or plan: two drawings, and a column for each part of the time."""
    speed, every, first = Speed(form.cleaned_data["urgency"]), form.every(), blocks[0]
    key, name = (first.plan or first.payer).public_id, _name(first)
    tallies = [(figure_words.of_period(block.period, every), block.tallies[speed]) for block in blocks]
    return {
        "name": name,
        "id": f"figures-{key}",
        "decided_id": f"decided-{key}",
        "times_id": f"times-{key}",
        "decided": _drawn_counts(name, tallies) if every else None,
        "times": _drawn_times(name, tallies) if every else None,
        "matrix": _matrix(f"table-{key}", blocks, speed, every),
    }


def _name(block: Block) -> str:
    return f"{block.payer.name}, {block.plan.name}" if block.plan else block.payer.name


def _drawn_counts(name: str, tallies: list[tuple[str, Tally]]) -> Bars | None:
    wanted = (Figure.RECEIVED, Figure.DECIDED, Figure.DENIED_FULLY_OR_PARTLY)
    groups = [(label, [tally.counts[figure] for figure in wanted]) for label, tally in tallies]
    series = ["received", "decided", "denied wholly or in part"]
    return bars(f"Requests received, decided and denied: {name}", series, groups)


def _drawn_times(name: str, tallies: list[tuple[str, Tally]]) -> Bars | None:
    groups = [(label, [tally.times.median_hours or Fraction(0)]) for label, tally in tallies]
    return bars(f"Median hours to a decision: {name}", ["median hours"], groups)


def _matrix(table_id: str, blocks: list[Block], speed: Speed, every: Every | None) -> Matrix:
    newest_first = blocks[::-1]
    groups = [
        (heading, [_row(figure, newest_first, speed) for figure in figures])
        for heading, figures in figure_words.GROUPS.items()
    ]
    groups[-1][1].extend(_times([block.tallies[speed] for block in newest_first]))
    caption = f"{_name(blocks[0])}{', newest first' if every else ''}. {_CAPTION}"
    columns = [figure_words.of_period(block.period, every) for block in newest_first]
    return Matrix(id=table_id, caption=caption, corner="Figure", columns=columns, groups=groups)


def _row(figure: Figure, blocks: list[Block], speed: Speed) -> MatrixRow:
    return MatrixRow(figure_words.FIGURE[figure], [_cell(figure, block, speed) for block in blocks])


def _cell(figure: Figure, block: Block, speed: Speed) -> Cell:
    tally = block.tallies[speed]
    percent = rounded(tally.share(figure).percent) if figure in PERCENTAGES else None
    asked = {
        "figure": figure.value,
        "urgency": speed.value,
        "since": block.period.since.isoformat(),
        "until": block.period.until.isoformat(),
        "payer": str(block.payer.public_id),
        "plan": str(block.plan.public_id) if block.plan else "",
    }
    address = reverse("figure-requests") + query(asked)
    return counted(tally.counts[figure], address, beside=f"{percent} %" if percent else "")


def _times(tallies: list[Tally]) -> list[MatrixRow]:
    medians, means = ([getattr(one.times, name) for one in tallies] for name in ("median_hours", "mean_hours"))
    return [
        MatrixRow("Hours to a decision, median", [_time(hours) for hours in medians]),
        MatrixRow("Hours to a decision, mean", [_time(hours) for hours in means]),
    ]


def _time(hours: Fraction | None) -> Cell:
    return Cell("None") if hours is None else Cell(rounded(hours) or "", f"{rounded(hours / 24)} days")
