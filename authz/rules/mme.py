"""Oral morphine milligram equivalents a day, exactly (step 14).

Amounts are whole numbers over one common denominator until the end: as exact as fractions and many times faster.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import lcm
from typing import NamedTuple

from authz.rules.formulary import METHADONE_TIERS, Factor
from authz.rules.placement import Placed, shifted
from authz.rules.policy import MmeOverlap, MmeTable, Policy
from authz.rules.selection import Supply


class Part(NamedTuple):
    """What one supply adds on each of its days, half-open ordinals.

    `amount` is numerator and denominator of its MME (of its mg where the `factor` leaves it to tiers); None when it
    cannot be told, which leaves the day incomplete. A product without MME by rule adds nothing and leaves it complete.
    """

    supply: Supply
    first: int
    stop: int
    amount: tuple[int, int] | None
    factor: Factor | None = None

    @property
    def is_without_mme_by_rule(self) -> bool:
        """Whether MME is not to be computed for its product at all."""
        return self.supply.product is not None and self.supply.product.has_no_mme_by_rule


class Run(NamedTuple):
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
    factor = product.factors.get(table) if product else None
    if product is None or (worth := product.worth(table)) is None or quantity is None or quantity <= 0:
        return Part(supply, first, stop, None, factor)
    units, unit = quantity.as_integer_ratio()
    return Part(supply, first, stop, (units * worth[0], unit * worth[1] * supply.days), factor)


def totals_of(parts: Sequence[Part]) -> Totals:
    """Return what all parts together amount to on each day."""
    scale = lcm(*(part.amount[1] for part in parts if part.amount))
    runs: list[Run] = []
    plain = by_tier = unknown = present = 0
    for step, next_step in pairwise(_steps(parts, scale)):
        plain, by_tier, unknown, present = plain + step[1], by_tier + step[2], unknown + step[3], present + step[4]
        if present and step[0] < next_step[0]:
            amount = plain + by_tier * _tier(by_tier, scale) if by_tier else plain
            _append(runs, Run(step[0], next_step[0], amount, not unknown))
    return Totals(runs, scale)


def _steps(parts: Iterable[Part], scale: int) -> list[tuple[int, int, int, int, int]]:
    """Return in order the days on which a part begins or ceases, and what changes: see `totals_of`."""
    steps = []
    for _, first, stop, known, factor in parts:
        amount = known[0] * (scale // known[1]) if known else 0
        plain, by_tier = (0, amount) if factor and factor.is_by_tier else (amount, 0)
        unknown = 0 if known else 1
        steps += [(first, plain, by_tier, unknown, 1), (stop, -plain, -by_tier, -unknown, -1)]
    steps.sort()
    return steps


def _tier(amount: int, scale: int) -> int:
    """Return methadone's factor for `amount` / `scale` mg a day, all of the day's methadone together."""
    return next(factor for most, factor in METHADONE_TIERS if most is None or amount <= most * scale)


def _append(runs: list[Run], run: Run) -> None:
    if runs and (runs[-1].stop, runs[-1].amount, runs[-1].is_complete) == (run.first, run.amount, run.is_complete):
        run = run._replace(first=runs.pop().first)
    runs.append(run)


def has_unusual_patch_wear(supply: Supply) -> bool:
    """Return whether a patch's days' supply is not three days for each patch, for which alone its factor is right."""
    quantity = supply.record.quantity
    if supply.product is None or not supply.product.is_rated_patch or quantity is None or quantity <= 0:
        return False
    return supply.days != 3 * quantity
