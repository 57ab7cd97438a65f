"""Oral morphine milligram equivalents a day, exactly (step 14).

Amounts are whole numbers over one common denominator until the end: as exact as fractions and many times faster.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import lcm

from authz.rules.formulary import METHADONE_TIERS, FactorSource, Product
from authz.rules.placement import Placed, shifted
from authz.rules.policy import MmeOverlap, MmeTable, Policy
from authz.rules.selection import Supply


@dataclass(frozen=True, slots=True)
class Part:
    """What one supply adds on each of its days, half-open ordinals.

    `amount` is numerator and denominator of its MME (of its mg where `by_tier`); None when it cannot be told, which
    leaves the day incomplete. A product without MME by rule adds nothing and leaves it complete.
    """

    supply: Supply
    first: int
    stop: int
    amount: tuple[int, int] | None
    by_tier: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """Days in a row of one amount, exact over the totals' `scale`; `first` and `stop` are half-open ordinals."""

    first: int
    stop: int
    amount: int
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """The daily totals in order, run-length encoded over consecutive days of one exact amount and completeness."""

    runs: Sequence[Run]
    scale: int

    def amount(self, run: Run) -> Fraction:
        """Return the exact MME a day of one of the runs."""
        return Fraction(run.amount, self.scale)

    def days_at_least(self, threshold: int) -> int:
        """Return on how many days the exact amount reaches the threshold."""
        return sum(run.stop - run.first for run in self.runs if run.amount >= threshold * self.scale)


def parts_of(supplies: Sequence[Supply], policy: Policy) -> list[Part]:
    """Return what each counted supply, given in (start, id) order, adds and on which days."""
    return [_part(item, policy.mme_table) for item in _placed(supplies, policy)]


def _placed(supplies: Sequence[Supply], policy: Policy) -> list[Placed]:
    if policy.mme_overlap is MmeOverlap.SHIFT_SAME_PRODUCT:
        return shifted(supplies, lambda supply: supply.record.rxcui)
    return [(*supply.span, supply) for supply in supplies]


def _part(item: Placed, table: MmeTable) -> Part:
    first, stop, supply = item
    product, quantity = supply.product, supply.record.quantity
    if product is not None and product.has_no_mme_by_rule:
        return Part(supply, first, stop, (0, 1))
    if product is None or (worth := product.worth(table)) is None or quantity is None or quantity <= 0:
        return Part(supply, first, stop, None)
    units, unit = quantity.as_integer_ratio()
    return Part(supply, first, stop, (units * worth[0], unit * worth[1] * supply.days), product.uses_tiers(table))


def totals_of(parts: Iterable[Part]) -> Totals:
    """Return what all parts together amount to on each day."""
    steps, scale = _steps(parts)
    runs: list[Run] = []
    plain = by_tier = unknown = open_parts = 0
    days = sorted(steps)
    for day, next_day in pairwise(days):
        step = steps[day]
        plain, by_tier, unknown, open_parts = (
            plain + step[0],
            by_tier + step[1],
            unknown + step[2],
            open_parts + step[3],
        )
        if open_parts:
            _append(runs, day, next_day, plain + by_tier * _tier(by_tier, scale), not unknown)
    return Totals(runs, scale)


def _steps(parts: Iterable[Part]) -> tuple[dict[int, list[int]], int]:
    """Return each day's change (amount, amount by tier, unknown parts, parts) and the common denominator."""
    listed = list(parts)
    scale = lcm(*(part.amount[1] for part in listed if part.amount))
    steps: dict[int, list[int]] = {}
    for part in listed:
        amount = part.amount[0] * (scale // part.amount[1]) if part.amount else 0
        change = (0 if part.by_tier else amount, amount if part.by_tier else 0, 0 if part.amount else 1, 1)
        for day, sign in ((part.first, 1), (part.stop, -1)):
            at = steps.setdefault(day, [0, 0, 0, 0])
            for place, value in enumerate(change):
                at[place] += sign * value
    return steps, scale


def _tier(amount: int, scale: int) -> int:
    """Return methadone's factor for `amount` / `scale` mg a day, all of the day's methadone together."""
    return next(factor for most, factor in METHADONE_TIERS if most is None or amount <= most * scale)


def _append(runs: list[Run], first: int, stop: int, amount: int, is_complete: bool) -> None:
    last = runs[-1] if runs else None
    if last and last.stop == first and last.amount == amount and last.is_complete == is_complete:
        runs[-1] = Run(last.first, stop, amount, is_complete)
    else:
        runs.append(Run(first, stop, amount, is_complete))


def two_decimals(amount: Fraction) -> str:
    """Return a non-negative amount with two decimals, rounded half up: 20/3 is "6.67", 0.125 is "0.13"."""
    hundredths = (200 * amount.numerator + amount.denominator) // (2 * amount.denominator)
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def factor_source(product: Product | None, table: MmeTable) -> FactorSource | None:
    """Return where the product's factor under the table was read; None when it has none."""
    factor = product.factors.get(table) if product else None
    return factor.source if factor else None


def has_unusual_patch_wear(supply: Supply) -> bool:
    """Return whether a patch's days' supply is not three days for each patch, for which alone its factor is right."""
    quantity = supply.record.quantity
    if supply.product is None or not supply.product.is_rated_patch or quantity is None or quantity <= 0:
        return False
    return supply.days != 3 * quantity
