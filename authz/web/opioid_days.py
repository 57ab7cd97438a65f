"""PURE: a patient's use day by day, read off a verdict: which day of use it is, and whether it needs authorization."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from authz.rules.amounts import two_decimals
from authz.rules.verdict import Episode, MmeRun, Release, Verdict

_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfUse:
    """Which day of use a day is. `number` is 0 before the first; `ended_on` is set when the last has passed.

    `mme` is that day's, of the first day before the use begins and of the last once it has ended; empty when unknown.
    """

    number: int
    limit: int
    ended_on: date | None
    mme: str
    is_mme_whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UseDay:
    """One covered day. `number` counts from 1 within the episode; `mme` has two decimals."""

    on: date
    number: int
    mme: str
    is_mme_whole: bool
    is_beyond: bool
    needs_authorization: bool

    @property
    def standing(self) -> str:
        """Return in words what the limit means for the day."""
        if not self.is_beyond:
            return "within the limit"
        return "beyond the limit, needs authorization" if self.needs_authorization else "beyond the limit, released"


@dataclass(frozen=True, slots=True)
class UseRun:
    """Days in a row that differ in nothing but their number."""

    first: UseDay
    last: UseDay


def day_of_use(verdict: Mapping[str, Any], record_ids: Collection[UUID], *, on: date) -> DayOfUse | None:
    """Return the day of use of the episode that holds any of the records; None when the verdict has none.

    `verdict` is the kept JSON of an evaluation.
    """
    wanted = {str(record_id) for record_id in record_ids}
    episode = next((e for e in verdict["episodes"] if not wanted.isdisjoint(e["records"])), None)
    if episode is None:
        return None
    start, end = date.fromisoformat(episode["start"]), date.fromisoformat(episode["end"])
    last = min(on, end)
    number = sum(_days_within(run, start, last) for run in verdict["mme"]["series"])
    amount, is_whole = _mme_of(verdict["mme"]["series"], start, last)
    return DayOfUse(
        number=number,
        limit=episode["limit_days"],
        ended_on=end if on > end else None,
        mme=amount,
        is_mme_whole=is_whole,
    )


def _mme_of(series: Sequence[Sequence[Any]], start: date, last: date) -> tuple[str, bool]:
    """Return the MME of the run of days that holds a day, else of the one before it, else of the first."""
    runs = [run for run in series if date.fromisoformat(run[1]) >= start]
    begun = [run for run in runs if date.fromisoformat(run[0]) <= last]
    held = (begun or runs[:1])[-1:]
    return (held[0][2], held[0][3]) if held else ("", False)


def _days_within(run: Sequence[Any], start: date, last: date) -> int:
    first, stop = max(date.fromisoformat(run[0]), start), min(date.fromisoformat(run[1]), last)
    return max(0, (stop - first).days + 1)


def newest_episode(verdict: Verdict) -> Episode | None:
    """Return the stretch of use that ends last."""
    return max(verdict.episodes, key=lambda episode: (episode.end, episode.start), default=None)


def use_days(verdict: Verdict, episode: Episode) -> list[UseDay]:
    """Return every covered day of an episode, in order."""
    covered = list(_covered(verdict.mme.series, episode))
    free = _released({on for on, _ in covered}, episode.releases)
    return [_use_day(number, on, run, episode, free) for number, (on, run) in enumerate(covered, start=1)]


def runs(days: Iterable[UseDay]) -> list[UseRun]:
    """Return the days put together where nothing but the number changes, as a table can show them."""
    found = []
    numbered = groupby(days, key=lambda d: (d.mme, d.is_mme_whole, d.standing, d.on - d.number * _A_DAY))
    for _, group in numbered:
        listed = list(group)
        found.append(UseRun(listed[0], listed[-1]))
    return found


def _covered(series: Iterable[MmeRun], episode: Episode) -> Iterator[tuple[date, MmeRun]]:
    for run in series:
        on = max(run.first, episode.start)
        while on <= min(run.last, episode.end):
            yield on, run
            on += _A_DAY


def _use_day(number: int, on: date, run: MmeRun, episode: Episode, free: Collection[date]) -> UseDay:
    is_beyond = episode.exceeded_on is not None and on >= episode.exceeded_on
    is_due = episode.pa_required_from is not None and on >= episode.pa_required_from
    return UseDay(
        on=on,
        number=number,
        mme=two_decimals(run.amount),
        is_mme_whole=run.is_complete,
        is_beyond=is_beyond,
        needs_authorization=is_beyond and is_due and on not in free,
    )


def _released(covered: Collection[date], releases: Iterable[Release]) -> set[date]:
    """Return the days that a release lifts; one that leaves out days between its ends is not told day by day."""
    free: set[date] = set()
    for release in releases:
        between = {on for on in covered if release.first <= on <= release.last}
        if len(between) == release.days:
            free |= between
    return free
