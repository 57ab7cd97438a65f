"""What a verdict tells besides days: MME over time, what released days from the limit, what a person must see."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from fractions import Fraction

from authz.rules.formulary import FactorSource
from authz.rules.mme import Part, Run, Totals, has_unusual_patch_wear, totals_of
from authz.rules.policy import MmeTable, Mode, Policy
from authz.rules.records import Case
from authz.rules.selection import Ignored
from authz.rules.spans import Span, clipped, length
from authz.rules.use_days import Naive, Use, applicable_exemptions, period_span
from authz.rules.verdict import Attention, Look, Mme, MmePart, MmeRun, Release, ReleasedBy

_LOOK_AT_IGNORED = {
    Ignored.UNKNOWN_PRODUCT: Look.UNKNOWN_PRODUCT,
    Ignored.NO_DAYS_SUPPLY: Look.NO_DAYS_SUPPLY,
    Ignored.IMPLAUSIBLE_DAYS_SUPPLY: Look.IMPLAUSIBLE_DAYS_SUPPLY,
}


def mme_of(parts: Sequence[Part], policy: Policy, as_of: int) -> Mme:
    """Return the daily totals with their peak and the days at or above each threshold."""
    totals = totals_of(parts)
    peak = max(totals.runs, key=lambda run: (run.amount, -run.first), default=None)
    today = next((run for run in totals.runs if run.first <= as_of < run.stop), None)
    return Mme(
        table=policy.mme_table,
        overlap=policy.mme_overlap,
        series=tuple(_run(run, totals) for run in totals.runs),
        parts=tuple(_part(part, policy.mme_table) for part in parts),
        peak=totals.amount(peak) if peak else Fraction(0),
        peak_on=date.fromordinal(peak.first) if peak else None,
        days_ge_50=totals.days_at_least(50),
        days_ge_90=totals.days_at_least(90),
        days_ge_200=totals.days_at_least(200),
        on_as_of=totals.amount(today) if today else Fraction(0),
    )


def _run(run: Run, totals: Totals) -> MmeRun:
    first, last = date.fromordinal(run.first), date.fromordinal(run.stop - 1)
    return MmeRun(first, last, totals.amount(run), run.is_complete)


def _part(part: Part, table: MmeTable) -> MmePart:
    factor = part.factor
    return MmePart(
        record_id=part.supply.id,
        amount=Fraction(*part.amount) if part.amount else None,
        source=factor.source if factor else None,
        is_fallback=factor is not None and factor.is_fallback(table),
        by_rule_none=part.is_without_mme_by_rule,
    )


def releases_on(exceeded: Sequence[Span], use: Use, case: Case) -> Iterator[Release]:
    """Yield what lifts the need on days beyond the limit: exemptions, then authorizations, then established use."""
    if not exceeded:
        return
    for exemption in applicable_exemptions(case):
        yield from _release(ReleasedBy.EXEMPTION, str(exemption.category), clipped(exceeded, *period_span(exemption)))
    for authorization in case.authorizations:
        yield from _release(ReleasedBy.AUTHORIZATION, None, clipped(exceeded, *period_span(authorization)))
    yield from _release(ReleasedBy.ESTABLISHED, None, use.established(exceeded))


def _release(by: ReleasedBy, category: str | None, days: Sequence[Span]) -> Iterator[Release]:
    if days:
        yield Release(by, category, date.fromordinal(days[0][0]), date.fromordinal(days[-1][1] - 1), length(days))


def attention_to(
    ignored: Iterable[tuple[str, Ignored]], parts: Iterable[Part], use: Use, policy: Policy
) -> tuple[Attention, ...]:
    """Return every record a person must look at, sorted by id and reason."""
    found = [
        Attention(record_id, _LOOK_AT_IGNORED[reason]) for record_id, reason in ignored if reason in _LOOK_AT_IGNORED
    ]
    found += [Attention(part.supply.id, look) for part in parts for look in _doubts(part)]
    found += [Attention(record_id, Look.HISTORY_INCOMPLETE) for record_id in _without_history(use, policy)]
    return tuple(sorted(found))


def _doubts(part: Part) -> Iterator[Look]:
    if part.is_without_mme_by_rule:
        return
    quantity = part.supply.record.quantity
    if quantity is None or quantity <= 0:
        yield Look.NO_QUANTITY
    if part.factor is None:
        yield Look.NO_MME_FACTOR
    elif part.factor.source is FactorSource.UNCONFIRMED:
        yield Look.UNCONFIRMED_FACTOR
    if has_unusual_patch_wear(part.supply):
        yield Look.PATCH_DAYS_NOT_THREE_EACH


def _without_history(use: Use, policy: Policy) -> Iterator[str]:
    """Yield the supplies taken for the first ones only because nothing is known of the time before."""
    for stretch in use.stretches:
        asked = stretch.members if policy.mode is Mode.PER_FILL_NAIVE else stretch.members[:1]
        yield from (supply.id for _, _, supply in asked if use.naive(supply) is Naive.UNKNOWN)
