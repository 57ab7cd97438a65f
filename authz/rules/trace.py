"""How a verdict was reached, for a person to check by hand: every record, and the count day by day to the limit.

Made only when somebody asks; `evaluate` does without. It counts each day by itself from the rule's own parts, so it
shows why a day is beyond the limit instead of repeating that it is. Days only: MME and findings tell their own reasons.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from authz.rules.formulary import Formulary, packaged
from authz.rules.placement import Stretch, place
from authz.rules.policy import Mode, Policy
from authz.rules.records import Case, RecordKind
from authz.rules.selection import Ignored, Ledger, Supply, days_supplied, read_supplies, reasons_ignored
from authz.rules.spans import Cover, Span
from authz.rules.use_days import Naive, Use, applicable_exemptions, circumstances_of, period_span
from authz.rules.verdict import ReleasedBy

MOST_DAYS = 60
"""How many days on the way to the limit, and beyond it to the first need, are listed (own choice: two months)."""


class RuleStep(StrEnum):
    """The steps of the rule at which it can be settled what becomes of a record, in their order."""

    FITNESS = "fitness"
    DUPLICATES = "duplicates"
    WRITTEN_ORDERS = "written_orders"
    COVERED_DAYS = "covered_days"


_STEP: dict[Ignored | None, RuleStep] = {
    Ignored.DUPLICATE: RuleStep.DUPLICATES,
    Ignored.WRITTEN_NOT_COUNTED: RuleStep.WRITTEN_ORDERS,
    Ignored.RX_FILLED: RuleStep.WRITTEN_ORDERS,
    Ignored.RX_UNFILLED_EXPIRED: RuleStep.WRITTEN_ORDERS,
    None: RuleStep.COVERED_DAYS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedRecord:
    """What became of one record: of its version that was current, learned on `recorded_on`.

    `reason` is None when it counts. `in_favour_of` is the record that counts in its stead. `days_supply` is what the
    rule took for it; `first` and `last` are the days it covers, None when it counts and none of them has come yet;
    `naive` tells, of a record that covers days, whether the patient was free of opioids before it.
    """

    record_id: str
    version: int
    recorded_on: date
    kind: RecordKind
    start: date
    rxcui: str
    product_name: str
    days_supply: int | None
    step: RuleStep
    reason: Ignored | None
    in_favour_of: str | None
    first: date | None
    last: date | None
    naive: Naive | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedDay:
    """One covered day: its place in its episode, the count against the limit, and what covers and releases it.

    `count` is what the policy counts: covered days, days' supply, or (per fill) the day's number in a fill to a patient
    free of opioids. It is None on a day that the policy does not look at.
    """

    on: date
    number: int
    count: int | None
    limit: int
    records: tuple[str, ...]
    released_by: tuple[ReleasedBy, ...]

    @property
    def is_beyond(self) -> bool:
        """Whether the day is beyond the limit."""
        return self.count is not None and self.count > self.limit

    @property
    def is_required(self) -> bool:
        """Whether the day needs authorization."""
        return self.is_beyond and not self.released_by


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedEpisode:
    """An episode's days, in order; `number` tells where some are left out."""

    start: date
    records: tuple[str, ...]
    days: tuple[TracedDay, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Every record by start and id, and every episode in the verdict's order."""

    records: tuple[TracedRecord, ...]
    episodes: tuple[TracedEpisode, ...]


def trace(case: Case, formulary: Formulary | None = None, *, whole: bool = False) -> Trace:
    """Return how the verdict on the case is reached; without a formulary, by the packaged one.

    Of each episode the days are listed that lead to the first one beyond the limit, and on to the first that needs
    authorization, at most `MOST_DAYS` each way; with `whole`, all of them.
    """
    policy, as_of = case.policy, case.as_of.toordinal()
    ledger = Ledger(read_supplies(case.records, policy, formulary or packaged()), policy)
    counted = ledger.counted_on(as_of)
    use = Use(place(counted, policy, as_of), policy, circumstances_of(case))
    reasons = dict(reasons_ignored(ledger.current.values(), counted, as_of, policy))
    current = sorted(ledger.current.values(), key=lambda supply: supply.order)
    covered = {supply.id: (first, stop) for first, stop, supply in use.placed}
    return Trace(
        records=tuple(
            _record(
                supply,
                reasons.get(supply.id),
                instead=_counted_instead(supply, reasons.get(supply.id), counted),
                span=covered.get(supply.id),
                use=use,
            )
            for supply in current
        ),
        episodes=tuple(_episode(stretch, use, case, whole=whole) for stretch in use.stretches),
    )


def _record(
    supply: Supply, reason: Ignored | None, *, instead: str | None, span: Span | None, use: Use
) -> TracedRecord:
    record = supply.record
    return TracedRecord(
        record_id=supply.id,
        version=record.version,
        recorded_on=record.recorded_on,
        kind=record.kind,
        start=record.start,
        rxcui=record.rxcui,
        product_name=supply.product.name if supply.product else "",
        days_supply=days_supplied(record),
        step=_STEP.get(reason, RuleStep.FITNESS),
        reason=reason,
        in_favour_of=instead,
        first=date.fromordinal(span[0]) if span else None,
        last=date.fromordinal(span[1] - 1) if span else None,
        naive=use.naive(supply) if span else None,
    )


def _counted_instead(supply: Supply, reason: Ignored | None, counted: Iterable[Supply]) -> str | None:
    if reason is Ignored.DUPLICATE:
        return next(other.id for other in counted if other.same_dispensing == supply.same_dispensing)
    if reason is Ignored.RX_FILLED:
        return next(other.id for other in counted if other.is_fill and other.record.rx_id == supply.record.rx_id)
    return None


def _episode(stretch: Stretch, use: Use, case: Case, *, whole: bool) -> TracedEpisode:
    tally = _Tally(stretch, use, case)
    listed = _all_days(stretch) if whole else _days_to_the_need(stretch, use)
    return TracedEpisode(
        start=date.fromordinal(stretch.first),
        records=tuple(sorted(supply.id for _, _, supply in stretch.members)),
        days=tuple(map(tally.day, listed)),
    )


def _all_days(stretch: Stretch) -> list[int]:
    return [day for first, stop in stretch.spans for day in range(first, stop)]


def _days_to_the_need(stretch: Stretch, use: Use) -> list[int]:
    days, exceeded, required = _all_days(stretch), use.exceeded(stretch), use.required(stretch)
    beyond = exceeded[0][0] if exceeded else days[-1]
    needed = required[0][0] if required else beyond
    leading = [day for day in days if day <= beyond]
    released = [day for day in days if beyond < day <= needed]
    return leading[-MOST_DAYS:] + released[-MOST_DAYS:]


class _Tally:
    """Counts the days of one episode, each by itself."""

    def __init__(self, stretch: Stretch, use: Use, case: Case) -> None:
        self._members = stretch.members
        self._numbers = Cover(stretch.spans)
        is_per_fill = case.policy.mode is Mode.PER_FILL_NAIVE
        self._count = _per_fill(stretch, use) if is_per_fill else _cumulative(stretch, use, case.policy)
        self._releases: list[tuple[ReleasedBy, Sequence[Span]]] = [
            (ReleasedBy.EXEMPTION, [period_span(exemption) for exemption in applicable_exemptions(case)]),
            (ReleasedBy.AUTHORIZATION, [period_span(period) for period in case.authorizations]),
            (ReleasedBy.ESTABLISHED, use.established(stretch.spans)),
        ]

    def day(self, day: int) -> TracedDay:
        count, limit = self._count(day)
        return TracedDay(
            on=date.fromordinal(day),
            number=self._numbers.before(day + 1),
            count=count,
            limit=limit,
            records=tuple(supply.id for first, stop, supply in self._members if first <= day < stop),
            released_by=tuple(by for by, spans in self._releases if any(first <= day < stop for first, stop in spans)),
        )


_Measure = Callable[[int], tuple[int | None, int]]
"""What tells of a covered day (what is counted, the limit)."""


def _cumulative(stretch: Stretch, use: Use, policy: Policy) -> _Measure:
    count, _ = use.counting(stretch)
    horizon = stretch.stop if policy.horizon_days is None else stretch.first + policy.horizon_days
    return lambda day: (count(day) if day < horizon else None, use.limit_on(day))


def _per_fill(stretch: Stretch, use: Use) -> _Measure:
    # Of an episode only supplies of its first day can be limited; shifting may part them, and the first used leads.
    limited = [item for item in stretch.members if use.naive(item[2]) is not Naive.NOT_NAIVE]

    def measure(day: int) -> tuple[int | None, int]:
        numbers = [
            (day - first + 1, use.limit_on(supply.start)) for first, stop, supply in limited if first <= day < stop
        ]
        return max(numbers) if numbers else (None, use.limit_on(day))

    return measure


def trace_to_json(told: Trace) -> dict[str, Any]:
    """Return a trace as plain JSON values."""
    return {
        "records": [_record_json(record) for record in told.records],
        "episodes": [
            {
                "start": episode.start.isoformat(),
                "records": list(episode.records),
                "days": [_day_json(day) for day in episode.days],
            }
            for episode in told.episodes
        ],
    }


def _record_json(record: TracedRecord) -> dict[str, Any]:
    return {
        "record_id": record.record_id,
        "version": record.version,
        "recorded_on": record.recorded_on.isoformat(),
        "kind": record.kind.value,
        "start": record.start.isoformat(),
        "rxcui": record.rxcui,
        "product_name": record.product_name,
        "days_supply": record.days_supply,
        "step": record.step.value,
        "is_counted": record.reason is None,
        "reason": record.reason.value if record.reason else None,
        "in_favour_of": record.in_favour_of,
        "first": record.first.isoformat() if record.first else None,
        "last": record.last.isoformat() if record.last else None,
        "naive": record.naive.value if record.naive else None,
    }


def _day_json(day: TracedDay) -> dict[str, Any]:
    return {
        "on": day.on.isoformat(),
        "number": day.number,
        "count": day.count,
        "limit": day.limit,
        "records": list(day.records),
        "released_by": [by.value for by in day.released_by],
        "is_beyond": day.is_beyond,
        "is_required": day.is_required,
    }
