"""Fields that take exactly what they say. "7" is not a number, true is not a text, and an unknown name is refused."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Final, cast
from uuid import UUID

from django.utils.dateparse import parse_datetime
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.settings import api_settings

from authz.formulary.selectors import NdcRefused, Products, products_now
from authz.prescriptions.npi import is_valid_npi

EARLIEST: Final = date(1990, 1, 1)
"""Orders and fills before this day are taken for typing errors: RxNorm and NPIs are younger."""
EARLIEST_BIRTH: Final = date(1900, 1, 1)
LONGEST_SUPPLY: Final = 366

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_AMOUNT = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")
_CODE = re.compile(r"[a-z][a-z0-9_]*")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class In(serializers.Serializer[Any]):
    """What a caller may send. A name that is no field is refused along with every other fault, all at once."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "unknown-field": "There is no such field.",
        "invalid": "An object is needed.",
    }

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            self.fail("invalid")
        strangers = [name for name in data if name not in self.fields or self.fields[name].read_only]
        beside = {**self._unknown(strangers), **self.faults_between(data)}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**self._named(error.detail), **beside}) from None
        if beside:
            raise serializers.ValidationError(beside)
        return values

    def faults_between(self, _data: Mapping[str, Any]) -> dict[str, list[ErrorDetail]]:
        """Return what is wrong with the fields together, by name; told along with what is wrong with each."""
        return {}

    def _unknown(self, names: list[str]) -> dict[str, Any]:
        sentence = ErrorDetail(str(self.error_messages["unknown-field"]), code="unknown-field")
        return {name[:100]: [sentence] for name in names}

    def _named(self, detail: Any) -> dict[str, Any]:
        return detail if isinstance(detail, dict) else {api_settings.NON_FIELD_ERRORS_KEY: detail}


class Text(serializers.CharField):
    """A JSON string, trimmed; NUL and half surrogates are refused."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "A text is needed."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class Code(Text):
    """A code of ours: lower case letters, digits and _."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid-code": "A code is needed: lower case letters, digits and _."
    }

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not _CODE.fullmatch(text):
            self.fail("invalid-code")
        return text


class Secret(Text):
    """A JSON string taken as it is, spaces included."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, write_only=True, **options)


class WholeNumber(serializers.IntegerField):
    """A JSON number without a fraction."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "A whole number is needed."}

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return int(data)


class Truth(serializers.BooleanField):
    """true or false, and nothing that merely looks like it."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "True or false is needed."}

    def to_internal_value(self, data: Any) -> bool:
        if type(data) is not bool:
            self.fail("invalid")
        return bool(data)


class Amount(serializers.DecimalField):
    """An exact amount with at most four decimals, as a JSON number or as a text such as "30" or "2.5"."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": 'An amount is needed, as a number or as a text such as "2.5".',
        "not-positive": "The amount must be more than 0.",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_digits": 12, "decimal_places": 4, **options})

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, bool) or not isinstance(data, str | int | Decimal):
            self.fail("invalid")
        # An exponent such as 1E+999999 would be written out to as many digits.
        if isinstance(data, Decimal) and abs(data.adjusted()) > 20:
            self.fail("invalid")
        text = f"{data:f}" if isinstance(data, Decimal) else str(data)
        if not _AMOUNT.fullmatch(text):
            self.fail("invalid")
        amount = Decimal(super().to_internal_value(text))
        if amount <= 0:
            self.fail("not-positive")
        return amount


