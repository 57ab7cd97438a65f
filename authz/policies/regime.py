"""PURE: a regime, the legal clock a plan's decisions run on, as dated and cited values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from authz.policies.history import Happened, Kind
from authz.policies.version import Mark

_SPAN = re.compile(r"([1-9]\d{0,3}) (hours|calendar days|business days|years)")


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
        if found is None:
            raise ValueError("a length such as '72 hours', '15 calendar days' or '4 business days' is needed")
        return cls(int(found[1]), Unit(found[2]))

    def __str__(self) -> str:
        return f"{self.amount} {self.unit.value.removesuffix('s') if self.amount == 1 else self.unit.value}"


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
    """The time to file an appeal, and to decide it. Receipt of a notice is presumed `presumed_receipt` after its date."""

    file_within: Span
    file_from: FileFrom
    presumed_receipt: Span | None
    standard: Track
    expedited: Track
    if_missed: IfMissed


class Example(NamedTuple):
    """A history a person can check by hand, and when each clock it names must be due; None is that it is not running."""

    name: str
    zone: str
    history: tuple[Happened, ...]
    due: Mapping[Kind, datetime | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """One version of a regime, in force from `in_force_from` to `in_force_until`, both included; None is open.

    `marks` tells of every figure, by its path such as `standard.decide_within`, where it was read and whether the
    wording of the rule itself was; figures that are not confirmed are shown as such. `calendar` is the version of the
    holidays that its business days heed. `latest_start` is when the clock starts at the latest, counted from receipt.
    `notify_within` is counted from the decision; None means that notice is due when the decision is.
    """

    code: str
    version: str
    title: str
    in_force_from: date
    in_force_until: date | None
    covers_drugs: bool
    calendar: str
    sources: Mapping[str, str]
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
    reopen_within: Span | None
    emergency_supply: Span | None
    marks: Mapping[str, Mark]
    examples: tuple[Example, ...]
    notes: tuple[str, ...]

    @property
    def key(self) -> str:
        """The version's name, such as part_d-2025."""
        return f"{self.code}-{self.version}"

    @property
    def citation(self) -> str:
        """All its sources in one text."""
        return "; ".join(self.sources.values())

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

    def source_of(self, figure: str) -> Mark:
        """Return where a figure was read; the words of the source, not its key."""
        mark = self.marks[figure]
        return Mark(self.sources[mark.source], mark.confirmed)
