"""PURE: figures as they are published: rounded once, half up, to two decimals; as values and as lines of CSV."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any, Final, NamedTuple

from authz.reporting.figures import PERCENTAGES, Figure, Speed, Tally
from authz.reporting.periods import Period
from authz.rules.mme import two_decimals

_TIMES: Final = ("mean_hours", "median_hours", "mean_days", "median_days")
COLUMNS: Final = (
    "payer", "plan_code", "plan", "since", "until", "urgency", *Figure,
    *(f"{figure}_percent" for figure in PERCENTAGES), *_TIMES,
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
