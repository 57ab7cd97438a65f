"""PURE: the clock of a decision, of a request's or of an appeal's: when it starts, stands still and is due."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from authz.policies.history import Happened
from authz.policies.regime import MissingInformation, Span, Start, Track, Unit
from authz.prior_auths.clock_facts import Facts, Gap, facts_of
from authz.prior_auths.elapsing import Place


@dataclass(frozen=True, slots=True)
class Pause:
    """While a clock stood still. `until` is when the answer came or, `is_open`, when the clock goes on without one."""

    since: datetime
    until: datetime
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a regime says of one decision."""

    starts: Start
    latest_start: Span | None
    standard: Track
    expedited: Track


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A decision's clock. Without `started_at` and `due_at` it waits for what is missing.

    `within` is the time that ends at `due_at`, before pause and extension; `is_assumed` says that the start is the
    law's, for want of what would have started it; `restarted_at` is when what was missing came; `is_sped_up` that the
    time counts from the request to expedite.
    """

    is_expedited: bool
    within: Span
    started_at: datetime | None
    due_at: datetime | None
    is_assumed: bool = False
    is_sped_up: bool = False
    restarted_at: datetime | None = None
    pause: Pause | None = None
    extended_by: int = 0


def running(history: Iterable[Happened], rules: Rules, place: Place) -> Running | None:
    """Return the clock as the history leaves it; None before receipt.

    What comes after the due instant comes too late: a question, a return, an extension or a refusal to expedite then
    cannot make due again what was missed.
    """
    heard: list[Happened] = []
    clock: Running | None = None
    for happened in history:
        if clock is not None and clock.due_at is not None and happened.at > clock.due_at:
            break
        heard.append(happened)
        facts = facts_of(heard)
        clock = _running(facts, rules, place) if facts else None
    return clock


def gaps_that_count(facts: Facts, track: Track, place: Place) -> tuple[Gap, ...]:
    """Return the gaps that the insurer opened early enough to matter to this track's clock."""
    if track.ask_within is None:
        return facts.gaps
    last = place.after(facts.counts_from, track.ask_within)
    return tuple(gap for gap in facts.gaps if gap.opened_at <= last)


def _running(facts: Facts, rules: Rules, place: Place) -> Running:
    """Return the earlier of the two: asking late to be expedited never gives more time."""
    standard = _on(rules.standard, facts.for_standard(), rules, place)
    if facts.expedited_since is None:
        return standard
    expedited = _on(rules.expedited, facts.for_expedited(), rules, place)
    if standard.due_at is None or (expedited.due_at is not None and expedited.due_at <= standard.due_at):
        return expedited
    return standard


def _on(track: Track, facts: Facts, rules: Rules, place: Place) -> Running:
    is_expedited = facts.expedited_since is not None
    started = _started(track, facts, rules, place)
    if started.at is None:
        return Running(is_expedited=is_expedited, within=started.within, started_at=None, due_at=None)
    start = max(started.at, facts.counts_from)
    pause = _pause(track, facts, place)
    days = _days_more(track, facts)
    return Running(
        is_expedited=is_expedited,
        within=started.within,
        started_at=start,
        due_at=_due(start, started.within, pause, days, place),
        is_assumed=started.is_assumed,
        is_sped_up=start > started.at,
        restarted_at=started.restarted_at,
        pause=pause,
        extended_by=days,
    )


@dataclass(frozen=True, slots=True)
class _Started:
    at: datetime | None
    within: Span
    is_assumed: bool = False
    restarted_at: datetime | None = None


def _started(track: Track, facts: Facts, rules: Rules, place: Place) -> _Started:
    if rules.latest_start is not None:
        return _with_the_statement(track, facts, rules.latest_start, place)
    gaps = gaps_that_count(facts, track, place)
    if not gaps or track.missing_information not in {MissingInformation.WAITS, MissingInformation.RESTARTS}:
        return _Started(facts.received_at, track.decide_within)
    end, is_assumed = _end(gaps[-1].opened_at, gaps[-1], track, place)
    return _Started(end, track.then_within or track.decide_within, is_assumed, restarted_at=end)


def _with_the_statement(track: Track, facts: Facts, latest_start: Span, place: Place) -> _Started:
    latest = place.after(facts.received_at, latest_start)
    if facts.statement_at is None or facts.statement_at > latest:
        return _Started(latest, track.decide_within, is_assumed=True)
    return _Started(max(facts.received_at, facts.statement_at), track.decide_within)


def _pause(track: Track, facts: Facts, place: Place) -> Pause | None:
    """Return the one pause of a clock that stops, from the first notice that said what is missing."""
    if track.missing_information is not MissingInformation.STOPS:
        return None
    for gap in facts.gaps:
        if gap.noticed_at is not None:
            until, is_open = _end(gap.noticed_at, gap, track, place)
            return Pause(gap.noticed_at, until, is_open) if until else None
    return None


def _end(since: datetime, gap: Gap, track: Track, place: Place) -> tuple[datetime | None, bool]:
    """Return when the clock goes on, with the answer or with the end of the time to give one, and whether without."""
    if track.reply_within is None:
        return gap.closed_at, False
    last = place.after(since, track.reply_within)
    if gap.closed_at is None or gap.closed_at > last:
        return last, True
    return gap.closed_at, False


def _days_more(track: Track, facts: Facts) -> int:
    if track.extend_by is None or facts.extension is None:
        return 0
    most = track.extend_by.amount
    return most if facts.extension.days is None else min(facts.extension.days, most)


def _due(start: datetime, within: Span, pause: Pause | None, days: int, place: Place) -> datetime:
    """Return the due instant. A pause moves it by days, and so does an extension; only days can stand still."""
    if within.unit is Unit.HOURS:
        due = place.after(start, within)
        return place.days_later(due, days) if days else due
    if pause:
        days += (place.day_of(pause.until) - place.day_of(pause.since)).days
    return place.end_of(place.last_day(place.day_of(start), within) + timedelta(days=days))
