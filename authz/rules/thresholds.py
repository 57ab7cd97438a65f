"""Beside the day limit: a high dose, two long-acting opioids at once, an opioid with a benzodiazepine.

Each is a finding with its reasons. What follows from it, to inform or to require authorization, is the policy's choice.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import chain, pairwise
from typing import Any, NamedTuple, Protocol

from authz.errors import InvalidInput
from authz.rules.amounts import plain, two_decimals
from authz.rules.formulary import Formulary, Release, Standing, packaged
from authz.rules.mme import Part, parts_of, totals_of
from authz.rules.placement import place
from authz.rules.records import Case
from authz.rules.selection import Ledger, Supply, read_supplies
from authz.rules.spans import Span, clipped, merged, without
from authz.rules.use_days import Use, circumstances_of
from authz.rules.verdict import MmeRun, Verdict


class FindingKind(StrEnum):
    """What is looked for on every day."""

    MME_PER_DAY = "mme_per_day"
    DUPLICATE_LONG_ACTING = "duplicate_long_acting"
    OPIOID_WITH_BENZODIAZEPINE = "opioid_with_benzodiazepine"


class FindingAction(StrEnum):
    """What follows from a finding under a policy."""

    INFORM = "inform"
    REQUIRE_AUTHORIZATION = "require_authorization"


_LEAST = {FindingKind.DUPLICATE_LONG_ACTING: Fraction(2), FindingKind.OPIOID_WITH_BENZODIAZEPINE: Fraction(1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One thing a policy looks for. `at_least` is in oral MME a day and belongs to MME_PER_DAY alone.

    `spares_established` lifts the requirement (never the finding) on days on which the patient is established, as the
    day limit does; without the policy's `established_days` nobody is.

    :raises InvalidInput: naming the field.
    """

    kind: FindingKind
    action: FindingAction = FindingAction.INFORM
    at_least: Decimal | None = None
    spares_established: bool = False

    def __post_init__(self) -> None:
        wrong: dict[str, list[str]] = {}
        if not isinstance(self.kind, FindingKind):
            wrong["kind"] = [f"Use one of: {', '.join(FindingKind)}."]
        elif self.kind is FindingKind.MME_PER_DAY and not _is_positive(self.at_least):
            wrong["at_least"] = ["An exact number of MME a day above 0 is needed."]
        elif self.kind is not FindingKind.MME_PER_DAY and self.at_least is not None:
            wrong["at_least"] = ["Only a dose has one."]
        if not isinstance(self.action, FindingAction):
            wrong["action"] = [f"Use one of: {', '.join(FindingAction)}."]
        if type(self.spares_established) is not bool:
            wrong["spares_established"] = ["True or false is needed."]
        if wrong:
            raise InvalidInput(wrong)

    @property
    def name(self) -> str:
        """What tells it from a policy's other thresholds: the kind, with the dose where there is one."""
        return _name(self.kind, self.at_least)

    @property
    def least(self) -> Fraction:
        """From which amount on a day counts: MME, long-acting products, or benzodiazepines."""
        return _LEAST[self.kind] if self.at_least is None else Fraction(self.at_least)


def _name(kind: FindingKind, at_least: Decimal | None) -> str:
    return kind.value if at_least is None else f"{kind.value}_{plain(at_least)}"


