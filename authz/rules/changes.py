"""What a verdict of one day says otherwise than that of an earlier day, and which records made it so.

A record is other when it was learned since, when a later version of it was, or when it counts otherwise although
nothing was learned of it: an order expires or is dispensed, a future day comes, the policy is another one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from authz.rules.counterfactual import as_known
from authz.rules.records import AuthorizedPeriod, Case, Exemption, Record, RecordStatus
from authz.rules.selection import Ignored
from authz.rules.verdict import Episode, ReleasedBy, Verdict

SHOWN = frozenset({"status", "start", "rxcui", "quantity", "days_supply"})


class Known(NamedTuple):
    """What was known on a day: the case as of that day, and the verdict on it."""

    case: Case
    verdict: Verdict


class Why(StrEnum):
    """What happened to a record between the two days."""

    LEARNED = "learned"
    REVERSED = "reversed"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered_in_error"
    CORRECTED = "corrected"
    RECONSIDERED = "reconsidered"


class Fact(NamedTuple):
    """A field of a record that a later version gives otherwise; None where a version gives nothing.

    Only fields in `SHOWN` tell their values: whoever may read a verdict may not therefore read a pharmacy's numbers.
    """

    name: str
    before: str | None
    after: str | None


class Reading(NamedTuple):
    """How a record was read on a day: its version then, and why it did not count; None when it did."""

    version: int
    reason: Ignored | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordChange:
    """A record that is read otherwise. `before` is None when it was not known then.

    `start` is the day that the record is about, as known now, and `learned_on` the day on which we learned what makes
    it other: the record itself, or its current version.
    """

    record_id: str
    why: Why
    start: date
    learned_on: date
    before: Reading | None
    after: Reading
    facts: tuple[Fact, ...]

    @property
    def days_late(self) -> int:
        """How many days after its own day it was learned; below 0 for one that was announced."""
        return (self.learned_on - self.start).days


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeChange:
    """One stretch of use as it was seen on either day: nowhere, in one episode, or in several."""

    before: tuple[Episode, ...]
    after: tuple[Episode, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseChange:
    """An exemption or authorization that is known on one of the days only; both ends included, None is open."""

    by: ReleasedBy
    category: str | None
    start: date | None
    end: date | None
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """All differences: records by id, releases, and episodes by their beginning."""

    records: tuple[RecordChange, ...]
    releases: tuple[ReleaseChange, ...]
    episodes: tuple[EpisodeChange, ...]


def changes(before: Known, after: Known) -> Changes:
    """Return what is other on the later day. Both cases are of one patient, with all versions of the records."""
    return Changes(
        records=tuple(_records(before, after)),
        releases=tuple(_releases(before.case, after.case)),
        episodes=tuple(_episodes(before.verdict.episodes, after.verdict.episodes)),
    )


# -- records --------------------------------------------------------------------------------------------------------
def _records(before: Known, after: Known) -> Iterator[RecordChange]:
    then = {record.id: record for record in as_known(before.case).records}
    reasons_then, reasons_now = _reasons(before.verdict), _reasons(after.verdict)
    first_learned = _first_learned(after.case.records)
    for record in sorted(as_known(after.case).records, key=lambda record: record.id):
        old = then.get(record.id)
        reading = Reading(record.version, reasons_now.get(record.id))
        earlier = Reading(old.version, reasons_then.get(record.id)) if old else None
        facts = tuple(_facts(old, record)) if old else ()
        if earlier is None or facts or earlier.reason is not reading.reason:
            yield RecordChange(
                record_id=record.id,
                why=_why(old, record, facts),
                start=record.start,
                learned_on=record.recorded_on if old else first_learned[record.id],
                before=earlier,
                after=reading,
                facts=facts,
            )


def _reasons(verdict: Verdict) -> Mapping[str, Ignored]:
    return {item.record_id: item.reason for item in verdict.ignored}


def _first_learned(records: Iterable[Record]) -> Mapping[str, date]:
    newest_first = sorted(records, key=lambda record: record.recorded_on, reverse=True)
    return {record.id: record.recorded_on for record in newest_first}


_NOT_FACTS = {"id", "version", "recorded_on", "kind"}


def _facts(old: Record, new: Record) -> Iterator[Fact]:
    for name in (field.name for field in fields(Record) if field.name not in _NOT_FACTS):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            told = (None if value is None or name not in SHOWN else str(value) for value in (before, after))
            yield Fact(name, *told)


def _why(old: Record | None, new: Record, facts: Sequence[Fact]) -> Why:
    if old is None:
        return Why.LEARNED
    if not facts:
        return Why.RECONSIDERED
    is_ended = new.status is not old.status and new.status is not RecordStatus.ACTIVE
    return Why(new.status.value) if is_ended else Why.CORRECTED


# -- exemptions and authorizations ----------------------------------------------------------------------------------
def _releases(before: Case, after: Case) -> Iterator[ReleaseChange]:
    for by, then, now in (
        (ReleasedBy.EXEMPTION, before.exemptions, after.exemptions),
        (ReleasedBy.AUTHORIZATION, before.authorizations, after.authorizations),
    ):
        counted_then: Counter[Exemption | AuthorizedPeriod] = Counter(then)
        counted_now: Counter[Exemption | AuthorizedPeriod] = Counter(now)
        for period in (counted_then - counted_now).elements():
            yield _release(by, period, is_new=False)
        for period in (counted_now - counted_then).elements():
            yield _release(by, period, is_new=True)


def _release(by: ReleasedBy, period: Exemption | AuthorizedPeriod, *, is_new: bool) -> ReleaseChange:
    category = str(period.category) if isinstance(period, Exemption) else None
    return ReleaseChange(by=by, category=category, start=period.start, end=period.end, is_new=is_new)


# -- episodes -------------------------------------------------------------------------------------------------------
def _episodes(before: Sequence[Episode], after: Sequence[Episode]) -> Iterator[EpisodeChange]:
    for use in _same_use([*before, *after]):
        change = EpisodeChange(
            before=tuple(episode for episode in before if episode in use),
            after=tuple(episode for episode in after if episode in use),
        )
        if _numbers(change.before) != _numbers(change.after):
            yield change


def _same_use(episodes: Iterable[Episode]) -> list[list[Episode]]:
    """Put together what shares a record or a day, directly or by others between, by the first day of each."""
    groups: list[list[Episode]] = []
    for episode in episodes:
        joined = [group for group in groups if any(_touch(episode, other) for other in group)]
        groups = [group for group in groups if group not in joined]
        groups.append([*(other for group in joined for other in group), episode])
    return sorted(groups, key=lambda group: min(episode.start for episode in group))


def _touch(one: Episode, other: Episode) -> bool:
    shares_days = one.start <= other.end and other.start <= one.end
    return shares_days or not set(one.records).isdisjoint(other.records)


def _numbers(episodes: Iterable[Episode]) -> list[tuple[object, ...]]:
    return [
        (
            episode.start,
            episode.end,
            episode.covered_days,
            episode.exceeded_on,
            episode.pa_required_from,
            episode.pa_required_days,
        )
        for episode in episodes
    ]
