"""PURE: figures as upright bars, group by group: where everything stands, and what the drawing says in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Final

HEIGHT: Final = 150
LEFT: Final = 44
_TOP, _BAR, _GAP, _LEGEND = 12, 14, 12, 26
_LABEL: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar; `kind` is the place of its series."""

    x: int
    y: int
    width: int
    height: int
    kind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A word at a place beside an axis."""

    at: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """A drawing in its own units, which are pixels at full size."""

    title: str
    description: str
    series: list[str]
    bars: list[Bar]
    labels: list[Mark]
    levels: list[Mark]
    width: int
    height: int
    foot: int


def bars(title: str, series: Sequence[str], groups: Sequence[tuple[str, Sequence[Fraction | int]]]) -> Bars | None:
    """Return a drawing of the groups in their order, each with one value a series; None without any value.

    Of what there are so many, or how long it took, the title or the series says.
    """
    values = [value for _, row in groups for value in row]
    if not any(values):
        return None
    top = _round_up(max(values))
    step = _BAR * len(series) + _GAP
    scale = Fraction(HEIGHT, top)
    foot = _TOP + HEIGHT
    drawn = [
        Bar(
            x=LEFT + _GAP // 2 + number * step + place * _BAR,
            y=foot - round(value * scale),
            width=_BAR - 2,
            height=round(value * scale),
            kind=place,
        )
        for number, (_, row) in enumerate(groups)
        for place, value in enumerate(row)
    ]
    every = ceil(Fraction(_LABEL, step))
    return Bars(
        title=title,
        description=_description(series, groups),
        series=list(series),
        bars=drawn,
        labels=[
            Mark(at=LEFT + _GAP // 2 + number * step, label=label)
            for number, (label, _) in enumerate(groups)
            if number % every == 0
        ],
        levels=[Mark(at=foot - round(level * scale), label=_said(level)) for level in (0, Fraction(top, 2), top)],
        width=max(320, LEFT + len(groups) * step + 40),
        height=foot + _LEGEND,
        foot=foot,
    )


def _description(series: Sequence[str], groups: Sequence[tuple[str, Sequence[Fraction | int]]]) -> str:
    told = []
    for place, name in enumerate(series):
        label, row = max(groups, key=lambda group: group[1][place])
        told.append(f"{name.capitalize()}: at most {_said(row[place])}, {label}.")
    return " ".join(told)


def _round_up(most: Fraction | int) -> int:
    """Return a round number that nothing exceeds: 2, 4, 10, 20, 40, 100 …"""
    size = 1
    while True:
        for step in (2, 4, 10):
            if most <= step * size:
                return step * size
        size *= 10


def _said(value: Fraction | int) -> str:
    return f"{float(value):.1f}".removesuffix(".0")
