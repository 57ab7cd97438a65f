"""PURE: where things stand in the opioid-days chart. Lengths are the drawing's own units; the template only prints."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from authz.web import words
from authz.web.opioid_days import UseDay

CELL = 26
"""Width of one day."""
MOST_DAYS = 120
"""A longer stretch shows its last days only: a wider drawing helps nobody."""

_LEFT = 8
_TOP = 26
_BAR = 22
_CELL_HEIGHT = 26
_FOOT = 46
_GAP = 5
_LETTER = 7  # the width of a letter, rather too wide than too narrow
_LEAST_WIDTH = 420  # so that a supply of few days has room for its name


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """What was dispensed or ordered: its name, first day and days."""

    name: str
    starts_on: date
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One supply, drawn over its days. Its name may reach beyond them: it ends at `name_x` if `is_name_before`."""

    x: int
    y: int
    width: int
    label: str
    name_x: int
    is_name_before: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One covered day with its number."""

    x: int
    day: UseDay


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A day of the calendar, named under the cells."""

    x: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Everything the drawing needs. `limit_x` and `today_x` are None when they lie outside it."""

    width: int
    height: int
    cells_y: int
    cell: int
    cell_height: int
    bars: list[Bar]
    cells: list[Cell]
    ticks: list[Tick]
    limit_x: int | None
    limit: int
    today_x: int | None
    title: str
    description: str
    is_cut: bool


def chart(days: Sequence[UseDay], supplies: Iterable[Supply], *, limit: int, today: date) -> Chart | None:
    """Return the drawing of one stretch of use; None when there is no day to draw."""
    if not days:
        return None
    last = days[-1].on
    first = max(days[0].on, date.fromordinal(last.toordinal() - MOST_DAYS + 1))
    shown = [day for day in days if day.on >= first]
    width = max(_LEAST_WIDTH, 2 * _LEFT + CELL * ((last - first).days + 1))
    bars = _bars(supplies, first, last, width)
    cells_y = _TOP + _BAR * len(bars)
    beyond = next((day.on for day in days if day.is_beyond), None)
    return Chart(
        width=width,
        height=cells_y + _CELL_HEIGHT + _FOOT,
        cells_y=cells_y,
        cell=CELL,
        cell_height=_CELL_HEIGHT,
        bars=bars,
        cells=[Cell(x=_x(day.on, first), day=day) for day in shown],
        ticks=_ticks(first, last),
        limit_x=_x(beyond, first) if beyond and beyond >= first else None,
        limit=limit,
        today_x=_x(today, first) + CELL // 2 if first <= today <= last else None,
        title=f"Days of opioid use from {words.day(days[0].on)} to {words.day(last)}",
        description=_description(days, limit),
        is_cut=first > days[0].on,
    )


def _x(on: date, first: date) -> int:
    return _LEFT + CELL * (on - first).days


def _bars(supplies: Iterable[Supply], first: date, last: date, room: int) -> list[Bar]:
    bars: list[Bar] = []
    for supply in supplies:
        stop = min(supply.starts_on.toordinal() + supply.days, last.toordinal() + 1)
        start = max(supply.starts_on.toordinal(), first.toordinal())
        if start < stop:
            x, y = _x(date.fromordinal(start), first), _TOP + _BAR * len(bars)
            bars.append(_bar(supply.name, x, y, CELL * (stop - start), room))
    return bars


def _bar(label: str, x: int, y: int, width: int, room: int) -> Bar:
    is_before = x + _GAP + _LETTER * len(label) > room
    name_x = x + width - _GAP if is_before else x + _GAP
    return Bar(x=x, y=y, width=width, label=label, name_x=name_x, is_name_before=is_before)


def _ticks(first: date, last: date) -> list[Tick]:
    days = range(0, (last - first).days + 1, 7)
    marked = [date.fromordinal(first.toordinal() + offset) for offset in days]
    return [Tick(x=_x(on, first), label=f"{on:%b} {on.day}") for on in marked]


def _description(days: Sequence[UseDay], limit: int) -> str:
    needing = [day for day in days if day.needs_authorization]
    counted = f"{words.counted(len(days), 'covered day')}; the limit is {limit}."
    if not needing:
        return f"{counted} No day needs authorization."
    return f"{counted} {words.counted(len(needing), 'day')} from {words.day(needing[0].on)} on need authorization."
