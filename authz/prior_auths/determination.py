"""PURE: what can be decided, and what each outcome means for the patient."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from authz.errors import InvalidInput


class Outcome(StrEnum):
    APPROVED = "approved"
    PARTIALLY_APPROVED = "partially_approved"
    DENIED = "denied"


HUMAN_ONLY = frozenset({Outcome.PARTIALLY_APPROVED, Outcome.DENIED})
"""Software may approve, route or wait; only a licensed human denies, wholly or in part."""


ADVERSE = HUMAN_ONLY
"""Outcomes that may be appealed, and that another reviewer looks at again when the request is reopened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What is granted on one line: days and quantity (in the product's units), from a day to a day, both included."""

    days: int
    quantity: Decimal | None
    starts_on: date
    ends_on: date

    def __post_init__(self) -> None:
        if self.days < 1:
            raise InvalidInput({"days": ["Grant at least one day, or leave the line out."]})
        if self.quantity is not None and self.quantity <= 0:
            raise InvalidInput({"quantity": ["Grant more than nothing, or leave the line out."]})
        if self.ends_on < self.starts_on:
            raise InvalidInput({"ends_on": ["The grant ends before it starts."]})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why it was decided so: a code of the reason library, one plain sentence, and the criterion's clause."""

    code: str
    text: str
    criterion: str

    def __post_init__(self) -> None:
        said = {"code": self.code, "text": self.text, "criterion": self.criterion}
        missing = {f"reason.{name}": ["Say why."] for name, value in said.items() if not value.strip()}
        if missing:
            raise InvalidInput(missing)
