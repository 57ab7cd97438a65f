"""PURE: where things stand in the opioid-days chart. Lengths are the drawing's own units; the template only prints."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Final

from authz.web import formats
from authz.web.opioid_days import UseDay

MOST_DAYS = 120
"""A longer stretch shows its last days only: a wider drawing helps nobody."""
CAUTION, CARE = 50, 90
"""MME a day from which the CDC advises caution, and CMS coordination of care."""

_LEAST_CELL, _MOST_CELL, _ROOM = 26, 44, 900  # few days are drawn wider
_LEFT = 30
_TOP = 38  # above the bars, the words of the limit and of today, one below the other
_BAR = 24
_CELL_HEIGHT = 28
_UNDER_CELLS = 44  # the marks, and the days of the calendar
_BAND = 64
_FOOT = 8
_GAP = 6
_LINE = 13  # the height of a line of text
_TODAY = "today"
_LETTER = 7  # the width of a letter, rather too wide than too narrow
_LEAST_WIDTH = 420  # so that a supply of few days has room for its name


class Standing(StrEnum):
    """What a bar stands for: each has a shape of its own."""

    FILLED = "filled"
    PENDING = "pending"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """What was dispensed, ordered or only planned: its name, first day and days."""

    name: str
    starts_on: date
    days: int
    standing: Standing = Standing.FILLED


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One supply, drawn over its days. Its name may reach beyond them: it ends at `name_x` if `is_name_before`."""

    x: int
    y: int
    width: int
    label: str
    name_x: int
    is_name_before: bool
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One covered day: its number, and below it how high its MME stands."""

    x: int
    middle: int
    day: UseDay
    mme_y: int
    mme_height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A day of the calendar, named under the cells."""

    x: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A line across the band of MME. Its amount stands on the left, or where that is taken on the right."""

    y: int
    amount: int
    is_right: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An upright line with a word above it, which ends at `word_x` if `is_before`, and else begins there."""

    x: int
    word: str
    word_x: int
    is_before: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Everything the drawing needs. `limit_mark` and `today_mark` are None when they lie outside it."""

    width: int
    height: int
    right: int
    cells_y: int
    ticks_y: int
    band_y: int
    band_end: int
    cell: int
    cell_height: int
    bars: list[Bar]
    cells: list[Cell]
    ticks: list[Tick]
    levels: list[Level]
    limit_mark: Mark | None
    today_mark: Mark | None
    title: str
    description: str
    is_cut: bool
    standings: list[Standing]


@dataclass(frozen=True, slots=True)
class _Scale:
    first: date
    cell: int

    def x(self, on: date) -> int:
        return _LEFT + self.cell * (on - self.first).days


def chart(days: Sequence[UseDay], supplies: Iterable[Supply], *, limit: int, today: date) -> Chart | None:
    """Return the drawing of one stretch of use; None when there is no day to draw."""
    if not days:
        return None
    last = days[-1].on
    first = max(days[0].on, date.fromordinal(last.toordinal() - MOST_DAYS + 1))
    shown = [day for day in days if day.on >= first]
    span = (last - first).days + 1
    scale = _Scale(first, min(_MOST_CELL, max(_LEAST_CELL, _ROOM // span)))
    drawn = list(_drawn(supplies, scale, last))
    right = max(_LEAST_WIDTH, scale.x(last) + scale.cell, *(_needed(*one) for one in drawn)) + _LEFT
    bars = [_bar(*one, y=_TOP + _BAR * row, room=right) for row, one in enumerate(drawn)]
    cells_y = _TOP + _BAR * len(bars)
    band_y = cells_y + _CELL_HEIGHT + _UNDER_CELLS + 12
    beyond = next((day.on for day in days if day.is_beyond), None)
    most = max(max(Fraction(day.mme) for day in shown), Fraction(CARE)) * Fraction(11, 10)
    limit_x = scale.x(beyond) if beyond and beyond >= first else None
    today_x = scale.x(today) + scale.cell // 2 if first <= today <= last else None
    limit_mark, today_mark = _marks(limit_x, f"limit {limit}", today_x)
    return Chart(
        width=right,
        height=band_y + _BAND + _FOOT,
        right=right - _LEFT,
        cells_y=cells_y,
        ticks_y=cells_y + _CELL_HEIGHT + _UNDER_CELLS - 10,
        band_y=band_y,
        band_end=band_y + _BAND,
        cell=scale.cell,
        cell_height=_CELL_HEIGHT,
        bars=bars,
        cells=[_cell(day, scale, band_y + _BAND, most) for day in shown],
        ticks=_ticks(scale, last),
        levels=_levels(band_y + _BAND, most),
        limit_mark=limit_mark,
        today_mark=today_mark,
        title=_title(days, limit),
        description=_description(days, limit),
        is_cut=first > days[0].on,
        standings=sorted({bar.standing for bar in bars}, key=list(Standing).index),
    )


def _cell(day: UseDay, scale: _Scale, floor: int, most: Fraction) -> Cell:
    x, height = scale.x(day.on), _height(Fraction(day.mme), most)
    return Cell(x=x, middle=x + scale.cell // 2, day=day, mme_y=floor - height, mme_height=height)


def _height(amount: Fraction, most: Fraction) -> int:
    return round(_BAND * amount / most)


def _levels(floor: int, most: Fraction) -> list[Level]:
    lower, upper = (floor - _height(Fraction(amount), most) for amount in (CAUTION, CARE))
    return [
        Level(y=lower, amount=CAUTION, is_right=False),
        Level(y=upper, amount=CARE, is_right=lower - upper < _LINE),
    ]


def _marks(limit_x: int | None, limit: str, today_x: int | None) -> tuple[Mark | None, Mark | None]:
    """Return the marks of the limit and of today, each word within the drawing, and no line through the lower one."""
    wide, narrow = (_LETTER * len(word) + _GAP for word in (limit, _TODAY))
    is_crossed = limit_x is not None and today_x is not None and 0 <= limit_x - today_x < narrow
    return (
        None if limit_x is None else _mark(limit_x, limit, is_before=limit_x >= wide),
        None if today_x is None else _mark(today_x, _TODAY, is_before=is_crossed),
    )


def _mark(x: int, word: str, *, is_before: bool) -> Mark:
    return Mark(x=x, word=word, word_x=x - _GAP if is_before else x + _GAP, is_before=is_before)


def _drawn(supplies: Iterable[Supply], scale: _Scale, last: date) -> Iterator[tuple[Supply, int, int]]:
    """Yield of each supply that is drawn where it begins, and its width."""
    for supply in supplies:
        stop = min(supply.starts_on.toordinal() + supply.days, last.toordinal() + 1)
        start = max(supply.starts_on.toordinal(), scale.first.toordinal())
        if start < stop:
            yield supply, scale.x(date.fromordinal(start)), scale.cell * (stop - start)


_SAID: Final = {Standing.FILLED: "", Standing.PENDING: " (ordered, pending)", Standing.PLANNED: " (planned)"}


def _label(supply: Supply) -> str:
    return f"{supply.name}{_SAID[supply.standing]}"


def _needed(supply: Supply, x: int, width: int) -> int:
    """Return how far the drawing must reach for a name that has no room to end with its bar."""
    length = _GAP + _LETTER * len(_label(supply))
    return 0 if x + width >= length else x + length


def _bar(supply: Supply, x: int, width: int, *, y: int, room: int) -> Bar:
    label = _label(supply)
    is_before = x + _GAP + _LETTER * len(label) > room
    name_x = x + width - _GAP if is_before else x + _GAP
    return Bar(x=x, y=y, width=width, label=label, name_x=name_x, is_name_before=is_before, standing=supply.standing)


def _ticks(scale: _Scale, last: date) -> list[Tick]:
    days = range(0, (last - scale.first).days + 1, 7)
    marked = [date.fromordinal(scale.first.toordinal() + offset) for offset in days]
    return [Tick(x=scale.x(on), label=f"{on:%b} {on.day}") for on in marked]


def _title(days: Sequence[UseDay], limit: int) -> str:
    needing = [day for day in days if day.needs_authorization]
    beyond = next((day for day in days if day.is_beyond), None)
    if needing:
        need = "needs" if len(needing) == 1 else "need"
        counted = formats.counted(len(needing), "day")
        return f"{counted} from {formats.day(needing[0].on)} on {need} authorization: beyond the limit of {limit}"
    if beyond:
        return f"No day needs authorization: what is beyond the limit of {limit} is released"
    return f"No day needs authorization: {formats.counted(len(days), 'covered day')}, within the limit of {limit}"


def _description(days: Sequence[UseDay], limit: int) -> str:
    needing = [day for day in days if day.needs_authorization]
    counted = f"{formats.counted(len(days), 'covered day')}; the limit is {limit}."
    need = "need" if len(needing) != 1 else "needs"
    needed = (
        f"{formats.counted(len(needing), 'day')} from {formats.day(needing[0].on)} on {need} authorization."
        if needing
        else "No day needs authorization."
    )
    return f"{counted} {needed} {_dose(days)}"


def _dose(days: Sequence[UseDay]) -> str:
    peak = max(days, key=lambda day: Fraction(day.mme))
    amount = Fraction(peak.mme)
    least = "" if all(day.is_mme_whole for day in days) else "at least "
    level = f"from {CARE} up" if amount >= CARE else f"from {CAUTION} up" if amount >= CAUTION else f"below {CAUTION}"
    return f"The most a day is {least}{formats.trimmed(peak.mme)} MME, which is {level}."
