"""PURE: figures as they are published: rounded once, half up, to two decimals; as values and as lines of CSV."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any, Final, NamedTuple

from authz.prior_auths.lifecycle import ACTIVE, State
from authz.reporting.aging import Age, Aging, TimeLeft
from authz.reporting.figures import PERCENTAGES, Figure, Speed, Tally, Times
from authz.reporting.periods import Period
from authz.reporting.productivity import Productivity
from authz.rules.amounts import two_decimals

_TIMES: Final = ("mean_hours", "median_hours", "mean_days", "median_days")
COLUMNS: Final = (
    "payer", "plan_code", "plan", "since", "until", "urgency", *Figure,
    *(f"{figure}_percent" for figure in PERCENTAGES), *_TIMES,
)  # fmt: skip
AGING_COLUMNS: Final = ("as_of", "state", "requests", *Age, *TimeLeft)
WORK_COLUMNS: Final = (
    "since", "until", "person", "requests", "touches", "touches_mean", "touches_median",
    *(f"{span}_{told}" for span in ("opened_to_submitted", "submitted_to_decided")
      for told in ("requests", "mean_hours", "median_hours")),
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


class Line(NamedTuple):
    """What one line of the sheet tells; no plan is all of a payer's together."""

    payer: str
    plan_code: str
    plan: str
    period: Period
    speed: Speed
    tally: Tally


def rounded(amount: Fraction | None) -> str | None:
    """Return an amount as it is published; None where there is none."""
    return None if amount is None else two_decimals(amount)


def published(tally: Tally) -> dict[str, Any]:
    """Return counts, percentages and times to a decision. A day is 24 hours. Of nothing there is no value."""
    return {
        "counts": {figure.value: tally.counts[figure] for figure in Figure},
        "percentages": {figure.value: _percentage(tally, figure) for figure in PERCENTAGES},
        "time_to_decision": _times(tally),
    }


def lines(sheet: Iterable[Line]) -> Iterator[str]:
    """Yield the sheet as CSV (RFC 4180), its heading first."""
    return written(COLUMNS, (_cells(line) for line in sheet))


def aging_cells(found: Aging, *, now: datetime) -> Iterator[list[str]]:
    """Yield a line for each state of an open request: how many are in it, how old, and how much time is left."""
    for state in (state for state in State if state in ACTIVE):
        ages, left = found.of_state(state), found.left_of(state)
        counts = (ages.total(), *(ages[age] for age in Age), *(left[one] for one in TimeLeft))
        yield [now.isoformat(timespec="seconds"), state.value, *map(str, counts)]


def work_cells(period: Period, total: Productivity, people: Iterable[tuple[str, int, int]]) -> Iterator[list[str]]:
    """Yield a line for all the work on a clinic's requests, then one a person: their name, requests and touches."""
    days = [period.since.isoformat(), period.until.isoformat()]
    of_all = [rounded(total.mean_touches) or "", rounded(total.median_touches) or ""]
    elapsed = [cell for times in (total.to_submit, total.to_decide) for cell in _elapsed(times)]
    yield [*days, "", str(len(total.touches)), str(sum(total.touches)), *of_all, *elapsed]
    for name, requests, touched in people:
        yield [*days, safe(name), str(requests), str(touched), *[""] * (len(of_all) + len(elapsed))]


def written(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """Yield rows as CSV (RFC 4180), their heading first."""
    writer = csv.writer(_Passed())
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow(row)


def safe(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: one that looks like it gets an apostrophe in front."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _percentage(tally: Tally, figure: Figure) -> dict[str, Any]:
    share = tally.share(figure)
    return {
        "numerator": share.numerator,
        "denominator": share.denominator,
        "percent": rounded(share.percent),
    }


def _times(tally: Tally) -> dict[str, str | None]:
    mean, median = tally.times.mean_hours, tally.times.median_hours
    exact = (mean, median, mean and mean / 24, median and median / 24)
    return {name: rounded(amount) for name, amount in zip(_TIMES, exact, strict=True)}


def _elapsed(times: Times) -> list[str]:
    return [str(len(times.microseconds)), rounded(times.mean_hours) or "", rounded(times.median_hours) or ""]


def _cells(line: Line) -> list[object]:
    told: Mapping[str, Any] = published(line.tally)
    return [
        *(safe(text) for text in (line.payer, line.plan_code, line.plan)),
        line.period.since.isoformat(),
        line.period.until.isoformat(),
        line.speed.value,
        *told["counts"].values(),
        *(percentage["percent"] for percentage in told["percentages"].values()),
        *told["time_to_decision"].values(),
    ]


class _Passed:
    """A file that keeps nothing: what is written comes back at once."""

    def write(self, text: str) -> str:
        return text