class Day(serializers.DateField):
    """A calendar day as YYYY-MM-DD, between two days where these are given."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": "A day is needed, as YYYY-MM-DD.",
        "no-such-day": "The calendar has no such day.",
        "too-early": "The day must not be before {earliest}.",
        "too-late": "The day must not be after {latest}.",
    }

    def __init__(self, *, earliest: date = EARLIEST, latest: date = date(2200, 1, 1), **options: Any) -> None:
        self.earliest = earliest
        self.latest = latest
        super().__init__(**options)

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            self.fail("invalid")
        try:
            day = date.fromisoformat(value)
        except ValueError:
            self.fail("no-such-day")
        if day < self.earliest:
            self.fail("too-early", earliest=self.earliest.isoformat())
        if day > self.latest:
            self.fail("too-late", latest=self.latest.isoformat())
        return day


class NearDay(Day):
    """A day that is at most `days_ahead` in the future, by the calendar of the organization that sends it.

    The serializer's context carries that organization's `today`.
    """

    default_error_messages: ClassVar[dict[str, Any]] = {
        "in-the-future": "The day must not be after {latest}; today is {today}."
    }

    def __init__(self, *, days_ahead: int = 0, **options: Any) -> None:
        self.ahead = timedelta(days=days_ahead)
        super().__init__(**options)

    def to_internal_value(self, value: Any) -> date:
        day = super().to_internal_value(value)
        today: date = self.context["today"]
        if day > today + self.ahead:
            self.fail("in-the-future", latest=(today + self.ahead).isoformat(), today=today.isoformat())
        return day


class Instant(serializers.DateTimeField):
    """An instant as ISO 8601 with its offset from UTC."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": "An instant is needed, such as 2025-01-31T10:00:00Z, with its offset from UTC."
    }

    def to_internal_value(self, value: Any) -> datetime:
        instant = self._read(value)
        if instant is None or instant.tzinfo is None or not EARLIEST.year <= instant.year <= 2200:
            self.fail("invalid")
        return instant

    def _read(self, value: Any) -> datetime | None:
        if not isinstance(value, str) or "T" not in value:
            self.fail("invalid")
        try:
            return parse_datetime(value)
        except ValueError:
            self.fail("invalid")


class TimeOfDay(serializers.TimeField):
    """A time of the wall clock as HH:MM."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "A time of the day is needed, such as 07:30."}

    def to_internal_value(self, value: Any) -> time:
        if not isinstance(value, str) or not _TIME.fullmatch(value):
            self.fail("invalid")
        return time.fromisoformat(value)


class PublicId(serializers.UUIDField):
    """A UUID in its written form."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid": "An id is needed, as a UUID."}

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or not _UUID.fullmatch(data):
            self.fail("invalid")
        return UUID(data)


class OneOf(serializers.ChoiceField):
    """One of a few words."""

    default_error_messages: ClassVar[dict[str, Any]] = {"invalid_choice": "Use one of: {words}."}

    def __init__(self, choices: Any, **options: Any) -> None:
        super().__init__(choices=[str(choice) for choice in choices], **options)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or data not in self.choices:
            self.fail("invalid_choice", words=", ".join(self.choices))
        return data


class Word(serializers.ChoiceField):
    """One of our own words, in an answer."""

    def __init__(self, words: Iterable[StrEnum], **options: Any) -> None:
        super().__init__(choices=[word.value for word in words], **options)


class Npi(Text):
    """A National Provider Identifier whose check digit is right."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid-npi": "Not a National Provider Identifier: ten digits, the last of which is a check digit."
    }

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not is_valid_npi(text):
            self.fail("invalid-npi")
        return text


class Rxcui(Text):
    """The RxNorm code of a product that the formulary knows."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "unknown-product": "The formulary knows no product of this RxNorm code."
    }

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        if not _products(self).formulary.knows(text):
            self.fail("unknown-product")
        return text


class Ndc(Text):
    """An NDC that means one product the formulary knows; its value is the product's RxNorm code."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "unknown-product": "The NDC means RxNorm code {rxcui}, and the formulary knows no product of it."
    }

    def to_internal_value(self, data: Any) -> str:
        products = _products(self)
        try:
            rxcui = products.rxcui_of_ndc(super().to_internal_value(data))
        except NdcRefused as refusal:
            raise serializers.ValidationError(refusal.sentence, code=refusal.code) from refusal
        if not products.formulary.knows(rxcui):
            self.fail("unknown-product", rxcui=rxcui)
        return rxcui


def _products(field: serializers.Field[Any, Any, Any, Any]) -> Products:
    """Return what is known of products, one release for the whole body."""
    context = cast(dict[str, Any], field.context)
    if "products" not in context:
        context["products"] = products_now()
    products: Products = context["products"]
    return products


class Days(WholeNumber):
    """Days of supply: at least one, at most a leap year."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"min_value": 1, "max_value": LONGEST_SUPPLY, **options})
