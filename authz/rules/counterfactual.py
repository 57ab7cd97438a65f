"""The smallest change to the record that causes a need, with which there would be none: fewer days, or a later start.

Neither way is monotone: fewer days can leave a later fill opioid-naive or a patient not established, and a later start
can leave an authorized period. So nothing is halved or skipped: every number of days is tried in turn, by the days of
use alone, and what is found is verified by a full evaluation. The cost is bounded by the longest supply that counts
and by `LONGEST_DELAY`. Days only: what a dose requires (see `thresholds`) is not looked at.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import takewhile

from authz.rules.evaluate import evaluate
from authz.rules.formulary import Formulary, packaged
from authz.rules.placement import place
from authz.rules.policy import Basis
from authz.rules.records import Case, Record, RecordKind
from authz.rules.selection import Ledger, days_supplied, read_supplies
from authz.rules.use_days import Use, circumstances_of
from authz.rules.verdict import Episode

LONGEST_DELAY = 366
"""How many days later a start is tried (own choice: nobody holds a supply back for more than a year)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FewerDays:
    """So many days fewer than were supplied, which leaves `days_supply`."""

    fewer: int
    days_supply: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterStart:
    """A start on any day from `first` to `last`; None is as far as was looked, `LONGEST_DELAY` days."""

    first: date
    last: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterfactual:
    """What would have avoided an episode's need; each way by itself, and at least one of them."""

    record_id: str
    fewer_days: FewerDays | None
    later_start: LaterStart | None

    @property
    def sentence(self) -> str:
        """Return it in words."""
        ways = " or ".join(_ways(self.fewer_days, self.later_start))
        return f"No authorization would be needed with record {self.record_id} {ways}."


def _ways(fewer: FewerDays | None, later: LaterStart | None) -> Iterator[str]:
    if fewer is not None:
        word, total = "day" if fewer.fewer == 1 else "days", fewer.days_supply + fewer.fewer
        yield f"for {fewer.fewer} fewer {word} ({fewer.days_supply} instead of {total})"
    if later is not None and later.last is None:
        yield f"starting on or after {later.first}"
    elif later is not None:
        days = f"on {later.first}" if later.first == later.last else f"from {later.first} to {later.last}"
        yield f"starting {days}"


def counterfactual(case: Case, episode: Episode, formulary: Formulary | None = None) -> Counterfactual | None:
    """Return the smallest changes to the causing record with which nothing of the episode's use needs authorization.

    `episode` is one of the verdict on the case. A change is refused if it only moves the need, to another of the
    patient's records; needs that other episodes have anyway stay. None when the episode needs nothing, no single
    record is its cause, or neither way helps.
    """
    if episode.cause is None:
        return None
    question = _Question(as_known(case), episode, formulary or packaged())
    fewer, later = question.fewer_days(), question.later_start()
    if fewer is None and later is None:
        return None
    return Counterfactual(record_id=episode.cause.record_id, fewer_days=fewer, later_start=later)


def as_known(case: Case) -> Case:
    """Return the case with each record's one version that is current on its `as_of`."""
    newest: dict[str, Record] = {}
    for record in sorted(case.records, key=lambda record: (record.recorded_on, record.version)):
        if record.recorded_on <= case.as_of:
            newest[record.id] = record
    return replace(case, records=tuple(newest.values()))


def with_fewer_days(case: Case, record_id: str, days_supply: int) -> Case:
    """Return the case as known on its `as_of`, with the record supplied for so many days."""
    return _changed(case, record_id, lambda record: replace(record, days_supply=days_supply))


def with_later_start(case: Case, record_id: str, start: date) -> Case:
    """Return the case as known on its `as_of`, with the record started later; seen from that day, if it is to come."""
    later = _changed(case, record_id, lambda record: replace(record, start=start))
    return replace(later, as_of=max(case.as_of, start))


def _changed(case: Case, record_id: str, change: Callable[[Record], Record]) -> Case:
    """Change a record and every other report of the same dispensing, which would otherwise count in its stead."""
    known = as_known(case)
    one = next(record for record in known.records if record.id == record_id)
    records = (change(record) if _is_same_dispensing(record, one) else record for record in known.records)
    return replace(known, records=tuple(records))


def _is_same_dispensing(record: Record, one: Record) -> bool:
    if record.id == one.id:
        return True
    are_fills = record.kind is one.kind is RecordKind.FILL
    return are_fills and one.rx_id is not None and _dispensing(record) == _dispensing(one)


def _dispensing(record: Record) -> tuple[object, ...]:
    return record.rx_id, record.fill_number, record.start, record.rxcui


class _Question:
    """What would avoid the need of one episode of a case as known."""

    def __init__(self, case: Case, episode: Episode, formulary: Formulary) -> None:
        assert episode.cause is not None  # noqa: S101 - the caller has looked
        self._case = case
        self._formulary = formulary
        self._cause = next(record for record in case.records if record.id == episode.cause.record_id)
        self._needy_anyway = self._in_need(case) - set(episode.records)

    def fewer_days(self) -> FewerDays | None:
        supplied = days_supplied(self._cause) or 0
        for fewer in range(1, supplied):
            changed = with_fewer_days(self._case, self._cause.id, supplied - fewer)
            if self._avoids(changed) and self._is_verified(changed):
                return FewerDays(fewer=fewer, days_supply=supplied - fewer)
        return None

    def later_start(self) -> LaterStart | None:
        starts = [self._cause.start + timedelta(days=delay) for delay in range(1, LONGEST_DELAY + 1)]
        for place_in_order, start in enumerate(starts):
            if self._avoids(self._starting(start)) and self._is_verified(self._starting(start)):
                holding = takewhile(lambda day: self._avoids(self._starting(day)), starts[place_in_order:])
                *_, last = holding
                return LaterStart(first=start, last=None if last == starts[-1] else last)
        return None

    def _starting(self, start: date) -> Case:
        return with_later_start(self._case, self._cause.id, start)

    def _avoids(self, changed: Case) -> bool:
        return self._in_need(changed) <= self._needy_anyway

    def _is_verified(self, changed: Case) -> bool:
        verdicts = [evaluate(seen, self._formulary) for seen in _as_seen(changed)]
        needing = [episode for verdict in verdicts for episode in verdict.episodes if episode.pa_required_from]
        return {record_id for episode in needing for record_id in episode.records} <= self._needy_anyway

    def _in_need(self, case: Case) -> set[str]:
        """Return the records of every episode that needs authorization: the evaluation's steps that days depend on."""
        return {record_id for seen in _as_seen(case) for record_id in self._in_need_as_seen(seen)}

    def _in_need_as_seen(self, case: Case) -> Iterator[str]:
        as_of = case.as_of.toordinal()
        counted = Ledger(read_supplies(case.records, case.policy, self._formulary), case.policy).counted_on(as_of)
        use = Use(place(counted, case.policy, as_of), case.policy, circumstances_of(case))
        for stretch in use.stretches:
            if use.required(stretch):
                yield from (supply.id for _, _, supply in stretch.members)


def _as_seen(case: Case) -> Iterator[Case]:
    """Yield the case; under the elapsed basis also with the days that are still to pass, or a need would only wait."""
    yield case
    if case.policy.basis is Basis.ELAPSED:
        yield replace(case, policy=replace(case.policy, basis=Basis.PROJECTED))
