"""PURE: a regime, the legal clock a plan's decisions run on, as dated and cited values."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from authz.errors import InvalidInput
from authz.policies.calendar import Calendar
from authz.policies.history import Happened, Kind
from authz.policies.version import Mark

_SPAN = re.compile(r"([1-9]\d{0,3}) (hour|calendar day|business day|year)s?")


class Unit(StrEnum):
    """Hours elapse, whatever clocks and calendars do; days and years end with a day in the plan's time zone."""

    HOURS = "hours"
    CALENDAR_DAYS = "calendar days"
    BUSINESS_DAYS = "business days"
    YEARS = "years"


@dataclass(frozen=True, slots=True)
class Span:
    """A length of legal time, such as 72 hours, which are not 3 calendar days."""

    amount: int
    unit: Unit

    @classmethod
    def read(cls, text: str) -> "Span":
        """Return the span that a text such as "15 calendar days" names.

        :raises ValueError: when it names none.
        """
        found = _SPAN.fullmatch(text)
        span = cls(int(found[1]), Unit(f"{found[2]}s")) if found else None
        if span is None or str(span) != text:
            raise ValueError("a length such as '72 hours', '15 calendar days' or '1 year' is needed")
        return span

    def __str__(self) -> str:
        return f"{self.amount} {self.unit.removesuffix('s') if self.amount == 1 else self.unit}"


class Start(StrEnum):
    """What starts the decision clock."""

    RECEIPT = "receipt"
    SUPPORTING_STATEMENT = "supporting_statement"
    COMPLETED_REQUEST = "completed_request"
    ALL_NECESSARY_INFORMATION = "all_necessary_information"


class MissingInformation(StrEnum):
    """What happens to the decision clock while something is missing that the insurer has asked for.

    `waits` and `restarts`: it is not running, and when the answer is there the whole time begins.
    `stops`: it stands still, once, and goes on. `may_extend`: it runs, and the insurer may give notice of more time.
    """

    KEEPS_RUNNING = "keeps_running"
    WAITS = "waits"
    STOPS = "stops"
    RESTARTS = "restarts"
    MAY_EXTEND = "may_extend"


class IfMissed(StrEnum):
    """What follows by law when the due instant passes without a determination."""

    BREACH_ONLY = "breach_only"
    DEEMED_APPROVED = "deemed_approved"
    DEEMED_ADVERSE = "deemed_adverse"
    ADVERSE_APPEALABLE = "adverse_appealable"
    DEEMED_EXHAUSTED = "deemed_exhausted"
    BY_STATE = "by_state"


class Denier(StrEnum):
    """Who may decide against what was asked."""

    PHYSICIAN = "physician"
    PHYSICIAN_OR_PHARMACIST = "physician_or_pharmacist"


class NextLevel(StrEnum):
    """Who looks at what the insurer has upheld on appeal."""

    INDEPENDENT_REVIEWER = "independent_reviewer"
    FAIR_HEARING = "fair_hearing"


