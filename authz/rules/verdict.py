"""What the rule says of one patient, with everything a person needs to check it, and the same as JSON."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Any, NamedTuple

from authz.rules.amounts import two_decimals
from authz.rules.formulary import FactorSource
from authz.rules.policy import MmeOverlap, MmeTable, Overlap
from authz.rules.records import RecordKind
from authz.rules.selection import Ignored
from authz.rules.use_days import Naive


class Look(StrEnum):
    """Why a person must look at a record."""

    UNKNOWN_PRODUCT = "unknown_product"
    NO_DAYS_SUPPLY = "no_days_supply"
    IMPLAUSIBLE_DAYS_SUPPLY = "implausible_days_supply"
    PATCH_DAYS_NOT_THREE_EACH = "patch_days_not_three_each"
    NO_QUANTITY = "no_quantity"
    NO_MME_FACTOR = "no_mme_factor"
    UNCONFIRMED_FACTOR = "unconfirmed_factor"
    HISTORY_INCOMPLETE = "history_incomplete"


class IgnoredRecord(NamedTuple):
    """A record that was not counted, and why."""

    record_id: str
    reason: Ignored


class Attention(NamedTuple):
    """A record that a person must look at, and why."""

    record_id: str
    reason: Look


class ReleasedBy(StrEnum):
    """What lifts the need on days beyond the limit."""

    EXEMPTION = "exemption"
    AUTHORIZATION = "authorization"
    ESTABLISHED = "established"


class Release(NamedTuple):
    """Days beyond the limit, first and last included, on which no authorization is needed.

    `category` is the exemption's; `first` and `last` are the first and last day affected, `days` how many between them.
    """

    by: ReleasedBy
    category: str | None
    first: date
    last: date
    days: int


class Cause(NamedTuple):
    """The record that brought the need: its day, and its place (from 1) among the episode's records of its kind."""

    record_id: str
    kind: RecordKind
    place: int
    start: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One stretch of use. Days are inclusive; `records` are the ids in it, sorted.

    `exceeded_on` is the first day beyond the limit, `count` the days counted on it, `limit_days` the limit that held
    then (or on the last day, where none is beyond). `cause` may be missing although authorization is required: where
    episodes overlap, it can take a later episode's records to pass the limit.
    """

    start: date
    end: date
    covered_days: int
    records: tuple[str, ...]
    naive_at_start: Naive
    limit_days: int
    exceeded_on: date | None = None
    count: int | None = None
    pa_required_from: date | None = None
    pa_required_days: int = 0
    cause: Cause | None = None
    releases: tuple[Release, ...] = ()

    @property
    def trigger_record(self) -> str | None:
        """The id of the record that brought the need."""
        return self.cause.record_id if self.cause else None


class MmeRun(NamedTuple):
    """Days in a row of one exact MME, first and last included. Incomplete: some record's share is unknown."""

    first: date
    last: date
    amount: Fraction
    is_complete: bool


