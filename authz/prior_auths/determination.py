"""PURE: what can be decided, on what it rests, and what each outcome means for the patient."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final, Protocol

from authz.errors import InvalidInput
from authz.policies.regime import IfMissed
from authz.rules.formulary import Product


class Outcome(StrEnum):
    APPROVED = "approved"
    PARTIALLY_APPROVED = "partially_approved"
    DENIED = "denied"
    DEEMED_APPROVED = "deemed_approved"
    DEEMED_ADVERSE = "deemed_adverse"


class Basis(StrEnum):
    """On what a determination rests: a person's judgement, a policy's rule, the law once the time has run out, or what
    an independent reviewer outside the insurer decided."""

    PERSON = "person"
    RULE = "rule"
    LAW = "law"
    EXTERNAL = "external"


class Ground(StrEnum):
    """On what a person approves everything that was asked: the plan's criteria, or the patient's case beyond them."""

    CRITERIA_MET = "criteria-met"
    BEYOND_CRITERIA = "beyond-criteria"


class SecondFinding(StrEnum):
    """What a person found who read an approval by rule a second time."""

    AGREES = "agrees"
    DISAGREES = "disagrees"


EXTERNAL: Final = (Outcome.APPROVED, Outcome.PARTIALLY_APPROVED)
"""What an independent reviewer's decision can make of a request; upheld, the insurer's own determination stands."""

HUMAN_ONLY = frozenset({Outcome.PARTIALLY_APPROVED, Outcome.DENIED})
"""Software may approve, route or wait; only a licensed human denies, wholly or in part."""

BY_LAW = frozenset({Outcome.DEEMED_APPROVED, Outcome.DEEMED_ADVERSE})
"""What follows by itself when the insurer has let its time run out."""

DEEMED: Final[Mapping[IfMissed, Outcome]] = {
    IfMissed.DEEMED_APPROVED: Outcome.DEEMED_APPROVED,
    IfMissed.DEEMED_ADVERSE: Outcome.DEEMED_ADVERSE,
    IfMissed.ADVERSE_APPEALABLE: Outcome.DEEMED_ADVERSE,
}
"""What the law decides at the due instant. What else a regime can say leaves the request open: the clinic may go on
elsewhere, but nothing is decided."""

LINE_OUTCOMES: Final = (Outcome.APPROVED, Outcome.PARTIALLY_APPROVED, Outcome.DENIED)
"""What can be decided of one line by itself, whoever or whatever decides."""

ADVERSE = HUMAN_ONLY | {Outcome.DEEMED_ADVERSE}
"""Outcomes that may be appealed, and that another reviewer looks at again when the request is reopened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What is granted on one line: days and quantity (in the product's units), from a day to a day, both included.

    `rxcui` names another product than the one asked for; `daily_units` is the most units a day, `refills` how many.
    None of these three is as asked.
    """

    days: int
    quantity: Decimal | None
    starts_on: date
    ends_on: date
    daily_units: Decimal | None = None
    refills: int | None = None
    rxcui: str | None = None

    def __post_init__(self) -> None:
        if self.days < 1:
            raise InvalidInput({"days": ["Grant at least one day, or leave the line out."]})
        if self.quantity is not None and self.quantity <= 0:
            raise InvalidInput({"quantity": ["Grant more than nothing, or leave the line out."]})
        if self.daily_units is not None and self.daily_units <= 0:
            raise InvalidInput({"daily_units": ["Grant more than nothing, or leave the line out."]})
        if self.ends_on < self.starts_on:
            raise InvalidInput({"ends_on": ["The grant ends before it starts."]})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why it was decided so: a code of the reason library, one plain sentence, and the criterion's clause.

    `would_change` is what would change it, in a sentence; empty for a favourable one.
    """

    code: str
    text: str
    criterion: str
    would_change: str = ""

    def __post_init__(self) -> None:
        said = {"code": self.code, "text": self.text, "criterion": self.criterion}
        missing = {f"reason.{name}": ["Say why."] for name, value in said.items() if not value.strip()}
        if missing:
            raise InvalidInput(missing)


class DecidedLine(Protocol):
    """One line of a determination: asked and granted, side by side."""

    line: int
    rxcui: str
    asked_days: int
    asked_quantity: Decimal | None
    asked_daily_units: Decimal | None
    asked_refills: int | None
    asked_from: date | None
    asked_until: date | None
    granted_rxcui: str
    granted_days: int
    granted_quantity: Decimal | None
    granted_daily_units: Decimal | None
    granted_refills: int | None
    starts_on: date | None
    ends_on: date | None


def outcome_of(line: DecidedLine) -> Outcome:
    """Return what was decided of one line by itself: approved as asked, approved in part, or denied."""
    if not line.granted_days:
        return Outcome.DENIED
    asked = (
        line.rxcui, line.asked_days, line.asked_quantity, line.asked_daily_units, line.asked_refills, line.asked_from,
        line.asked_until,
    )  # fmt: skip
    granted = (
        line.granted_rxcui, line.granted_days, line.granted_quantity, line.granted_daily_units, line.granted_refills,
        line.starts_on, line.ends_on,
    )  # fmt: skip
    return Outcome.APPROVED if granted == asked else Outcome.PARTIALLY_APPROVED


def is_no_more(granted: Product, *, than: Product) -> bool:
    """Say whether as many units of one product hold no more than of the other: same ingredient, no stronger."""
    same = (granted.ingredient_rxcui, granted.strength_unit, granted.release) == (
        than.ingredient_rxcui, than.strength_unit, than.release,
    )  # fmt: skip
    return same and granted.strength <= than.strength
