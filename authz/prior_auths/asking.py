"""PURE: what a request asks for, read off the records of its episode."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal

from authz.prior_auths.needs import Need
from authz.rules.records import Record
from authz.rules.selection import days_supplied


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedLine:
    """One product, from the record that causes the need to the end of what is in hand; both days included.

    `daily_units` is the most units a day that any of its records comes to; None where one does not say.
    """

    rxcui: str
    product_name: str
    quantity: Decimal | None
    days_supply: int
    daily_units: Decimal | None
    starts_on: date
    ends_on: date


def records_in_order(need: Need, newest: Mapping[str, Record]) -> list[Record]:
    """Return the episode's records as they followed one another."""
    return sorted((newest[record_id] for record_id in need.episode.records), key=lambda r: (r.start, r.id))


def lines_asked(need: Need, newest: Mapping[str, Record]) -> list[AskedLine]:
    """Return one line a product, the causing one first: all supplies of the episode from the causing record on.

    What is authorized already is not asked for again.
    """
    cause, authorized = newest[need.trigger_id], need.answer.release.authorized - {need.trigger_id}
    later = [record for record in records_in_order(need, newest) if record.start >= cause.start]
    asked = [record for record in later if record.id not in authorized]
    products = list(dict.fromkeys([cause.rxcui, *(record.rxcui for record in asked)]))
    return [_line(rxcui, [record for record in asked if record.rxcui == rxcui], need) for rxcui in products]


def _line(rxcui: str, records: Sequence[Record], need: Need) -> AskedLine:
    quantities = [record.quantity for record in records if record.quantity is not None]
    product = need.answer.formulary.product(rxcui)
    last = max(record.start + timedelta(days=_days(record) - 1) for record in records)
    return AskedLine(
        rxcui=rxcui,
        product_name=product.name if product else rxcui,
        quantity=sum(quantities, Decimal(0)) if len(quantities) == len(records) else None,
        days_supply=sum(_days(record) for record in records),
        daily_units=_most_a_day(records),
        starts_on=min(records[0].start, need.required_from),
        ends_on=max(last, need.required_from),
    )


def _most_a_day(records: Sequence[Record]) -> Decimal | None:
    a_day = [record.daily_units or _spread(record) for record in records]
    known = [units for units in a_day if units is not None]
    return max(known) if len(known) == len(a_day) else None


def _spread(record: Record) -> Decimal | None:
    """Return the quantity over the days, rounded up: what is asked for is never less than what is dispensed."""
    if record.quantity is None:
        return None
    return (record.quantity / _days(record)).quantize(Decimal("0.0001"), rounding=ROUND_CEILING)


def _days(record: Record) -> int:
    """Return the supply's days as the rule reads them; it counts none without."""
    return days_supplied(record) or 1
