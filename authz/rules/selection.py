"""Which records count as known on a day: versions, reasons to ignore, duplicates, written orders (steps 1 to 5)."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from fractions import Fraction
from math import ceil
from operator import attrgetter

from authz.rules.formulary import Formulary, Product
from authz.rules.policy import Policy
from authz.rules.records import Record, RecordKind, RecordStatus

LONGEST_SUPPLY = 366
"""More days' supply than this is implausible (own choice: no published guidance exists)."""


class Ignored(StrEnum):
    """Why a record is not counted."""

    REVERSED = "reversed"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered_in_error"
    FUTURE_DATED = "future_dated"
    UNKNOWN_PRODUCT = "unknown_product"
    EXCLUDED_PRODUCT = "excluded_product"
    NO_DAYS_SUPPLY = "no_days_supply"
    IMPLAUSIBLE_DAYS_SUPPLY = "implausible_days_supply"
    DUPLICATE = "duplicate"
    WRITTEN_NOT_COUNTED = "written_not_counted"
    RX_FILLED = "rx_filled"
    RX_UNFILLED_EXPIRED = "rx_unfilled_expired"


class Supply:
    """One version of a record, read for the rule: days as ordinals, its product looked up, its days' supply settled.

    `flaw` is the reason to ignore it that holds on every day; `span` its own days, half-open; `order` its place in
    time. A plain class: one is made for every version of every case, and a frozen dataclass costs three times as
    much.
    """

    __slots__ = (
        "days",
        "flaw",
        "id",
        "is_fill",
        "order",
        "product",
        "record",
        "recorded",
        "same_dispensing",
        "span",
        "start",
    )

    def __init__(self, record: Record, product: Product | None, policy: Policy) -> None:
        self.record = record
        self.id = record.id
        self.product = product
        self.recorded = record.recorded_on.toordinal()
        self.start = record.start.toordinal()
        self.order = (self.start, self.id)
        self.is_fill = record.kind is RecordKind.FILL
        self.days = days_supplied(record) or 0
        self.flaw = _flaw(record, product, self.days, policy)
        self.span = (self.start, self.start + self.days)
        self.same_dispensing = (
            (record.rx_id, record.fill_number, self.start, record.rxcui) if record.rx_id is not None else None
        )


def days_supplied(record: Record) -> int | None:
    """Return the days' supply as stated, however silly; if not stated, the days the quantity lasts at most use."""
    if record.days_supply is not None:
        return record.days_supply
    quantity, daily = record.quantity, record.daily_units
    if quantity is None or daily is None or quantity <= 0 or daily <= 0:
        return None
    return ceil(Fraction(quantity) / Fraction(daily))


def _flaw(record: Record, product: Product | None, days: int, policy: Policy) -> Ignored | None:
    if record.status is not RecordStatus.ACTIVE:
        return Ignored(record.status.value)
    if product is None:
        return Ignored.UNKNOWN_PRODUCT
    if not product.counts(with_pain_buprenorphine=policy.count_pain_buprenorphine):
        return Ignored.EXCLUDED_PRODUCT
    if days < 1:
        return Ignored.NO_DAYS_SUPPLY
    if days > LONGEST_SUPPLY:
        return Ignored.IMPLAUSIBLE_DAYS_SUPPLY
    return None


def read_supplies(records: Iterable[Record], policy: Policy, formulary: Formulary) -> list[Supply]:
    """Return every version of every record, in the order in which we learned them."""
    supplies = [Supply(record, formulary.product(record.rxcui), policy) for record in records]
    supplies.sort(key=lambda supply: (supply.recorded, supply.record.version))
    return supplies


def counted_among(current: Iterable[Supply], as_of: int, policy: Policy) -> list[Supply]:
    """Return the supplies that count on the day `as_of`, given the versions current then, in (start, id) order."""
    kept, orders = _sound(current, as_of)
    kept = list(_first_of_each_dispensing(kept).values())
    if policy.count_written and orders:
        filled = {fill.record.rx_id for fill in kept} - {None}
        oldest = as_of - policy.written_expiry_days
        kept += [order for order in orders if order.record.rx_id not in filled and order.start >= oldest]
    kept.sort(key=attrgetter("order"))
    return kept


def _sound(current: Iterable[Supply], as_of: int) -> tuple[list[Supply], list[Supply]]:
    """Return the fills and the written orders that nothing speaks against by themselves."""
    fills: list[Supply] = []
    orders: list[Supply] = []
    for supply in current:
        if supply.flaw is None and supply.start <= as_of:
            (fills if supply.is_fill else orders).append(supply)
    return fills, orders


def _first_of_each_dispensing(fills: Iterable[Supply]) -> dict[object, Supply]:
    """Return one fill of each dispensing, the one with the smallest id; a fill without an order's id stands alone."""
    first: dict[object, Supply] = {}
    for fill in fills:
        key = fill.same_dispensing or fill
        other = first.get(key)
        if other is None or fill.id < other.id:
            first[key] = fill
    return first


def reasons_ignored(
    current: Iterable[Supply], counted: Sequence[Supply], as_of: int, policy: Policy
) -> list[tuple[str, Ignored]]:
    """Return (id, reason) of every current record that is not counted, sorted by id."""
    ids = {supply.id for supply in counted}
    filled = {fill.record.rx_id for fill in counted if fill.is_fill}
    left_out = [supply for supply in current if supply.id not in ids]
    return sorted((supply.id, _reason(supply, filled, as_of, policy)) for supply in left_out)


def _reason(supply: Supply, filled: set[str | None], as_of: int, policy: Policy) -> Ignored:
    if supply.record.status is not RecordStatus.ACTIVE:
        return Ignored(supply.record.status.value)
    if supply.start > as_of:
        return Ignored.FUTURE_DATED
    if supply.flaw is not None:
        return supply.flaw
    if supply.is_fill:
        return Ignored.DUPLICATE
    if not policy.count_written:
        return Ignored.WRITTEN_NOT_COUNTED
    return (
        Ignored.RX_FILLED
        if supply.record.rx_id is not None and supply.record.rx_id in filled
        else Ignored.RX_UNFILLED_EXPIRED
    )


class Ledger:
    """The records as known day by day. Days must be asked for in order; the ledger only moves forward."""

    __slots__ = ("_policy", "_supplies", "_taken", "current")

    def __init__(self, supplies: Sequence[Supply], policy: Policy) -> None:
        self._supplies = supplies
        self._policy = policy
        self._taken = 0
        self.current: dict[str, Supply] = {}

    def counted_on(self, day: int) -> list[Supply]:
        """Return what counts as known on `day`, in (start, id) order: per id its latest version recorded by then."""
        while self._taken < len(self._supplies) and self._supplies[self._taken].recorded <= day:
            supply = self._supplies[self._taken]
            self.current[supply.id] = supply
            self._taken += 1
        return counted_among(self.current.values(), day, self._policy)
