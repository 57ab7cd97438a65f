"""A verdict in words that a person can check against the records. Pure text; names record ids, never a patient."""

from collections.abc import Iterator

from authz.rules.amounts import two_decimals
from authz.rules.policy import GapAnchor, MmeOverlap, Mode, Policy
from authz.rules.records import RecordKind
from authz.rules.selection import Ignored
from authz.rules.trace import Trace, TracedDay, TracedEpisode, TracedRecord
from authz.rules.use_days import Naive
from authz.rules.verdict import Cause, Episode, Look, Mme, Release, ReleasedBy, Verdict

NOT_COUNTED = {
    Ignored.REVERSED: "it was reversed",
    Ignored.CANCELLED: "it was cancelled",
    Ignored.ENTERED_IN_ERROR: "it was entered in error",
    Ignored.FUTURE_DATED: "its date lies in the future",
    Ignored.UNKNOWN_PRODUCT: "its product code is not known",
    Ignored.EXCLUDED_PRODUCT: "its product does not count as opioid use for pain",
    Ignored.NO_DAYS_SUPPLY: "it has no days' supply of at least one day",
    Ignored.IMPLAUSIBLE_DAYS_SUPPLY: "its days' supply is more than 366 days",
    Ignored.DUPLICATE: "it is the same dispensing as another record",
    Ignored.WRITTEN_NOT_COUNTED: "this policy counts no written orders",
    Ignored.RX_FILLED: "the order has been dispensed, and its fills count instead",
    Ignored.RX_UNFILLED_EXPIRED: "the order was not dispensed in time",
}
_LOOK = {
    Look.UNKNOWN_PRODUCT: "find out which product its code means",
    Look.NO_DAYS_SUPPLY: "find out how many days it lasts",
    Look.IMPLAUSIBLE_DAYS_SUPPLY: "check its days' supply",
    Look.PATCH_DAYS_NOT_THREE_EACH: "its days' supply is not three days for each patch, so its MME may be wrong",
    Look.NO_QUANTITY: "its quantity is missing, so its MME is not known",
    Look.NO_MME_FACTOR: "no conversion factor is known for it, so its MME is not known",
    Look.UNCONFIRMED_FACTOR: "its conversion factor is not confirmed by a published table",
    Look.HISTORY_INCOMPLETE: "the time before it is not fully known; the patient is taken for opioid-naive",
}
_RELEASED = {
    ReleasedBy.EXEMPTION: "an exemption applies",
    ReleasedBy.AUTHORIZATION: "an authorization covers it",
    ReleasedBy.ESTABLISHED: "the patient is established",
}
_BEFORE: dict[Naive | None, str] = {
    Naive.NOT_NAIVE: "; the patient was in treatment with opioids",
    Naive.UNKNOWN: "; the time before it is not fully known",
}
_PLACES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def sentences(verdict: Verdict, policy: Policy) -> list[str]:
    """Return the verdict in sentences: each episode, what follows from it, what was left out and why, and the MME.

    `policy` is the one that the verdict was reached under.
    """
    return [
        *_use(verdict, policy),
        *_knowledge(verdict),
        *(f"Record {item.record_id} is not counted: {NOT_COUNTED[item.reason]}." for item in verdict.ignored),
        *(f"Record {item.record_id} needs a look: {_LOOK[item.reason]}." for item in verdict.attention),
        *_strength(verdict.mme),
    ]


def trace_sentences(told: Trace, policy: Policy) -> list[str]:
    """Return a trace in sentences: each record, and of each episode the day beyond the limit and the first need.

    `policy` is the one of the case. An episode within the limit is told by its last day.
    """
    records = [_traced(record, policy) for record in told.records]
    return records + [_day(day, policy) for episode in told.episodes for day in _telling(episode)]


def _traced(record: TracedRecord, policy: Policy) -> str:
    if record.reason is not None:
        instead = f" (record {record.in_favour_of} counts)" if record.in_favour_of else ""
        return f"Record {record.record_id} is not counted: {NOT_COUNTED[record.reason]}{instead}."
    if record.first is None:
        return f"Record {record.record_id} is counted, but none of its days has come."
    doubt = _BEFORE.get(record.naive, "") if policy.mode is Mode.PER_FILL_NAIVE else ""
    return f"Record {record.record_id} is counted: {_days(record.days_supply)}, {record.first} to {record.last}{doubt}."


def _telling(episode: TracedEpisode) -> list[TracedDay]:
    beyond = [day for day in episode.days if day.is_beyond]
    needing = [day for day in beyond if day.is_required]
    return [*beyond[:1], *(day for day in needing[:1] if day is not beyond[0])] or list(episode.days[-1:])


def _day(day: TracedDay, policy: Policy) -> str:
    covering = " and ".join(f"record {record_id}" for record_id in day.records)
    return f"Day {day.number} of use is {day.on}, covered by {covering}; {_count(day, policy)}{_standing(day)}."


