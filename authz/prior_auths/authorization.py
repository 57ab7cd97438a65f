"""PURE: what use draws on what was granted: how much of an authorization is left, and on which days it releases.

Use is what the rule counts, on the days on which it counts it. Nothing of this is kept: it is counted anew each time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from authz.rules.formulary import Formulary
from authz.rules.placement import Placed, place
from authz.rules.records import AuthorizedPeriod, Case
from authz.rules.selection import Ledger, Supply, read_supplies
from authz.rules.spans import merged

RENEWAL_DAYS: Final = 7
"""So many of the last days, but at most the second half, are the renewal window: the product's choice, no law's."""


class Standing(StrEnum):
    ACTIVE = "active"
    IN_RENEWAL_WINDOW = "in_renewal_window"
    EXHAUSTED = "exhausted"
    EXPIRED = "expired"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """The right as it was given: both days included, the quantity in the product's units."""

    rxcui: str
    starts_on: date
    ends_on: date
    days: int
    quantity: Decimal | None

    @property
    def renewal_from(self) -> date:
        """Return the first day of the renewal window."""
        return self.ends_on - timedelta(days=max(min(RENEWAL_DAYS, len(self.window) // 2), 1) - 1)

    @property
    def window(self) -> range:
        """Return its days, as ordinals."""
        return range(self.starts_on.toordinal(), self.ends_on.toordinal() + 1)


@dataclass(frozen=True, slots=True)
class Used:
    """What was drawn: days of its window, units, both at most as many as were granted, and the last of those days."""

    days: int
    quantity: Decimal
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """On which days what was granted releases a patient from the limit.

    `authorized` are the records that it covers on each of their days; `withheld` are the days that it would release
    but for something in use that it does not cover, each with the first such record.
    """

    periods: tuple[AuthorizedPeriod, ...] = ()
    authorized: frozenset[str] = frozenset()
    withheld: Mapping[date, str] = field(default_factory=dict)


def use_of(case: Case, formulary: Formulary) -> list[Placed]:
    """Return the supplies that the rule counts, in order, each on the days on which it counts them."""
    as_of = case.as_of.toordinal()
    ledger = Ledger(read_supplies(case.records, case.policy, formulary), case.policy)
    return place(ledger.counted_on(as_of), case.policy, as_of)


def release(case: Case, rights: Sequence[Granted], formulary: Formulary) -> Release:
    """Return what the rights in force release of a case: the days on which they cover every supply in use.

    A right is open until the end of its window, or until the day on which the last of its days is used up.
    """
    if not rights:
        return Release()
    use = use_of(case, formulary)
    drawn = [_Drawn.on(right, rights, use, formulary) for right in rights]
    open_days = {day for one in drawn for day in one.open_days}
    withheld: dict[int, str] = {}
    authorized = set()
    for record_id, days in _uncovered(use, drawn):
        if not days:
            authorized.add(record_id)
        for day in days & open_days:
            withheld.setdefault(day, record_id)
    return Release(
        periods=tuple(_periods(open_days - withheld.keys())),
        authorized=frozenset(authorized),
        withheld={date.fromordinal(day): record_id for day, record_id in withheld.items()},
    )


def used(granted: Granted, *, beside: Sequence[Granted], use: Sequence[Placed], formulary: Formulary) -> Used:
    """Return what was drawn on a right by what was dispensed; an order draws nothing until then.

    `beside` are the rights in force next to it, which may name a product better.
    """
    dispensed = [placed for placed in use if placed[2].is_fill]
    drawn = _Drawn.on(granted, beside, dispensed, formulary)
    # The last supply may hold more than was left: of the right, no more was used than it gives.
    units = drawn.units if granted.quantity is None else min(drawn.units, granted.quantity)
    return Used(len(drawn.spent), units, date.fromordinal(drawn.spent[-1]) if drawn.spent else None)


def standing(granted: Granted, drawn: Used, *, on: date, ended: Standing | None = None) -> Standing:
    """Return how an authorization stands on a day; `ended` is how it was ended before its time, if it was.

    It is exhausted when nothing of it is left and what was dispensed of it is used up, too: a patient who takes what
    was approved is not to look like one who has run out.
    """
    if ended is not None:
        return ended
    if on > granted.ends_on:
        return Standing.EXPIRED
    nothing_left = drawn.days >= granted.days or (granted.quantity is not None and drawn.quantity >= granted.quantity)
    if nothing_left and (drawn.until is None or on > drawn.until):
        return Standing.EXHAUSTED
    return Standing.IN_RENEWAL_WINDOW if on >= granted.renewal_from else Standing.ACTIVE


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What use draws on one right: the days of each record and all of them in order, as ordinals, and the units."""

    right: Granted
    days: Mapping[str, set[int]]
    spent: list[int]
    units: Decimal

    @classmethod
    def on(cls, right: Granted, beside: Sequence[Granted], use: Sequence[Placed], formulary: Formulary) -> "_Drawn":
        days: dict[str, set[int]] = {}
        units = Decimal(0)
        for first, stop, supply in use:
            if right.quantity is not None and units >= right.quantity:
                break  # whatever begins from here on begins once the quantity is used up
            inside = range(max(first, right.window.start), min(stop, right.window.stop))
            days[supply.id] = {day for day in inside if _is_for(right, supply, day, beside, formulary)}
            if supply.is_fill and _is_for(right, supply, supply.start, beside, formulary):
                units += supply.record.quantity or 0
        spent = sorted(set().union(*days.values()))[: right.days]
        return cls(right, {key: own.intersection(spent) for key, own in days.items()}, spent, units)

    @property
    def open_days(self) -> range:
        window, spent = self.right.window, self.spent
        return range(window.start, spent[-1] + 1) if len(spent) >= self.right.days else window


def _is_for(right: Granted, supply: Supply, day: int, beside: Sequence[Granted], formulary: Formulary) -> bool:
    """Say whether a right is for a supply on a day: it names the product, or its ingredient and no other names it."""
    rxcui = supply.record.rxcui
    if day not in right.window or right.rxcui == rxcui:
        return day in right.window
    granted = formulary.product(right.rxcui)
    if granted is None or granted.ingredient_rxcui != _ingredient(supply):
        return False
    return not any(other.rxcui == rxcui and day in other.window for other in beside)


def _uncovered(use: Sequence[Placed], drawn: Sequence[_Drawn]) -> Iterator[tuple[str, set[int]]]:
    """Yield each record with the days on which no right covers it.

    A refill is often fetched some days early: until its own right begins, what is in hand of the ingredient will do.
    """
    covered = {supply.id: {day for one in drawn for day in one.days.get(supply.id, ())} for _, _, supply in use}
    in_hand = dict[str, set[int]]()
    for _, _, supply in use:
        in_hand.setdefault(_ingredient(supply), set()).update(covered[supply.id])
    for first, stop, supply in use:
        own = covered[supply.id]
        early = {day for day in in_hand[_ingredient(supply)] if day < min(own, default=first)}
        yield supply.id, set(range(first, stop)) - own - early


def _ingredient(supply: Supply) -> str:
    return supply.product.ingredient_rxcui if supply.product else ""


def _periods(days: set[int]) -> list[AuthorizedPeriod]:
    spans = merged((day, day + 1) for day in days)
    return [AuthorizedPeriod(start=date.fromordinal(first), end=date.fromordinal(stop - 1)) for first, stop in spans]
