"""PURE: the clocks of a request: when each is due, and why. Never stored: computed from what happened and the regime.

Every due instant is a pure function of the history, the regime's version (which names the calendar's version) and the
plan's time zone. It is the last instant in time: what happens at it is in time, a microsecond later it is late.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from authz.policies.history import Happened, Kind, What
from authz.policies.regime import AppealRules, FileFrom, IfMissed, Regime, Span, Start, Track
from authz.prior_auths import deadline_words as words
from authz.prior_auths.clock_facts import facts_of, in_order, of_the_appeal
from authz.prior_auths.decision_clock import Pause, Rules, Running, gaps_that_count, running
from authz.prior_auths.elapsing import Place
from authz.prior_auths.reply_time import ANSWERED, ASKED, ReplyTime, reply_time

_DECISIONS = frozenset({What.DECIDED, What.DECIDED_ADVERSE})
_ENDS = _DECISIONS | {What.CLOSED}


class Urgency(StrEnum):
    STANDARD = "standard"
    EXPEDITED = "expedited"


@dataclass(frozen=True, slots=True)
class Due:
    """The instant (UTC) by which a determination must be made, and the reason in words with its citation."""

    at: datetime
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """One clock, in UTC.

    `due_at` is when it is due if nothing more happens; None while it cannot run without something more happening.
    `started_at` can lie ahead, where the law starts the clock on a day at the latest. `why` says it all in words, in
    the plan's time zone, with the citation; `confirmed` is whether the wording of the rule itself was read.
    """

    kind: Kind
    started_at: datetime | None
    due_at: datetime | None
    stopped_at: datetime | None
    pauses: tuple[Pause, ...]
    if_missed: IfMissed | None
    why: str
    citation: str
    confirmed: bool

    def is_missed(self, *, by: datetime) -> bool:
        """Say whether the due instant has passed, at an instant, without what was due."""
        return self.due_at is not None and self.due_at < (self.stopped_at or by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """All clocks of a request that its history calls for, and the versions they rest on."""

    regime: str
    calendar: str
    zone: str
    clocks: tuple[Clock, ...]

    def get(self, kind: Kind) -> Clock | None:
        """Return one of them; None where the regime or the history calls for none."""
        return next((clock for clock in self.clocks if clock.kind is kind), None)


def clocks(history: Iterable[Happened], *, regime: Regime, zone: ZoneInfo) -> Clocks:
    """Return the clocks of a request. What happened at one instant counts in the order given.

    Where both a request and its newest appeal have to be forwarded, the request's clock is the one told.
    """
    case = _Case(tuple(in_order(history)), regime, Place(zone, regime.calendar))
    return _of(case, case.clocks())


def appeal_clocks(history: Iterable[Happened], *, regime: Regime, zone: ZoneInfo) -> Clocks:
    """Return the clocks of the newest appeal in a request's history: until when to file, to decide, to forward it."""
    case = _Case(tuple(in_order(history)), regime, Place(zone, regime.calendar))
    return _of(case, case.of_the_appeal())


def reply_time_of(history: Iterable[Happened], *, regime: Regime, zone: ZoneInfo) -> ReplyTime | None:
    """Return by when the newest question in a request's history is to be answered; None where nothing was asked."""
    return _Case(tuple(in_order(history)), regime, Place(zone, regime.calendar)).reply_time()


def _of(case: "_Case", found: Iterable[Clock | None]) -> Clocks:
    return Clocks(
        regime=case.regime.key,
        calendar=case.regime.calendar.key,
        zone=case.place.zone.key,
        clocks=tuple(clock for clock in found if clock is not None),
    )