class MmePart(NamedTuple):
    """What one record adds on each of its days: None when unknown.

    `by_rule_none` marks pain buprenorphine. Where methadone's tiers decide, `amount` is its mg, and `source` says so.
    """

    record_id: str
    amount: Fraction | None
    source: FactorSource | None
    is_fallback: bool
    by_rule_none: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mme:
    """The daily MME over time. Meaningless without `table` and `overlap`, which is why they are part of it.

    Days are counted from 50 (CDC: caution, naloxone), 90 (CMS: care coordination) and 200 MME on (CMS: optional edit).
    """

    table: MmeTable
    overlap: MmeOverlap
    series: tuple[MmeRun, ...] = ()
    parts: tuple[MmePart, ...] = ()
    peak: Fraction = Fraction(0)
    peak_on: date | None = None
    days_ge_50: int = 0
    days_ge_90: int = 0
    days_ge_200: int = 0
    on_as_of: Fraction = Fraction(0)

    @property
    def sources(self) -> tuple[FactorSource, ...]:
        """Every source a number rests on, sorted."""
        return tuple(sorted({part.source for part in self.parts if part.source}))

    @property
    def is_complete(self) -> bool:
        """Whether every day's total is whole."""
        return all(run.is_complete for run in self.series)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer to one case. `first_known_on` may be set although nothing is required any more: a retraction."""

    case_id: str
    as_of: date
    rule_version: str
    formulary_version: str
    overlap: Overlap
    counted: tuple[str, ...]
    ignored: tuple[IgnoredRecord, ...]
    episodes: tuple[Episode, ...]
    first_known_on: date | None
    mme: Mme
    attention: tuple[Attention, ...]

    @property
    def pa_required(self) -> bool:
        """Whether any day needs prior authorization."""
        return any(episode.pa_required_from is not None for episode in self.episodes)

    @property
    def history_incomplete(self) -> bool:
        """Whether some patient was taken for naive only because earlier history is unknown."""
        return any(item.reason is Look.HISTORY_INCOMPLETE for item in self.attention)


def smallest_json(verdict: Verdict) -> dict[str, Any]:
    """Return the exchange format: counted, ignored, episodes, the need and the MME series, and nothing else."""
    return {
        "id": verdict.case_id,
        "counted": list(verdict.counted),
        "ignored": [[item.record_id, item.reason.value] for item in verdict.ignored],
        "episodes": [_episode_json(episode) for episode in verdict.episodes],
        "pa_required": verdict.pa_required,
        "first_known_on": _day(verdict.first_known_on),
        "mme": _mme_json(verdict.mme),
    }


def verdict_to_json(verdict: Verdict) -> dict[str, Any]:
    """Return the exchange format with the product's own findings under further keys."""
    return smallest_json(verdict) | {
        "episodes": [_episode_json(episode) | _episode_findings(episode) for episode in verdict.episodes],
        "mme": _mme_json(verdict.mme) | _mme_findings(verdict.mme),
        "as_of": _day(verdict.as_of),
        "rule_version": verdict.rule_version,
        "formulary_version": verdict.formulary_version,
        "overlap": verdict.overlap.value,
        "history_incomplete": verdict.history_incomplete,
        "attention": [[item.record_id, item.reason.value] for item in verdict.attention],
    }


def _episode_json(episode: Episode) -> dict[str, Any]:
    return {
        "start": _day(episode.start),
        "end": _day(episode.end),
        "covered_days": episode.covered_days,
        "records": list(episode.records),
        "naive_at_start": episode.naive_at_start.value,
        "exceeded_on": _day(episode.exceeded_on),
        "pa_required_from": _day(episode.pa_required_from),
        "pa_required_days": episode.pa_required_days,
        "trigger_record": episode.trigger_record,
    }


def _episode_findings(episode: Episode) -> dict[str, Any]:
    return {
        "limit_days": episode.limit_days,
        "count": episode.count,
        "releases": [_release_json(release) for release in episode.releases],
    }


def _release_json(release: Release) -> dict[str, Any]:
    return {
        "by": release.by.value,
        "category": release.category,
        "first": _day(release.first),
        "last": _day(release.last),
        "days": release.days,
    }


def _mme_json(mme: Mme) -> dict[str, Any]:
    return {
        "series": [[_day(run.first), _day(run.last), two_decimals(run.amount), run.is_complete] for run in mme.series],
        "peak": two_decimals(mme.peak),
        "peak_on": _day(mme.peak_on),
        "days_ge_50": mme.days_ge_50,
        "days_ge_90": mme.days_ge_90,
        "on_as_of": two_decimals(mme.on_as_of),
    }


def _mme_findings(mme: Mme) -> dict[str, Any]:
    return {
        "table": mme.table.value,
        "overlap": mme.overlap.value,
        "days_ge_200": mme.days_ge_200,
        "is_complete": mme.is_complete,
        "sources": [source.value for source in mme.sources],
        "parts": [_part_json(part) for part in mme.parts],
    }


def _part_json(part: MmePart) -> dict[str, Any]:
    return {
        "record": part.record_id,
        "amount": None if part.amount is None else two_decimals(part.amount),
        "source": part.source.value if part.source else None,
        "is_fallback": part.is_fallback,
        "no_mme_by_rule": part.by_rule_none,
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
