"""JSON is read in exactly one way or not at all."""

from decimal import Decimal
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.api.parsers import DEEPEST, MalformedBody, read_object, read_table


def test_a_number_with_a_point_stays_exact() -> None:
    body = read_object(b'{"quantity": 0.1, "days": 7}')

    assert body == {"quantity": Decimal("0.1"), "days": 7}
    assert isinstance(body["quantity"], Decimal)


def test_escaped_characters_are_read() -> None:
    assert read_object(rb'{"name": "Zo\u00eb \ud83d\ude00"}') == {"name": "Zoë \U0001f600"}


def test_a_name_said_twice_behind_many_others_is_found_at_once() -> None:
    names = b",".join(b'"n%d":0' % number for number in range(100_000))
    begun = process_time()

    with pytest.raises(MalformedBody, match="names 'n99999' twice"):
        read_object(b'{%s,"n99999":0}' % names)

    assert process_time() - begun < 5


@pytest.mark.parametrize("begin", [b"", b"[", b"x = {", b"[[", b'a = 1\n"b" . '])
@pytest.mark.parametrize("part", [b"a", b'"a"', b"'a'"])
def test_a_toml_name_of_very_many_parts_is_refused_at_once(begin: bytes, part: bytes) -> None:
    begun = process_time()

    with pytest.raises(MalformedBody, match="nested deeper than 32 levels"):
        read_table(begin + part + (b" . " + part) * 50_000 + b" = 1")

    assert process_time() - begun < 5


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"a": 1', "The body is not JSON: line 1, column 8: Expecting ',' delimiter."),
        (b"", "The body is not JSON: line 1, column 1: Expecting value."),
        (b'{"a": 1} x', "The body is not JSON: line 1, column 10: Extra data."),
        (b'{"a": "\xff"}', "The body is not UTF-8: byte 8 cannot be read."),
        (b'{"a": 1, "a": 1}', "The body names 'a' twice in one object."),
        (b'{"a": [{"b": 1, "c": 2, "b": 3}]}', "The body names 'b' twice in one object."),
        (b'{"a": NaN}', "NaN is not a JSON number."),
        (b'{"a": -Infinity}', "-Infinity is not a JSON number."),
        (b"[]", "The body must be one JSON object."),
        (b"7", "The body must be one JSON object."),
        (b"null", "The body must be one JSON object."),
        (rb'{"a": "\ud800"}', "The body holds half a surrogate pair, which is no character."),
        (rb'{"\udc00": 1}', "The body holds half a surrogate pair, which is no character."),
        (b'{"a": ' + b"9" * 5000 + b"}", "The body holds a number that is too large to read."),
        (b'{"a": 1e99999999999999999999}', "The body holds a number that is too large to read."),
    ],
)
def test_what_can_be_read_in_no_one_way_is_refused_with_its_place(body: bytes, sentence: str) -> None:
    with pytest.raises(MalformedBody) as refusal:
        read_object(body)

    assert refusal.value.detail == sentence


@pytest.mark.parametrize("depth", [DEEPEST + 1, 900, 200_000])
def test_a_body_nested_too_deep_is_refused_however_deep(depth: int) -> None:
    body = b'{"a": ' + b"[" * depth + b"]" * depth + b"}"

    with pytest.raises(MalformedBody, match="nested deeper than 32 levels"):
        read_object(body)


def test_a_body_of_the_greatest_depth_is_read() -> None:
    depth = DEEPEST - 1

    assert read_object(b'{"a": ' + b"[" * depth + b"]" * depth + b"}")


def told_of(body: bytes) -> object:
    try:
        return read_object(body)
    except MalformedBody as refusal:
        return refusal.detail


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    told = told_of(body)

    assert isinstance(told, dict) or str(told).endswith(".")
