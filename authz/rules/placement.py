"""On which days a counted supply is used, and which supplies belong together (steps 6 to 8)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from authz.rules.policy import Basis, GapAnchor, Overlap, Policy
from authz.rules.selection import Supply
from authz.rules.spans import Span, merged

Placed = tuple[int, int, Supply]
"""A supply with the days it covers: first, stop (half-open), supply."""


def place(supplies: Sequence[Supply], policy: Policy, as_of: int) -> list[Placed]:
    """Return each supply of `supplies`, given in (start, id) order, on the days it covers.

    Under the elapsed basis days after `as_of` are dropped, and a supply left without any day with them.
    """
    placed = (
        shifted(supplies, _ingredient)
        if policy.overlap is Overlap.SHIFT
        else [(*supply.span, supply) for supply in supplies]
    )
    if policy.basis is Basis.PROJECTED:
        return placed
    return [(first, min(stop, as_of + 1), supply) for first, stop, supply in placed if first <= as_of]


def shifted(supplies: Iterable[Supply], kind: Callable[[Supply], str]) -> list[Placed]:
    """Return the supplies so that one in hand is used up before the next of its kind begins.

    Supplies of one date see only what earlier dates left, so those of one kind and one date cover the same days.
    """
    free_from: dict[str, int] = {}
    placed: list[Placed] = []
    for _, group in groupby(supplies, key=_start):
        together = [_after(free_from.get(kind(supply), supply.start), supply) for supply in group]
        for _, stop, supply in together:
            free_from[kind(supply)] = max(stop, free_from.get(kind(supply), stop))
        placed += together
    return placed


def _after(free_from: int, supply: Supply) -> Placed:
    first = max(free_from, supply.start)
    return first, first + supply.days, supply


def _start(supply: Supply) -> int:
    return supply.start


def _ingredient(supply: Supply) -> str:
    return supply.product.ingredient_rxcui if supply.product else ""


@dataclass(slots=True)
class Stretch:
    """An episode in the making: its supplies in (start, id) order, and the days they cover, disjoint and in order."""

    members: list[Placed]
    spans: list[Span]

    @property
    def first(self) -> int:
        """The first covered day."""
        return self.spans[0][0]

    @property
    def stop(self) -> int:
        """The day after the last covered one."""
        return self.spans[-1][1]


def stretches(placed: Sequence[Placed], policy: Policy) -> list[Stretch]:
    """Return the episodes in order of their beginning. A supply belongs to the episode of its first covered day."""
    if policy.gap_anchor is GapAnchor.FILL_DATE:
        return _by_fill_date(placed, policy.gap_days)
    return _by_supply_end(placed, policy.gap_days)


def _by_supply_end(placed: Sequence[Placed], gap_days: int) -> list[Stretch]:
    """Break where at least `gap_days` days in a row are uncovered.

    The order of start dates will do, although supplies may have been shifted: a shifted one follows its predecessor
    without a gap, so the last span always begins at a start date, and no later supply begins before it.
    """
    found: list[Stretch] = []
    for item in placed:
        first, stop, _ = item
        if not found or first - found[-1].stop >= gap_days:
            found.append(Stretch([item], [(first, stop)]))
        else:
            found[-1].members.append(item)
            _cover(found[-1].spans, first, stop)
    return found


def _cover(spans: list[Span], first: int, stop: int) -> None:
    """Add a supply's days, which begin no earlier than the last span."""
    begins, ends = spans[-1]
    if first <= ends:
        spans[-1] = begins, max(ends, stop)
    else:
        spans.append((first, stop))


def _by_fill_date(placed: Sequence[Placed], gap_days: int) -> list[Stretch]:
    """Break where the next supply starts more than `gap_days` after the one before; such episodes may overlap."""
    groups: list[list[Placed]] = []
    for item in placed:
        if not groups or item[2].start - groups[-1][-1][2].start > gap_days:
            groups.append([])
        groups[-1].append(item)
    return [Stretch(group, merged((first, stop) for first, stop, _ in group)) for group in groups]
