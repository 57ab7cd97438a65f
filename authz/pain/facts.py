"""PURE: what a clinic tells of pain and of surgery; frozen, and refusing nonsense."""

from dataclasses import dataclass
from datetime import date, datetime

from authz.errors import InvalidInput
from authz.rules.pain_signal import Instrument
from authz.rules.records import RecordStatus

_HIGHEST = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class PainScoreFacts:
    """A PEG with its three answers, or one rating (`pain` alone); whole numbers from 0 (none) to 10 (worst).

    `scored_on` is the day it was asked, in the clinic's calendar. The same `identifier` from the same clinic is the
    same score.
    """

    identifier: str
    scored_on: date
    instrument: Instrument
    pain: int
    enjoyment: int | None = None
    activity: int | None = None
    status: RecordStatus = RecordStatus.ACTIVE
    source_updated_at: datetime | None = None

    def __post_init__(self) -> None:
        _refuse(
            {
                "identifier": _identifier_fault(self.identifier),
                "pain": _answer_fault(self.pain),
                "enjoyment": self._further_fault(self.enjoyment),
                "activity": self._further_fault(self.activity),
                "status": _status_fault(self.status),
            }
        )

    def _further_fault(self, answer: int | None) -> str:
        if self.instrument is Instrument.PEG:
            return _answer_fault(answer)
        return "" if answer is None else "Only a PEG asks for this."


@dataclass(frozen=True, slots=True, kw_only=True)
class SurgeryFacts:
    """That there was surgery on a day, in the clinic's calendar. The same `identifier` is the same surgery."""

    identifier: str
    performed_on: date
    status: RecordStatus = RecordStatus.ACTIVE
    source_updated_at: datetime | None = None

    def __post_init__(self) -> None:
        _refuse({"identifier": _identifier_fault(self.identifier), "status": _status_fault(self.status)})


def _identifier_fault(identifier: str) -> str:
    return "" if identifier.strip() else "Give your own number for this record."


def _answer_fault(answer: int | None) -> str:
    is_answer = type(answer) is int and 0 <= answer <= _HIGHEST
    return "" if is_answer else f"A whole number from 0 to {_HIGHEST} is needed."


def _status_fault(status: RecordStatus) -> str:
    return "" if status in {RecordStatus.ACTIVE, RecordStatus.ENTERED_IN_ERROR} else "It stands, or it is in error."


def _refuse(faults: dict[str, str]) -> None:
    found = {name: [sentence] for name, sentence in faults.items() if sentence}
    if found:
        raise InvalidInput(found)
