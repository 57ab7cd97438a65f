"""PURE: what can stand in a patient's timeline."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID


class Happening(StrEnum):
    """What happened; things of one day stand in this order."""

    ORDER = "order"
    FILL = "fill"
    REVERSAL = "reversal"
    CANCELLATION = "cancellation"
    ENTERED_IN_ERROR = "entered_in_error"
    EXEMPTION = "exemption"
    EXEMPTION_WITHDRAWN = "exemption_withdrawn"
    PAIN_SCORE = "pain_score"
    SURGERY = "surgery"
    REQUEST = "request"
    DETERMINATION = "determination"
    APPEAL = "appeal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One thing that happened `on` a day and was known here since `learned_on`; `subject_id` is what it is about.

    `stands` is false once it was reversed, cancelled, withdrawn, superseded or entered in error, which is a moment of
    its own.
    """

    kind: Happening
    on: date
    learned_on: date
    subject_id: UUID
    says: str
    is_own: bool
    stands: bool = True