def _is_positive(amount: object) -> bool:
    return type(amount) is Decimal and amount.is_finite() and 0 < amount < 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BenzodiazepineDays:
    """Days on which a benzodiazepine is in use, both included. `ingredient` tells two benzodiazepines apart."""

    ingredient: str
    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise InvalidInput({"last": ["It lies before the first day."]})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Days in a row, both included, on which a threshold is reached.

    `amount` is the most on any of them: exact MME a day, long-acting products at once, or benzodiazepines at once.
    `required_from` is the first of the days on which authorization is needed: None where the policy only informs, and
    where an exemption, an authorization or (if it spares them) established use lifts the need on all of them. `cause`
    is then the record that brought it. `records` are the opioids behind the finding, sorted.
    """

    kind: FindingKind
    action: FindingAction
    at_least: Decimal | None
    first_day: date
    last_day: date
    amount: Fraction
    records: tuple[str, ...]
    reasons: tuple[str, ...]
    required_from: date | None = None
    cause: str | None = None

    @property
    def name(self) -> str:
        """The name of the threshold that is reached."""
        return _name(self.kind, self.at_least)


class _Level(NamedTuple):
    """An amount that holds from `first` until before `stop`."""

    first: int
    stop: int
    amount: Fraction


def findings(
    case: Case,
    verdict: Verdict,
    thresholds: Iterable[Threshold],
    *,
    benzodiazepine_days: Iterable[BenzodiazepineDays] = (),
    formulary: Formulary | None = None,
) -> tuple[Finding, ...]:
    """Return what the thresholds find in a case, in the order of the thresholds, each one's by day.

    `verdict` is the answer of `evaluate` to the same case by the same formulary; doses are read off its MME series.
    A long-acting product, or an opioid beside a benzodiazepine, is in use on the record's own days, start to
    start + n - 1. Supply in hand counts like past use, whatever the policy's basis. Benzodiazepines are those among
    the case's own records, and what is told of besides.
    """
    asked = tuple(thresholds)
    if not asked:
        return ()
    policy, formulary = case.policy, formulary or packaged()
    versions = read_supplies(case.records, policy, formulary)
    counted = Ledger(versions, policy).counted_on(case.as_of.toordinal())
    sights: dict[FindingKind, _Sight] = {
        FindingKind.MME_PER_DAY: _Doses(verdict, parts_of(counted, policy)),
        FindingKind.DUPLICATE_LONG_ACTING: _LongActing(counted),
        FindingKind.OPIOID_WITH_BENZODIAZEPINE: _WithBenzodiazepine(
            counted, [*benzodiazepine_days, *_dispensed_benzodiazepines(case, formulary)]
        ),
    }
    lifted = _Lifted(case, counted)
    return tuple(
        _finding(threshold, stretch, sights[threshold.kind], lifted)
        for threshold in asked
        for stretch in _stretches(sights[threshold.kind].levels, threshold.least)
    )


def _dispensed_benzodiazepines(case: Case, formulary: Formulary) -> Iterator[BenzodiazepineDays]:
    """Yield the days of the benzodiazepines among the records, which count and supersede one another as opioids do."""
    known = {record.rxcui: formulary.product(record.rxcui) for record in case.records}
    alone = {
        rxcui: replace(product, standing=Standing.COUNTS)
        for rxcui, product in known.items()
        if product is not None and product.standing is Standing.BENZODIAZEPINE
    }
    if not alone:
        return
    versions = read_supplies(case.records, case.policy, replace(formulary, products=alone))
    for supply in Ledger(versions, case.policy).counted_on(case.as_of.toordinal()):
        first, stop = map(date.fromordinal, supply.span)
        yield BenzodiazepineDays(
            ingredient=alone[supply.record.rxcui].ingredient, first=first, last=stop - timedelta(days=1)
        )


def sentences_of(found: Iterable[Finding]) -> list[str]:
    """Return the findings in sentences that a person can check."""
    return [reason for finding in found for reason in finding.reasons]


def finding_to_json(finding: Finding) -> dict[str, Any]:
    """Return a finding as plain JSON values; the amount has two decimals, rounded half up."""
    return {
        "kind": finding.kind.value,
        "action": finding.action.value,
        "at_least": None if finding.at_least is None else str(finding.at_least),
        "first_day": finding.first_day.isoformat(),
        "last_day": finding.last_day.isoformat(),
        "amount": two_decimals(finding.amount),
        "records": list(finding.records),
        "required_from": finding.required_from.isoformat() if finding.required_from else None,
        "cause": finding.cause,
        "reasons": list(finding.reasons),
    }


class _Lifted:
    """On which days nothing is required: exempt, authorized, and for some thresholds established."""

    def __init__(self, case: Case, counted: Sequence[Supply]) -> None:
        circumstances = circumstances_of(case)
        self._released = circumstances.released
        self._use = Use(place(counted, case.policy, case.as_of.toordinal()), case.policy, circumstances)

    def required(self, stretch: Span, threshold: Threshold) -> list[Span]:
        """Return the days of the stretch on which the policy requires authorization."""
        if threshold.action is FindingAction.INFORM:
            return []
        needed = without([stretch], self._released)
        return without(needed, self._use.established(needed)) if threshold.spares_established else needed


class _Sight(Protocol):
    """What is seen of one kind: its amounts over time, and the opioids behind them in (start, id) order."""

    levels: list[_Level]
    opioids: list[Part]

    def amount_of(self, opioids: Sequence[Part], day: int) -> Fraction:
        """Return what these opioids, all in use on that day, come to on it."""

    def words(self, stretch: Span, most: Fraction, threshold: Threshold) -> list[str]:
        """Return what is seen on the days of a stretch, in sentences."""


def _finding(threshold: Threshold, stretch: Span, sight: _Sight, lifted: _Lifted) -> Finding:
    first, stop = stretch
    most = max(level.amount for level in sight.levels if level.first < stop and first < level.stop)
    required = lifted.required(stretch, threshold)
    required_from = required[0][0] if required else None
    return Finding(
        kind=threshold.kind,
        action=threshold.action,
        at_least=threshold.at_least,
        first_day=date.fromordinal(first),
        last_day=date.fromordinal(stop - 1),
        amount=most,
        records=tuple(sorted({part.supply.id for part in _in_use(sight.opioids, stretch)})),
        reasons=(*sight.words(stretch, most, threshold), *_consequence(threshold, required_from)),
        required_from=None if required_from is None else date.fromordinal(required_from),
        cause=None if required_from is None else _cause(required_from, sight, threshold),
    )


def _cause(day: int, sight: _Sight, threshold: Threshold) -> str:
    """Return the first opioid with which, and everything before it, the day reaches the threshold."""
    there = _in_use(sight.opioids, (day, day + 1))
    return next(
        part.supply.id
        for number, part in enumerate(there, start=1)
        if sight.amount_of(there[:number], day) >= threshold.least
    )


def _in_use(opioids: Iterable[Part], stretch: Span) -> list[Part]:
    return [part for part in opioids if part.first < stretch[1] and stretch[0] < part.stop]


def _consequence(threshold: Threshold, required_from: int | None) -> list[str]:
    if threshold.action is FindingAction.INFORM:
        return []
    if required_from is not None:
        return [f"The policy requires prior authorization for this, from {date.fromordinal(required_from)} on."]
    return ["The policy requires prior authorization for this; the patient is released on every one of these days."]


def _stretches(levels: Iterable[_Level], least: Fraction) -> list[Span]:
    """Return the days on which the amount is at least so much; days in a row are one stretch."""
    return merged((level.first, level.stop) for level in levels if level.amount >= least)


class _Doses:
    def __init__(self, verdict: Verdict, parts: Sequence[Part]) -> None:
        self._mme = verdict.mme
        self._incomplete = [_span(run) for run in verdict.mme.series if not run.is_complete]
        self.levels = [_Level(*_span(run), run.amount) for run in verdict.mme.series]
        self.opioids = [part for part in parts if part.amount and part.amount[0]]

    def amount_of(self, opioids: Sequence[Part], day: int) -> Fraction:
        totals = totals_of(opioids)
        return next(totals.amount(run) for run in totals.runs if run.first <= day < run.stop)

    def words(self, stretch: Span, most: Fraction, threshold: Threshold) -> list[str]:
        table = self._mme.table.value
        said = [
            f"Up to {two_decimals(most)} MME a day {_when(stretch)} (factor table {table}); "
            f"the threshold is {threshold.at_least}."
        ]
        if clipped(self._incomplete, *stretch):
            said.append("On some of these days a record's share is not known, so the dose may be higher.")
        return said


def _span(run: MmeRun) -> Span:
    return run.first.toordinal(), run.last.toordinal() + 1


class _LongActing:
    """A brand and its generic are one product. Two strengths are two: the words say so, and a person judges."""

    def __init__(self, counted: Iterable[Supply]) -> None:
        self.opioids = [_own_days(supply) for supply in counted if _is_long_acting(supply)]
        self.levels = _at_once((_clinical_drug(part), (part.first, part.stop)) for part in self.opioids)

    def amount_of(self, opioids: Sequence[Part], day: int) -> Fraction:
        return Fraction(len({_clinical_drug(part) for part in opioids}))

    def words(self, stretch: Span, most: Fraction, threshold: Threshold) -> list[str]:
        products = [part.supply.product for part in _in_use(self.opioids, stretch) if part.supply.product]
        names = sorted({product.name for product in products})
        ingredients = {product.ingredient for product in products}
        said = [f"{most} long-acting opioids at once {_when(stretch)}: {'; '.join(names)}."]
        if len(ingredients) == 1:
            said.append(f"All of them are {ingredients.pop()}: strengths that may make up one dose.")
        return said


class _WithBenzodiazepine:
    def __init__(self, counted: Iterable[Supply], told: Iterable[BenzodiazepineDays]) -> None:
        self.opioids = [_own_days(supply) for supply in counted]
        in_use = merged((part.first, part.stop) for part in self.opioids)
        self._together: list[tuple[str, Span]] = [
            (days.ingredient, span)
            for days in told
            for span in clipped(in_use, days.first.toordinal(), days.last.toordinal() + 1)
        ]
        self.levels = _at_once(self._together)

    def amount_of(self, opioids: Sequence[Part], day: int) -> Fraction:
        return next(level.amount for level in self.levels if level.first <= day < level.stop)

    def words(self, stretch: Span, most: Fraction, threshold: Threshold) -> list[str]:
        present = sorted({ingredient for ingredient, span in self._together if clipped([span], *stretch)})
        return [f"An opioid with a benzodiazepine ({', '.join(present)}) {_when(stretch)}."]


def _is_long_acting(supply: Supply) -> bool:
    return supply.product is not None and supply.product.release is Release.LONG


def _clinical_drug(part: Part) -> Hashable:
    product = part.supply.product
    return product and (product.ingredient_rxcui, product.strength, product.strength_unit, product.dose_form)


def _own_days(supply: Supply) -> Part:
    return Part(supply, *supply.span, None)


def _at_once(spans: Iterable[tuple[Hashable, Span]]) -> list[_Level]:
    """Return how many kinds are there at once; a kind that overlaps itself is one."""
    by_kind: dict[Hashable, list[Span]] = {}
    for kind, span in spans:
        by_kind.setdefault(kind, []).append(span)
    steps: Counter[int] = Counter()
    for first, stop in chain.from_iterable(merged(own) for own in by_kind.values()):
        steps[first] += 1
        steps[stop] -= 1
    levels: list[_Level] = []
    number = 0
    for day, until in pairwise(sorted(steps)):
        number += steps[day]
        levels.append(_Level(day, until, Fraction(number)))
    return levels


def _when(stretch: Span) -> str:
    first, last = date.fromordinal(stretch[0]), date.fromordinal(stretch[1] - 1)
    return f"on {first}" if first == last else f"from {first} to {last}"
