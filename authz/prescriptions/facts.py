"""PURE: what a sender tells us about a patient, a coverage, an order or a fill; frozen, and refusing nonsense.

Silly but possible facts (a supply of 0 or 371 days, an unknown product) are let through: the rule keeps them and puts
them before a person. What cannot be stored truthfully is refused here.
"""

import re
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal

from authz.errors import InvalidInput
from authz.ids import PlanId
from authz.rules.records import ExemptionCategory, RecordStatus

_RXCUI = re.compile(r"[1-9][0-9]{0,7}")
_LARGEST_QUANTITY = Decimal(10) ** 8
_LARGEST_DAYS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientFacts:
    """`identifier` is the sender's own number for the patient: a clinic's record number, an insurer's member id.

    A clinic that also gives the plan and the member id finds the patient other clinics know under that member id.
    """

    identifier: str
    family_name: str
    given_name: str
    birth_date: date | None
    plan_id: PlanId | None = None
    member_id: str = ""

    def __post_init__(self) -> None:
        half = (self.plan_id is None) != (not self.member_id.strip())
        _refuse(
            {
                "identifier": "Give the patient's number." if not self.identifier.strip() else "",
                "member_id": "Give the plan and the member id together." if half else "",
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageFacts:
    """A plan we know (`plan_id`), or the name of a payer whose rules we do not know; both days included."""

    plan_id: PlanId | None
    member_id: str
    starts_on: date
    ends_on: date | None
    payer_name: str = ""
    priority: int = 1

    def __post_init__(self) -> None:
        backwards = self.ends_on is not None and self.ends_on < self.starts_on
        _refuse(
            {
                "plan": "Name a plan, or the payer." if self.plan_id is None and not self.payer_name.strip() else "",
                "member_id": "Give the member id." if not self.member_id.strip() else "",
                "ends_on": "The coverage ends before it starts." if backwards else "",
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExemptionFacts:
    """Why use needs no approval, from a day to a day (both included; None is open), and where that is written."""

    category: ExemptionCategory
    starts_on: date | None
    ends_on: date | None
    evidence: str

    def __post_init__(self) -> None:
        backwards = self.starts_on is not None and self.ends_on is not None and self.ends_on < self.starts_on
        _refuse(
            {
                "evidence": "Say what this rests on." if not self.evidence.strip() else "",
                "ends_on": "The exemption ends before it starts." if backwards else "",
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _RecordFacts:
    """What an order and a fill share. The same `identifier` from the same sender is the same record.

    `is_part2` says whether it comes from a program under 42 CFR Part 2; None leaves what was said before.
    """

    identifier: str
    starts_on: date
    rxcui: str
    quantity: Decimal | None
    days_supply: int | None
    status: RecordStatus = RecordStatus.ACTIVE
    product_name: str = ""
    daily_units: Decimal | None = None
    prescriber_npi: str | None = None
    source_updated_at: datetime | None = None
    is_part2: bool | None = None

    def __post_init__(self) -> None:
        _refuse(
            {
                "identifier": "Give your own number for this record." if not self.identifier.strip() else "",
                "rxcui": "Not an RxNorm concept id." if not _RXCUI.fullmatch(self.rxcui) else "",
                "quantity": _quantity_fault(self.quantity),
                "daily_units": _quantity_fault(self.daily_units),
                "days_supply": "Not a number of days." if abs(self.days_supply or 0) > _LARGEST_DAYS else "",
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PrescriptionFacts(_RecordFacts):
    """A written order; `starts_on` is the day it was written, in the clinic's calendar."""

    refills: int | None = None
    directions: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FillFacts(_RecordFacts):
    """A dispensing; `starts_on` is the day dispensed, in the pharmacy's calendar.

    `prescription_identifier` is the sender's number of the order it fills; `rx_number` the pharmacy's number of it.
    """

    fill_number: int | None = None
    rx_number: str = ""
    prescription_identifier: str | None = None


SHARED = tuple(field.name for field in fields(_RecordFacts))


def _quantity_fault(quantity: Decimal | None) -> str:
    if quantity is None:
        return ""
    if not quantity.is_finite() or abs(quantity) >= _LARGEST_QUANTITY:
        return "Not an amount."
    exponent = quantity.normalize().as_tuple().exponent
    return "More than four decimals." if isinstance(exponent, int) and exponent < -4 else ""


def _refuse(faults: dict[str, str]) -> None:
    found = {name: [sentence] for name, sentence in faults.items() if sentence}
    if found:
        raise InvalidInput(found)
