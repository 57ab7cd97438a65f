"""The smallest change to the record that causes a need, with which there would be none: fewer days, or a later start.

Neither way is monotone: fewer days can leave a later fill opioid-naive or a patient not established, and a later start
can leave an authorized period. So nothing is halved or skipped: every number of days is tried in turn, by the days of
use alone, and what is found is verified by a full evaluation. Only where the patient's other fills need authorization
by themselves, and nothing that is added could lift that, no trial is made. The cost is bounded by the longest supply
that counts and by `LONGEST_DELAY`. Days only: what a dose requires (see `thresholds`) is not looked at.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from itertools import takewhile

from authz.rules.evaluate import evaluate
from authz.rules.formulary import Formulary, packaged
from authz.rules.placement import place
from authz.rules.policy import Basis, Mode, Overlap, Policy
from authz.rules.records import Case, Record, RecordKind
from authz.rules.selection import Supply, counted_among, days_supplied, read_supplies
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
    if question.is_without_hope():
        return None
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
    """What would avoid the need of one episode of a case as known.

    Each trial reads anew only the records that it changes, and looks no further than the first need it would make:
    hundreds of trials of hundreds of records are asked while somebody waits.
    """

    def __init__(self, case: Case, episode: Episode, formulary: Formulary) -> None:
        assert episode.cause is not None  # noqa: S101 - the caller has looked
        self._case = case
        self._formulary = formulary
        self._cause = next(record for record in case.records if record.id == episode.cause.record_id)
        self._supplies = {supply.id: supply for supply in read_supplies(case.records, case.policy, formulary)}
        self._alike = [record for record in case.records if _is_same_dispensing(record, self._cause)]
        self._circumstances = circumstances_of(case)
        needy = {record_id for records in self._in_need(self._supplies, case.as_of) for record_id in records}
        self._needy_anyway = needy - set(episode.records)

    def is_without_hope(self) -> bool:
        """Say whether the other prescriptions' fills alone make the need, which no change of the cause can lift then.

        More supplies add days of use and join episodes; so where only that counts, a need of some stays with more.
        Orders are left out, since they stop to count with time, and so are fills of the cause's own prescription.
        """
        rx_id = self._cause.rx_id
        others = {
            key: supply
            for key, supply in self._supplies.items()
            if supply.is_fill and key != self._cause.id and (rx_id is None or supply.record.rx_id != rx_id)
        }
        return _only_grows(self._case.policy) and self._makes_a_need(others, self._case.as_of)

    def fewer_days(self) -> FewerDays | None:
        supplied = days_supplied(self._cause) or 0
        for fewer in range(1, supplied):
            days = supplied - fewer
            if self._lasts_well(days) and self._is_verified(with_fewer_days(self._case, self._cause.id, days)):
                return FewerDays(fewer=fewer, days_supply=days)
        return None

    def later_start(self) -> LaterStart | None:
        starts = [self._cause.start + timedelta(days=delay) for delay in range(1, LONGEST_DELAY + 1)]
        for place_in_order, start in enumerate(starts):
            if self._starts_well(start) and self._is_verified(with_later_start(self._case, self._cause.id, start)):
                *_, last = takewhile(self._starts_well, starts[place_in_order:])
                return LaterStart(first=start, last=None if last == starts[-1] else last)
        return None

    def _lasts_well(self, days: int) -> bool:
        return self._avoids(partial(replace, days_supply=days), self._case.as_of)

    def _starts_well(self, start: date) -> bool:
        return self._avoids(partial(replace, start=start), max(self._case.as_of, start))

    def _avoids(self, change: Callable[[Record], Record], as_of: date) -> bool:
        """Say whether nothing is in need that was not anyway, with the records so changed and seen on that day."""
        changed = {
            record.id: Supply(change(record), self._supplies[record.id].product, self._case.policy)
            for record in self._alike
        }
        return not self._makes_a_need(self._supplies | changed, as_of)

    def _makes_a_need(self, supplies: Mapping[str, Supply], as_of: date) -> bool:
        return any(not self._needy_anyway.issuperset(needy) for needy in self._in_need(supplies, as_of))

    def _is_verified(self, changed: Case) -> bool:
        policies = _policies(changed.policy)
        verdicts = [evaluate(replace(changed, policy=policy), self._formulary) for policy in policies]
        needing = [episode for verdict in verdicts for episode in verdict.episodes if episode.pa_required_from]
        return {record_id for episode in needing for record_id in episode.records} <= self._needy_anyway

    def _in_need(self, supplies: Mapping[str, Supply], as_of: date) -> Iterator[list[str]]:
        """Yield the records of each episode that needs authorization: the evaluation's steps that days depend on."""
        day = as_of.toordinal()
        for policy in _policies(self._case.policy):
            counted = counted_among(supplies.values(), day, policy)
            use = Use(place(counted, policy, day), policy, self._circumstances)
            for stretch in use.stretches:
                if use.required(stretch):
                    yield [supply.id for _, _, supply in stretch.members]


def _only_grows(policy: Policy) -> bool:
    """Say whether more supplies can only add to a need: nothing leaves the count, is pushed aside, or is set free."""
    drops = policy.window_days, policy.horizon_days, policy.established_days
    return policy.mode is Mode.CUMULATIVE and policy.overlap is not Overlap.SHIFT and drops == (None, None, None)


def _policies(policy: Policy) -> Iterator[Policy]:
    """Yield the policy; one of elapsed days also with the days that are still to pass, or a need would only wait."""
    yield policy
    if policy.basis is Basis.ELAPSED:
        yield replace(policy, basis=Basis.PROJECTED)
