"""PURE: what a history says about one clock: when it may start, what was asked and answered, what was extended."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from authz.policies.history import Happened, What

_OPENS = frozenset({What.INFO_ASKED, What.RETURNED_INCOMPLETE})
_CLOSES = frozenset({What.INFO_ANSWERED, What.COMPLETED})
_APPEAL_AS_REQUEST: Mapping[What, What] = {
    What.APPEAL_FILED: What.RECEIVED,
    What.APPEAL_EXPEDITED_ASKED: What.EXPEDITED_ASKED,
    What.APPEAL_EXPEDITED_REFUSED: What.EXPEDITED_REFUSED,
    What.APPEAL_EXTENDED: What.EXTENDED,
    What.APPEAL_DECIDED: What.DECIDED,
    What.APPEAL_CLOSED: What.CLOSED,
}


@dataclass(frozen=True, slots=True)
class Gap:
    """While something asked for was missing. `noticed_at` is when that was said in the notice that stops a clock."""

    opened_at: datetime
    noticed_at: datetime | None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """More time, noticed at an instant; `days` None is all that the regime allows."""

    noticed_at: datetime
    days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What counts for a decision's clock. Only the first extension counts.

    `expedited_since` is when it was asked to be expedited, while that has not been refused.
    """

    received_at: datetime
    statement_at: datetime | None = None
    gaps: tuple[Gap, ...] = ()
    extension: Extension | None = None
    expedited_since: datetime | None = None

    @property
    def counts_from(self) -> datetime:
        """The first instant from which a time can count."""
        return max(self.received_at, self.expedited_since or self.received_at)

    def for_standard(self) -> "Facts":
        """Return what the standard clock sees: nobody asked for speed."""
        return replace(self, expedited_since=None)

    def for_expedited(self) -> "Facts":
        """Return what the expedited clock sees: what was missing when speed was asked for was asked for then."""
        since = self.counts_from
        missing = [gap for gap in self.gaps if gap.closed_at is None or gap.closed_at > since]
        return replace(self, gaps=tuple(replace(gap, opened_at=max(gap.opened_at, since)) for gap in missing))


def in_order(history: Iterable[Happened]) -> list[Happened]:
    """Return a history by its instants; what happened at one instant stays in the order given."""
    return sorted(history, key=lambda happened: happened.at)


def of_the_appeal(history: Sequence[Happened]) -> list[Happened]:
    """Return what happened to the newest appeal, in the words for a request."""
    filed = [n for n, happened in enumerate(history) if happened.what is What.APPEAL_FILED]
    newest = history[filed[-1] :] if filed else ()
    return [
        replace(happened, what=_APPEAL_AS_REQUEST[happened.what])
        for happened in newest
        if happened.what in _APPEAL_AS_REQUEST
    ]


def facts_of(history: Iterable[Happened]) -> Facts | None:
    """Return what a history says about the clock of a decision; None before the request was received."""
    facts: Facts | None = None
    statement_at: datetime | None = None
    for happened in history:
        if happened.what is What.STATEMENT_RECEIVED:
            statement_at = statement_at or happened.at
        if facts is not None:
            facts = _with(facts, happened)
        elif happened.what is What.RECEIVED:
            facts = Facts(received_at=happened.at)
    return replace(facts, statement_at=statement_at) if facts else None


def _with(facts: Facts, happened: Happened) -> Facts:
    match happened.what:
        case what if what in _OPENS:
            return replace(facts, gaps=_opened(facts.gaps, happened))
        case what if what in _CLOSES:
            return replace(facts, gaps=_closed(facts.gaps, happened))
        case What.EXTENDED if facts.extension is None:
            return replace(facts, extension=Extension(happened.at, happened.days))
        case What.EXPEDITED_ASKED | What.EXPEDITED_GRANTED if facts.expedited_since is None:
            return replace(facts, expedited_since=happened.at)
        case What.EXPEDITED_REFUSED:
            return replace(facts, expedited_since=None)
    return facts


def _opened(gaps: tuple[Gap, ...], happened: Happened) -> tuple[Gap, ...]:
    noticed_at = happened.at if happened.with_notice else None
    if not gaps or gaps[-1].closed_at is not None:
        return (*gaps, Gap(happened.at, noticed_at))
    return (*gaps[:-1], replace(gaps[-1], noticed_at=gaps[-1].noticed_at or noticed_at))


def _closed(gaps: tuple[Gap, ...], happened: Happened) -> tuple[Gap, ...]:
    if not gaps or gaps[-1].closed_at is not None:
        return gaps
    return (*gaps[:-1], replace(gaps[-1], closed_at=happened.at))