@dataclass(frozen=True, slots=True)
class _Case:
    """A history under a regime, at a place."""

    history: tuple[Happened, ...]
    regime: Regime
    place: Place

    def clocks(self) -> Iterator[Clock | None]:
        decide = self.decide_by()
        if decide is None:
            return
        yield decide
        yield self.notify_by(decide)
        yield self.information_reply_by()
        file_by, appeal_decide_by, forward_appeal_by = self.of_the_appeal()
        yield self.forward_by(decide) or forward_appeal_by
        yield file_by
        yield appeal_decide_by
        yield self.reopen_by()

    def of_the_appeal(self) -> tuple[Clock | None, Clock | None, Clock | None]:
        appeal = self.appeal_decide_by()
        return self.appeal_file_by(), appeal, self.forward_by(appeal) if appeal else None

    # -- the request
    def decide_by(self) -> Clock | None:
        clock = self.decision()
        if clock is None:
            return None
        regime = self.regime
        name, track = self.track()
        figures = ["rules.starts", f"{name}.decide_within", "rules.if_missed", *_figures_of(clock, name, track)]
        return self.clock(
            Kind.DECIDE_BY,
            [words.decision(clock, regime.starts, "request", self.place.zone), words.missed(regime.if_missed)],
            figures + (["rules.latest_start"] if regime.latest_start else []),
            started_at=clock.started_at,
            due_at=clock.due_at,
            stopped_at=self.first(_ENDS),
            pauses=(clock.pause,) if clock.pause else (),
            if_missed=regime.if_missed,
        )

    def decision(self) -> Running | None:
        rules = Rules(
            starts=self.regime.starts,
            latest_start=self.regime.latest_start,
            standard=self.regime.standard,
            expedited=self.regime.expedited,
        )
        return running(self.before_the_decision(), rules, self.place)

    def notify_by(self, decide: Clock) -> Clock | None:
        decided_at = self.first(_DECISIONS)
        if decided_at is None and decide.stopped_at is not None:
            return None
        within = self.regime.notify_within
        if within is None:
            started_at, due_at = decide.started_at, decide.due_at
            why = "Notice of the decision is due within the same time as the decision."
        else:
            started_at, due_at = decided_at, self.place.after(decided_at, within) if decided_at else None
            why = self.told(due_at, within, "the decision", started_at)
        figures = ["rules.notify_within"] if within else ["standard.decide_within", "expedited.decide_within"]
        return self.clock(
            Kind.NOTIFY_BY,
            [why],
            figures,
            started_at=started_at,
            due_at=due_at,
            stopped_at=self.first({What.NOTICE_DELIVERED}, since=decided_at) if decided_at else None,
        )

    def information_reply_by(self) -> Clock | None:
        time, (name, _) = self.reply_time(), self.track()
        if time is None:
            return None
        asked, *later = self.since_question()
        return self.clock(
            Kind.INFORMATION_REPLY_BY,
            [words.reply(time, asked.at, self.place.zone)],
            [f"{name}.reply_within" if time.is_law else f"{name}.missing_information"],
            started_at=asked.at,
            due_at=time.at,
            stopped_at=next((happened.at for happened in later if happened.what in ANSWERED | _ENDS), None),
        )

    def reply_time(self) -> ReplyTime | None:
        """Return by when the newest question is to be answered; None where nothing was asked."""
        since, clock = self.since_question(), self.decision()
        if not since or clock is None:
            return None
        is_decided = any(happened.what in _ENDS for happened in self.history[: -len(since)])
        facts, (_, track) = facts_of(self.before_the_decision()), self.track()
        seen = facts.for_expedited() if facts and clock.is_expedited else facts
        gaps = gaps_that_count(seen, track, self.place) if seen else ()
        return reply_time(since[0], None if is_decided else clock, track, gaps, self.place)

    def since_question(self) -> tuple[Happened, ...]:
        """Return the newest question and what happened since; nothing where none was asked."""
        asked = [n for n, happened in enumerate(self.history) if happened.what in ASKED]
        return self.history[asked[-1] :] if asked else ()

    def track(self) -> tuple[str, Track]:
        """Return the track that the decision's clock is on, by its name among the figures."""
        clock = self.decision()
        is_expedited = clock is not None and clock.is_expedited
        return ("expedited", self.regime.expedited) if is_expedited else ("standard", self.regime.standard)

    def forward_by(self, missed: Clock) -> Clock | None:
        within, due_at = self.regime.forward_within, missed.due_at
        if within is None or missed.if_missed is not IfMissed.DEEMED_ADVERSE or due_at is None:
            return None
        if missed.stopped_at is not None and missed.stopped_at <= due_at:
            return None
        forward_at = self.place.after(due_at, within)
        is_appeal = missed.kind is Kind.APPEAL_DECIDE_BY
        what = "appeal" if is_appeal else "request"
        # What is approved, decided anew or given up after all is not forwarded.
        moot = {What.APPEAL_CLOSED} if is_appeal else {What.DECIDED, What.CLOSED}
        ended = [self.first({What.FORWARDED, *moot}, since=due_at), None if is_appeal else self.decided_anew()]
        return self.clock(
            Kind.FORWARD_BY,
            [
                f"{words.due(forward_at, within, self.place.zone)}, if the {what} was not decided in time: "
                f"{within} after that time ends it is to be with the independent reviewer, unless it is approved in "
                f"full{'' if is_appeal else ' or decided anew'} before."
            ],
            ["rules.forward_within"],
            started_at=due_at,
            due_at=forward_at,
            stopped_at=min((at for at in ended if at is not None), default=None),
        )

    # -- after the decision
    def appeal_file_by(self) -> Clock | None:
        rules, decided = self.regime.appeal, self.last_decision()
        if rules is None or decided is None or decided.what is not What.DECIDED_ADVERSE:
            return None
        first = self.notice_counts_from(rules, decided)
        due_at = self.place.end_of(self.place.last_day(self.place.day_of(first), rules.file_within)) if first else None
        since = "receipt of the notice" if rules.file_from is FileFrom.RECEIPT else "the date of the notice"
        presumed = f" (presumed {rules.presumed_receipt} after its date)" if rules.presumed_receipt else ""
        return self.clock(
            Kind.APPEAL_FILE_BY,
            [self.told(due_at, rules.file_within, f"{since}{presumed}", first)],
            ["appeal.file_within", "appeal.file_from"] + (["appeal.presumed_receipt"] if presumed else []),
            started_at=first,
            due_at=due_at,
            stopped_at=self.first({What.APPEAL_FILED}, since=decided.at),
        )

    def notice_counts_from(self, rules: AppealRules, decided: Happened) -> datetime | None:
        """Return the instant from whose day the time to appeal counts; None while there is no notice."""
        sent_at = self.first({What.NOTICE_SENT, What.NOTICE_DELIVERED}, since=decided.at)
        delivered_at = self.first({What.NOTICE_DELIVERED}, since=decided.at)
        if rules.file_from is FileFrom.NOTICE:
            return sent_at
        if rules.presumed_receipt is None or sent_at is None:
            return delivered_at
        presumed_at = self.place.after(sent_at, rules.presumed_receipt)
        return max(presumed_at, delivered_at or presumed_at)

    def appeal_decide_by(self) -> Clock | None:
        rules, appeal = self.regime.appeal, of_the_appeal(self.history)
        if rules is None or not appeal:
            return None
        ended_at = next((happened.at for happened in appeal if happened.what in _ENDS), None)
        heard = [happened for happened in appeal if _counts(happened, ended_at)]
        tracks = Rules(starts=Start.RECEIPT, latest_start=None, standard=rules.standard, expedited=rules.expedited)
        clock = running(heard, tracks, self.place)
        if clock is None:
            return None
        name = "expedited" if clock.is_expedited else "standard"
        track = rules.expedited if clock.is_expedited else rules.standard
        return self.clock(
            Kind.APPEAL_DECIDE_BY,
            [words.decision(clock, Start.RECEIPT, "appeal", self.place.zone), words.missed(rules.if_missed)],
            [f"appeal.{name}.decide_within", "appeal.if_missed", *_figures_of(clock, f"appeal.{name}", track)],
            started_at=clock.started_at,
            due_at=clock.due_at,
            stopped_at=ended_at,
            if_missed=rules.if_missed,
        )

    def reopen_by(self) -> Clock | None:
        within, decided = self.regime.reopen_within, self.last_decision()
        if within is None or decided is None:
            return None
        due_at = self.place.after(decided.at, within)
        return self.clock(
            Kind.REOPEN_BY,
            [self.told(due_at, within, "the decision", decided.at)],
            ["rules.reopen_within"],
            started_at=decided.at,
            due_at=due_at,
        )

    # -- what the clocks are made from
    def before_the_decision(self) -> list[Happened]:
        ended_at = self.first(_ENDS)
        return [happened for happened in self.history if _counts(happened, ended_at)]

    def first(self, kinds: Iterable[What], *, since: datetime | None = None) -> datetime | None:
        wanted = frozenset(kinds)
        found = (happened.at for happened in self.history if happened.what in wanted)
        return next((at for at in found if since is None or at >= since), None)

    def decided_anew(self) -> datetime | None:
        """Return when a second determination took the place of the first, whatever it says; None without one."""
        decisions = [happened.at for happened in self.history if happened.what in _DECISIONS]
        return decisions[1] if len(decisions) > 1 else None

    def last_decision(self) -> Happened | None:
        return next((happened for happened in reversed(self.history) if happened.what in _DECISIONS), None)

    def told(self, due_at: datetime | None, within: Span, since: str, at: datetime | None) -> str:
        if due_at is None or at is None:
            return f"Not running yet: {within} after {since}, which has not been recorded."
        zone = self.place.zone
        return f"{words.due(due_at, within, zone)}: {within} after {since}, {words.moment(at, zone)}."

    def clock(
        self,
        kind: Kind,
        why: Iterable[str],
        figures: Iterable[str],
        *,
        started_at: datetime | None,
        due_at: datetime | None,
        stopped_at: datetime | None = None,
        pauses: tuple[Pause, ...] = (),
        if_missed: IfMissed | None = None,
    ) -> Clock:
        marks = [self.regime.marks[figure] for figure in figures]
        citation = "; ".join(dict.fromkeys(self.regime.sources[mark.source].cites for mark in marks))
        confirmed = all(mark.confirmed for mark in marks)
        return Clock(
            kind=kind,
            started_at=started_at,
            due_at=due_at,
            stopped_at=stopped_at,
            pauses=pauses,
            if_missed=if_missed,
            why=words.sentences([*why, words.source(self.regime.title, citation, confirmed=confirmed)]),
            citation=citation,
            confirmed=confirmed,
        )


def _figures_of(clock: Running, name: str, track: Track) -> Iterator[str]:
    """Yield the further figures that a decision's clock rests on as it stands."""
    if clock.pause or clock.restarted_at or clock.due_at is None:
        yield f"{name}.missing_information"
    if clock.restarted_at and track.then_within:
        yield f"{name}.then_within"
    if clock.extended_by:
        yield f"{name}.extend_by"


def _counts(happened: Happened, ended_at: datetime | None) -> bool:
    """Say whether something can move the clock of a decision that was made, or given up, at an instant."""
    return happened.what not in _ENDS and (ended_at is None or happened.at <= ended_at)