def _count(day: TracedDay, policy: Policy) -> str:
    if day.count is None:
        return "the policy does not limit it"
    if policy.mode is Mode.PER_FILL_NAIVE:
        return f"it is day {day.count} of a fill and the limit is {day.limit}"
    unit = "days' supply" if policy.counts_days_supplied else _word(day.count, "day")
    return f"{day.count} {unit} counted, the limit is {day.limit}"


def _standing(day: TracedDay) -> str:
    if not day.is_beyond:
        return ""
    if day.is_required:
        return "; it needs authorization"
    return f"; it needs none, as {' and '.join(_RELEASED[by] for by in day.released_by)}"


def _use(verdict: Verdict, policy: Policy) -> Iterator[str]:
    if not verdict.episodes:
        yield "No opioid use is counted."
    for episode in verdict.episodes:
        yield _per_fill(episode, policy) if policy.mode is Mode.PER_FILL_NAIVE else _cumulative(episode, policy)
        yield from (_released(release, policy) for release in episode.releases)
        if episode.pa_required_from:
            days = _days(episode.pa_required_days)
            yield f"Prior authorization is needed from {episode.pa_required_from} on, for {days}."
        elif episode.exceeded_on:
            yield "No authorization is needed: every day beyond the limit is released."


def _cumulative(episode: Episode, policy: Policy) -> str:
    opening = f"{episode.covered_days} covered {_word(episode.covered_days, 'day')} since {episode.start}"
    limit = f"the limit is {episode.limit_days}{_scope(policy)}"
    if not episode.exceeded_on:
        return f"{opening}, the last is {episode.end}; {limit} and is not passed."
    return f"{opening}; {limit}; {_passing(episode, policy)}{_by(episode.cause)}."


def _scope(policy: Policy) -> str:
    width = f" in any {_days(policy.window_days)}" if policy.window_days else ""
    horizon = f" within the first {_days(policy.horizon_days)}" if policy.horizon_days else ""
    return width + horizon


def _passing(episode: Episode, policy: Policy) -> str:
    if policy.counts_days_supplied:
        return f"{episode.count} days' supply had been dispensed by {episode.exceeded_on}"
    return f"day {episode.count} is {episode.exceeded_on}"


def _per_fill(episode: Episode, policy: Policy) -> str:
    if not episode.exceeded_on:
        doubt = "; the time before it is not fully known" if episode.naive_at_start is Naive.UNKNOWN else ""
        return (
            f"No fill since {episode.start} gives an opioid-naive patient more than {_days(episode.limit_days)}{doubt}."
        )
    taken = "dispensed" if policy.gap_anchor is GapAnchor.FILL_DATE else "in use"
    free = f"no known opioid {taken} in the {_days(policy.gap_days)} before"
    limit = f"the limit is {episode.limit_days}; its day {episode.limit_days + 1} is {episode.exceeded_on}"
    return f"A fill of {_days(episode.count)} with {free}; {limit}{_by(episode.cause)}."


def _by(cause: Cause | None) -> str:
    if cause is None:
        return ""
    place = _PLACES[cause.place - 1] if cause.place <= len(_PLACES) else f"{cause.place}th"
    noun = "fill" if cause.kind is RecordKind.FILL else "written order"
    return f"; the {place} {noun} is the cause"


def _released(release: Release, policy: Policy) -> str:
    when = (
        f"on {release.first}" if release.days == 1 else f"on {release.days} days from {release.first} to {release.last}"
    )
    if release.by is ReleasedBy.EXEMPTION:
        return f"The exemption {release.category} applies {when}."
    if release.by is ReleasedBy.AUTHORIZATION:
        return f"An authorization covers use {when}."
    least = f"at least {policy.established_days} of the {policy.established_window} days before"
    return f"The patient is established ({least}) {when}."


def _knowledge(verdict: Verdict) -> Iterator[str]:
    if verdict.first_known_on and verdict.pa_required:
        yield f"This could first be known on {verdict.first_known_on}."
    elif verdict.first_known_on:
        yield f"A need for authorization was known on {verdict.first_known_on}; it is no longer there."


def _strength(mme: Mme) -> Iterator[str]:
    if not mme.peak_on:
        return
    overlap = "added up" if mme.overlap is MmeOverlap.SUM else "of one product used one after the other"
    least = "" if mme.is_complete else "; on some days this is the least, as a record's share is not known"
    basis = f"factor table {mme.table.value}, overlapping supplies {overlap}"
    yield f"The most a day is {two_decimals(mme.peak)} MME, first on {mme.peak_on} ({basis}){least}."
    for part in mme.parts:
        if part.by_rule_none:
            yield f"Record {part.record_id} has no MME by rule: buprenorphine is not converted."
        elif part.is_fallback and part.source:
            yield f"The table has no factor for record {part.record_id}; the one of {part.source.value} stands in."


def _days(number: int | None) -> str:
    return f"{number} {_word(number, 'day')}"


def _word(number: int | None, word: str) -> str:
    return word if number == 1 else f"{word}s"
