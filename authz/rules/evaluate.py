"""The rule as one pure function: a case in, a verdict with its reasons out."""

from datetime import date

from authz.rules.findings import attention_to, mme_of, releases_on
from authz.rules.formulary import Formulary, packaged
from authz.rules.knowledge import first_known_on, trigger_of
from authz.rules.mme import parts_of
from authz.rules.placement import Stretch, place
from authz.rules.records import Case
from authz.rules.selection import Ledger, Supply, read_supplies, reasons_ignored
from authz.rules.spans import length
from authz.rules.use_days import Circumstances, Use, circumstances_of
from authz.rules.verdict import Cause, Episode, IgnoredRecord, Verdict

RULE_VERSION = "1"
"""Stored with every verdict; raised whenever any case could get another answer than before."""


def evaluate(case: Case, formulary: Formulary | None = None) -> Verdict:
    """Return the verdict on the case, as known on its `as_of` day; without a formulary, by the packaged one."""
    formulary = formulary or packaged()
    policy, as_of = case.policy, case.as_of.toordinal()
    circumstances = circumstances_of(case)
    versions = read_supplies(case.records, policy, formulary)
    ledger = Ledger(versions, policy)
    counted = ledger.counted_on(as_of)
    use = Use(place(counted, policy, as_of), policy, circumstances)
    ignored = reasons_ignored(ledger.current.values(), counted, as_of, policy)
    parts = parts_of(counted, policy)
    known_on = first_known_on(versions, as_of, policy, circumstances)
    return Verdict(
        case_id=case.id,
        as_of=case.as_of,
        rule_version=RULE_VERSION,
        formulary_version=formulary.version,
        overlap=policy.overlap,
        counted=tuple(sorted(supply.id for supply in counted)),
        ignored=tuple(IgnoredRecord(*item) for item in ignored),
        episodes=tuple(_episode(stretch, use, case, circumstances) for stretch in use.stretches),
        first_known_on=_day(known_on),
        mme=mme_of(parts, policy, as_of),
        attention=attention_to(ignored, parts, use, policy),
    )


def _episode(stretch: Stretch, use: Use, case: Case, circumstances: Circumstances) -> Episode:
    exceeded = use.exceeded(stretch)
    required = use.unreleased(exceeded)
    trigger = trigger_of(stretch, use.placed, case.policy, circumstances) if required else None
    count, limit = use.measure(stretch, exceeded[0][0]) if exceeded else (None, use.limit_on(stretch.stop - 1))
    return Episode(
        start=date.fromordinal(stretch.first),
        end=date.fromordinal(stretch.stop - 1),
        covered_days=length(stretch.spans),
        records=tuple(sorted(supply.id for _, _, supply in stretch.members)),
        naive_at_start=use.naive(stretch.members[0][2]),
        limit_days=limit,
        exceeded_on=_day(exceeded[0][0] if exceeded else None),
        count=count,
        pa_required_from=_day(required[0][0] if required else None),
        pa_required_days=length(required),
        cause=_cause(trigger, stretch) if trigger else None,
        releases=tuple(releases_on(exceeded, use, case)),
    )


def _cause(trigger: Supply, stretch: Stretch) -> Cause:
    kind = trigger.record.kind
    alike = [supply.id for _, _, supply in stretch.members if supply.record.kind is kind]
    return Cause(trigger.id, kind, alike.index(trigger.id) + 1, trigger.record.start)


def _day(ordinal: int | None) -> date | None:
    return None if ordinal is None else date.fromordinal(ordinal)
