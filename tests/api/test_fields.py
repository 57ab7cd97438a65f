"""Every field takes what it says and refuses what merely looks like it, with a sentence."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers

from authz.api.fields import (
    Amount,
    Day,
    Days,
    In,
    Instant,
    Ndc,
    NearDay,
    Npi,
    OneOf,
    PublicId,
    Rxcui,
    Text,
    Truth,
    WholeNumber,
)
from authz.formulary.selectors import NdcRefused, Products
from authz.rules.formulary import packaged


def no_ndc(_ndc: str) -> str:
    raise NdcRefused("unknown-ndc", "There is no such NDC.")


PRODUCTS = Products(formulary=packaged(), rxcui_of_ndc=no_ndc)


class Everything(In):
    text = Text(max_length=5, required=False)
    number = WholeNumber(min_value=0, max_value=9, required=False)
    truth = Truth(required=False)
    amount = Amount(required=False)
    day = Day(required=False)
    near = NearDay(required=False)
    instant = Instant(required=False)
    public_id = PublicId(required=False)
    one_of = OneOf(["red", "blue"], required=False)
    npi = Npi(required=False)
    rxcui = Rxcui(required=False)
    ndc = Ndc(required=False)
    days = Days(required=False)


def read(body: dict[str, Any]) -> dict[str, Any]:
    serializer = Everything(data=body, context={"today": date(2025, 3, 3), "products": PRODUCTS})
    serializer.is_valid(raise_exception=True)
    values: dict[str, Any] = serializer.validated_data
    return values


def fault(body: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(serializers.ValidationError) as refusal:
        read(body)
    detail: Any = refusal.value.detail
    (name,) = body
    return detail[name][0].code, str(detail[name][0])


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("text", " abc ", "abc"),
        ("number", 7, 7),
        ("truth", False, False),
        ("amount", "2.5", Decimal("2.5")),
        ("amount", 30, Decimal(30)),
        ("amount", Decimal("0.0001"), Decimal("0.0001")),
        ("amount", Decimal("3E+1"), Decimal(30)),
        ("day", "2024-02-29", date(2024, 2, 29)),
        ("near", "2025-03-03", date(2025, 3, 3)),
        ("instant", "2025-01-31T10:00:00Z", datetime(2025, 1, 31, 10, tzinfo=UTC)),
        ("instant", "2025-01-31T05:00:00-05:00", datetime(2025, 1, 31, 10, tzinfo=UTC)),
        ("one_of", "red", "red"),
        ("npi", "1234567893", "1234567893"),
        ("rxcui", "1049621", "1049621"),
        ("days", 366, 366),
    ],
)
def test_what_a_field_takes(name: str, value: object, meant: object) -> None:
    assert read({name: value}) == {name: meant}


TEXT = ("invalid", "A text is needed.")
WHOLE = ("invalid", "A whole number is needed.")
AMOUNT = ("invalid", 'An amount is needed, as a number or as a text such as "2.5".')
DAY = ("invalid", "A day is needed, as YYYY-MM-DD.")
NO_DAY = ("no-such-day", "The calendar has no such day.")
INSTANT = ("invalid", "An instant is needed, such as 2025-01-31T10:00:00Z, with its offset from UTC.")
ID = ("invalid", "An id is needed, as a UUID.")
NPI = ("invalid-npi", "Not a National Provider Identifier: ten digits, the last of which is a check digit.")
PRODUCT = ("unknown-product", "The formulary knows no product of this RxNorm code.")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("text", True, TEXT),
        ("text", 7, TEXT),
        ("text", ["a"], TEXT),
        ("text", "a\0b", ("null_characters_not_allowed", "Null characters are not allowed.")),
        ("text", "   ", ("blank", "This field may not be blank.")),
        ("text", "abcdef", ("max_length", "Ensure this field has no more than 5 characters.")),
        ("text", None, ("null", "This field may not be null.")),
        ("number", "7", WHOLE),
        ("number", True, WHOLE),
        ("number", Decimal("7.0"), WHOLE),
        ("number", 10, ("max_value", "Ensure this value is less than or equal to 9.")),
        ("truth", "true", ("invalid", "True or false is needed.")),
        ("truth", 1, ("invalid", "True or false is needed.")),
        ("amount", True, AMOUNT),
        ("amount", "twenty", AMOUNT),
        ("amount", "1e3", AMOUNT),
        ("amount", "٣", AMOUNT),
        ("amount", "", AMOUNT),
        ("amount", Decimal("1E+999999"), AMOUNT),
        ("amount", Decimal("1E-999999"), AMOUNT),
        ("amount", 10**60, AMOUNT),
        ("amount", "-1", ("not-positive", "The amount must be more than 0.")),
        ("amount", 0, ("not-positive", "The amount must be more than 0.")),
        ("amount", "0.00001", ("max_decimal_places", "Ensure that there are no more than 4 decimal places.")),
        ("day", "2025-02-30", NO_DAY),
        ("day", "2023-02-29", NO_DAY),
        ("day", "20250101", DAY),
        ("day", "2025-W01-1", DAY),
        ("day", "2025-1-5", DAY),
        ("day", "01/05/2025", DAY),
        ("day", 20250105, DAY),
        ("day", "2025-01-05T00:00:00Z", DAY),
        ("day", "٢٠٢٥-٠١-٠٥", DAY),
        ("day", "1989-12-31", ("too-early", "The day must not be before 1990-01-01.")),
        ("day", "9999-01-01", ("too-late", "The day must not be after 2200-01-01.")),
        ("near", "2025-03-04", ("in-the-future", "The day must not be after 2025-03-03; today is 2025-03-03.")),
        ("instant", "2025-01-31T10:00:00", INSTANT),
        ("instant", "2025-02-31T10:00:00Z", INSTANT),
        ("instant", "0001-01-01T00:00:00+23:00", INSTANT),
        ("instant", "2025-01-31", INSTANT),
        ("public_id", 7, ID),
        ("public_id", "7", ID),
        ("public_id", "urn:uuid:12345678-1234-5678-1234-567812345678", ID),
        ("one_of", "green", ("invalid_choice", "Use one of: red, blue.")),
        ("one_of", ["red"], ("invalid_choice", "Use one of: red, blue.")),
        ("npi", "1234567890", NPI),
        ("npi", "123456789", NPI),
        ("npi", "١٢٣٤٥٦٧٨٩٣", NPI),
        ("npi", 1234567893, TEXT),
        ("rxcui", "9999999", PRODUCT),
        ("rxcui", "01049621", PRODUCT),
        ("ndc", "00406055201", ("unknown-ndc", "There is no such NDC.")),
        ("rxcui", 1049621, TEXT),
        ("days", 0, ("min_value", "Ensure this value is greater than or equal to 1.")),
        ("days", -3, ("min_value", "Ensure this value is greater than or equal to 1.")),
        ("days", 367, ("max_value", "Ensure this value is less than or equal to 366.")),
        ("days", 10**30, ("max_value", "Ensure this value is less than or equal to 366.")),
        ("colour", "red", ("unknown-field", "There is no such field.")),
    ],
)
def test_what_a_field_refuses_and_what_it_says(name: str, value: object, expected: tuple[str, str]) -> None:
    assert fault({name: value}) == expected


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(serializers.ValidationError) as refusal:
        read({"colour": 1, "number": "7", "day": "2025-02-30", "days": 0})

    assert set(refusal.value.detail) == {"colour", "number", "day", "days"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.sampled_from(sorted(Everything().fields)), json_values)
def test_no_value_breaks_a_field(name: str, value: object) -> None:
    serializer = Everything(data={name: value}, context={"today": date(2025, 3, 3), "products": PRODUCTS})

    told = serializer.validated_data if serializer.is_valid() else serializer.errors

    assert set(told) == {name}