class FileFrom(StrEnum):
    """From when the time to file an appeal counts: the date of the notice, or its receipt."""

    NOTICE = "notice"
    RECEIPT = "receipt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """The decision clock of standard or of expedited requests.

    `ask_within` is how soon after the start the insurer must ask for its question to have an effect, `reply_within`
    how long an answer may take before the clock goes on without it, `then_within` the time after that if it is not
    `decide_within`, and `extend_by` the most by which notice may move the deadline, once.
    """

    decide_within: Span
    missing_information: MissingInformation
    ask_within: Span | None = None
    reply_within: Span | None = None
    then_within: Span | None = None
    extend_by: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealRules:
    """The time to file an appeal, and to decide it.

    A notice is presumed to be received `presumed_receipt` after its date, unless it is known to have come later.
    `next_level` is None where the regime names nobody who looks at what was upheld.
    """

    file_within: Span
    file_from: FileFrom
    presumed_receipt: Span | None
    standard: Track
    expedited: Track
    if_missed: IfMissed
    next_level: NextLevel | None = None


class Source(NamedTuple):
    """A rule by its citation, and on what reading of it the figures rest."""

    cites: str
    basis: str


class Figure(NamedTuple):
    """One thing a regime says, by its place in the document and as a text, and where it was read."""

    name: str
    value: str
    source: Source
    confirmed: bool


class Example(NamedTuple):
    """A history a person can check by hand, and when each clock it names must be due; None: it is not running."""

    name: str
    zone: str
    history: tuple[Happened, ...]
    due: Mapping[Kind, datetime | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """One version of a regime, in force from `in_force_from` to `in_force_until`, both included; None is open.

    `latest_start`, counted from receipt, is when the clock starts at the latest. `notify_within` is counted from the
    decision; None means that notice is due when the decision is. `speed_cannot_be_refused` says that what the
    prescriber asks to be expedited is. `marks` tells of every figure, by its place in the
    document such as `standard.decide_within`, where it was read, and whether the wording of the rule itself was; a
    figure that is not confirmed is shown as such. `notes` are sentences for operators.

    :raises InvalidInput: when the figures contradict each other.
    """

    code: str
    version: str
    title: str
    in_force_from: date
    in_force_until: date | None
    covers_drugs: bool
    calendar: Calendar
    sources: Mapping[str, Source]
    starts: Start
    latest_start: Span | None
    standard: Track
    expedited: Track
    notify_within: Span | None
    if_missed: IfMissed
    forward_within: Span | None
    appeal: AppealRules | None
    denied_by: Denier
    peer_to_peer_required: bool
    speed_cannot_be_refused: bool
    reopen_within: Span | None
    emergency_supply: Span | None
    marks: Mapping[str, Mark]
    examples: tuple[Example, ...]
    notes: tuple[str, ...]

    def __post_init__(self) -> None:
        wrong: dict[str, list[str]] = {}
        for path, sentence in self._contradictions():
            wrong.setdefault(path, []).append(sentence)
        if wrong:
            raise InvalidInput(wrong)

    def _contradictions(self) -> Iterator[tuple[str, str]]:
        if (self.latest_start is not None) != (self.starts is Start.SUPPORTING_STATEMENT):
            yield "rules.latest_start", "It goes with a start at the supporting statement, and with no other."
        if (self.forward_within is not None) != (self.if_missed is IfMissed.DEEMED_ADVERSE):
            yield "rules.forward_within", "It goes with deemed_adverse, and with nothing else."
        for name, track in (("standard", self.standard), ("expedited", self.expedited)):
            if track.missing_information not in _FITS[self.starts]:
                fitting = " or ".join(_FITS[self.starts])
                yield f"{name}.missing_information", f"A start at {self.starts} goes with {fitting}."
            yield from _contradictions_of(track, name)

    @property
    def key(self) -> str:
        """The version's name, such as part_d-2025."""
        return f"{self.code}-{self.version}"

    @property
    def citation(self) -> str:
        """All that it cites, in one text."""
        return "; ".join(source.cites for source in self.sources.values())

    @property
    def confirmed(self) -> bool:
        """Whether the wording of the rule itself was read for every figure."""
        return all(mark.confirmed for mark in self.marks.values())

    @property
    def unconfirmed(self) -> list[str]:
        """The figures to be compared with the rule's current wording, sorted."""
        return sorted(name for name, mark in self.marks.items() if not mark.confirmed)

    def is_in_force(self, on: date) -> bool:
        """Say whether it holds on a day."""
        return self.in_force_from <= on and (self.in_force_until is None or on <= self.in_force_until)

    def figures(self) -> Iterator[Figure]:
        """Yield every figure it states, in the order of its document."""
        for name, mark in self.marks.items():
            value: object = self
            for part in name.removeprefix("rules.").split("."):
                value = getattr(value, part)
            said = {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
            yield Figure(name, said, self.sources[mark.source], mark.confirmed)


_FITS = {
    Start.RECEIPT: (
        MissingInformation.KEEPS_RUNNING,
        MissingInformation.STOPS,
        MissingInformation.RESTARTS,
        MissingInformation.MAY_EXTEND,
    ),
    Start.SUPPORTING_STATEMENT: (MissingInformation.WAITS,),
    Start.COMPLETED_REQUEST: (MissingInformation.RESTARTS,),
    Start.ALL_NECESSARY_INFORMATION: (MissingInformation.WAITS,),
}


def _contradictions_of(track: Track, name: str) -> Iterator[tuple[str, str]]:
    missing = track.missing_information
    if missing is MissingInformation.STOPS and track.reply_within is None:
        yield f"{name}.reply_within", "A clock that stops needs an end of the time to reply."
    if track.then_within is not None and missing is not MissingInformation.RESTARTS:
        yield f"{name}.then_within", "It goes with restarts."
    if missing is MissingInformation.MAY_EXTEND and track.extend_by is None:
        yield f"{name}.extend_by", "Say by how much it may be extended."
    if track.extend_by is not None and track.extend_by.unit is not Unit.CALENDAR_DAYS:
        yield f"{name}.extend_by", "Notice extends by calendar days."
    if missing is MissingInformation.STOPS and track.decide_within.unit is not Unit.CALENDAR_DAYS:
        yield f"{name}.decide_within", "A clock that can stop counts calendar days."
    if track.extend_by is not None and track.decide_within.unit is Unit.BUSINESS_DAYS:
        yield f"{name}.decide_within", "A clock that can be extended counts hours or calendar days."
