"""The values that the rule reads: what was dispensed or written, and what releases a patient from the limit."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from authz.errors import InvalidInput
from authz.rules.policy import ExemptionCategory, Policy

__all__ = ["AuthorizedPeriod", "Case", "Exemption", "ExemptionCategory", "Record", "RecordKind", "RecordStatus"]

_MOST_DIGITS = 40
_LAST_YEAR = 9000  # supplies are placed after one another; this leaves room before the calendar ends


class RecordKind(StrEnum):
    """A dispensing, or an order that was written."""

    FILL = "fill"
    RX = "rx"


class RecordStatus(StrEnum):
    """What the source says of the record; only an active one counts."""

    ACTIVE = "active"
    REVERSED = "reversed"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered_in_error"


_Kinds = tuple[tuple[type, ...], str]
_NOTHING = type(None)
_FIELDS: dict[str, _Kinds] = {
    "id": ((str,), "A text"),
    "version": ((int,), "A whole number"),
    "recorded_on": ((date,), "A calendar date"),
    "kind": ((RecordKind,), f"One of {', '.join(RecordKind)}"),
    "status": ((RecordStatus,), f"One of {', '.join(RecordStatus)}"),
    "rx_id": ((str, _NOTHING), "A text or null"),
    "fill_number": ((int, _NOTHING), "A whole number or null"),
    "start": ((date,), "A calendar date"),
    "rxcui": ((str,), "A text"),
    "quantity": ((Decimal, _NOTHING), "An exact number or null"),
    "days_supply": ((int, _NOTHING), "A whole number or null"),
    "daily_units": ((Decimal, _NOTHING), "An exact number or null"),
}


def _is_reasonable(number: Decimal) -> bool:
    """Exponents are bounded: 1E999999999 is a short text, and no computer has room for its digits."""
    return number.is_finite() and abs(number.adjusted()) <= _MOST_DIGITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One version of a dispensing or of a written order, as received.

    `start` is the day dispensed or written, in the pharmacy's or clinic's own zone; `recorded_on` the day we learned
    it, in the clinic's zone. `quantity` is in the product's dispensing unit (tablets, patches, mL, sprays);
    `daily_units` the most such units a day. `rxcui` is the RxNorm product code, empty when the source gave none.
    Silly but honest values (a supply of 0 or 400 days) are accepted: the rule puts them before a person.

    :raises InvalidInput: naming the field.
    """

    id: str
    version: int
    recorded_on: date
    kind: RecordKind
    status: RecordStatus
    rx_id: str | None
    fill_number: int | None
    start: date
    rxcui: str
    quantity: Decimal | None
    days_supply: int | None
    daily_units: Decimal | None

    def __post_init__(self) -> None:
        wrong = {name: says for name, (kinds, says) in _FIELDS.items() if type(getattr(self, name)) not in kinds}
        if self.id == "":
            wrong["id"] = "A text"
        for name in ("quantity", "daily_units"):
            number = getattr(self, name)
            if type(number) is Decimal and not _is_reasonable(number):
                wrong[name] = f"A finite number of at most {_MOST_DIGITS} digits"
        if wrong:
            raise InvalidInput({name: [f"{says} is needed."] for name, says in wrong.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """A period in which a diagnosis or setting exempts the patient. Both ends are included; None is open.

    A category that the policy does not exempt has no effect, whatever it is called.
    """

    category: str
    start: date | None = None
    end: date | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.category, str):
            raise InvalidInput({"category": ["A text is needed."]})
        _refuse_other_than_dates(start=self.start, end=self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizedPeriod:
    """A period for which use was authorized. Both ends are included; None is open."""

    start: date | None = None
    end: date | None = None

    def __post_init__(self) -> None:
        _refuse_other_than_dates(start=self.start, end=self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything the verdict on one patient depends on. The rule looks at nothing recorded after `as_of`.

    `as_of` is today in the clinic's zone. `history_start` is the first day of which we would have heard; None means
    the history is complete. Several records may share one `id`: they are its versions.

    :raises InvalidInput: naming the field; also when two versions of a record cannot be told apart and yet differ.
    """

    id: str
    as_of: date
    history_start: date | None = None
    birth_date: date | None = None
    policy: Policy = field(default_factory=Policy.default)
    records: tuple[Record, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    authorizations: tuple[AuthorizedPeriod, ...] = ()

    def __post_init__(self) -> None:
        if type(self.id) is not str:
            raise InvalidInput({"id": ["A text is needed."]})
        if type(self.as_of) is not date or self.as_of.year > _LAST_YEAR:
            raise InvalidInput({"as_of": [f"A calendar date no later than the year {_LAST_YEAR} is needed."]})
        _refuse_other_than_dates(history_start=self.history_start, birth_date=self.birth_date)
        _refuse_indistinct_versions(self.records)


def _refuse_other_than_dates(**days: object) -> None:
    wrong = {
        name: ["A calendar date or null is needed."]
        for name, day in days.items()
        if day is not None and type(day) is not date
    }
    if wrong:
        raise InvalidInput(wrong)


def _refuse_indistinct_versions(records: Iterable[Record]) -> None:
    """Refuse two contents for one (id, recorded_on, version): which of them holds would be chance."""
    seen: dict[tuple[str, date, int], Record] = {}
    for place, record in enumerate(records):
        if seen.setdefault((record.id, record.recorded_on, record.version), record) != record:
            twice = f"Record {record.id!r} has version {record.version} of {record.recorded_on} twice"
            raise InvalidInput({f"records[{place}].version": [f"{twice}, with different content."]})
