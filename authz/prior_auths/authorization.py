"""PURE: what is left of an authorization on a day. What was used is counted from fills, never kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from authz.rules.formulary import packaged
from authz.rules.records import Record, RecordKind, RecordStatus

RENEWAL_DAYS: Final = 7
"""So many of the last days, but at most the second half, are the renewal window: the product's choice, no law's."""


class Standing(StrEnum):
    ACTIVE = "active"
    IN_RENEWAL_WINDOW = "in_renewal_window"
    EXHAUSTED = "exhausted"
    EXPIRED = "expired"
    REVOKED = "revoked"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """The right as it was given: both days included, the quantity in the product's units."""

    rxcui: str
    starts_on: date
    ends_on: date
    days: int
    quantity: Decimal | None
    is_revoked: bool = False
    is_superseded: bool = False

    @property
    def renewal_from(self) -> date:
        """Return the first day of the renewal window."""
        length = (self.ends_on - self.starts_on).days + 1
        return self.ends_on - timedelta(days=max(min(RENEWAL_DAYS, length // 2), 1) - 1)


@dataclass(frozen=True, slots=True)
class Used:
    """What fills have drawn: days of its window with supply, and units dispensed in it."""

    days: int
    quantity: Decimal


def used(granted: Granted, newest: Iterable[Record]) -> Used:
    """Return what a patient's dispensings, each in its newest version, have drawn on an authorization.

    Every product of the same ingredient draws; an order does not until it is dispensed.
    """
    drawn = [record for record in newest if _draws(record, granted)]
    days = {day for record in drawn for day in _covered(record) if granted.starts_on <= day <= granted.ends_on}
    dispensed = (record for record in drawn if granted.starts_on <= record.start <= granted.ends_on)
    return Used(len(days), sum((record.quantity or Decimal(0) for record in dispensed), Decimal(0)))


def standing(granted: Granted, drawn: Used, *, on: date) -> Standing:
    """Return how an authorization stands on a day."""
    if granted.is_revoked:
        return Standing.REVOKED
    if granted.is_superseded:
        return Standing.SUPERSEDED
    if on > granted.ends_on:
        return Standing.EXPIRED
    if drawn.days >= granted.days or (granted.quantity is not None and drawn.quantity >= granted.quantity):
        return Standing.EXHAUSTED
    return Standing.IN_RENEWAL_WINDOW if on >= granted.renewal_from else Standing.ACTIVE


def _draws(record: Record, granted: Granted) -> bool:
    is_dispensed = record.kind is RecordKind.FILL and record.status is RecordStatus.ACTIVE
    return is_dispensed and _ingredient(record.rxcui) == _ingredient(granted.rxcui)


def _ingredient(rxcui: str) -> str:
    product = packaged().product(rxcui)
    return product.ingredient_rxcui if product else rxcui


def _covered(record: Record) -> Iterable[date]:
    # A supply longer than a year is a typing error to the rule, too; it still draws no more than the window.
    return (record.start + timedelta(days=number) for number in range(min(record.days_supply or 0, 366)))
