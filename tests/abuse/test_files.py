"""Whatever bytes are sent as a file of records, they are read or refused in the documented way, and never by halves."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tests.abuse.conftest import Tries
from tests.cast import Cast
from tests.imports.builders import bundle, ndjson
from tests.imports.hostile import (
    CELLS,
    FEED,
    JSON,
    STARTS,
    as_csv,
    is_taken_line_by_line,
    is_taken_row_by_row,
    mutated,
    read_all,
)

WHOLE = [bundle(*FEED), ndjson(*FEED), as_csv([["MRN-1", "F-2", "2025-03-01", "1049621", "7", "1970-05-05"]])]


@some.composite
def spoiled(draw: some.DrawFn) -> bytes:
    """Return a good file of which a few bytes are others, missing, or there twice."""
    content = bytearray(draw(some.sampled_from(WHOLE)))
    for _ in range(draw(some.integers(1, 4))):
        place = draw(some.integers(0, len(content)))
        length = draw(some.integers(0, 40))
        content[place : place + length] = draw(some.binary(max_size=6) | some.just(bytes(content[:length])))
    return bytes(content)


NESTS = [(b'{"a":', b"}"), (b"[", b"]"), (b'[{"a":', b"}]")]


def nested(how: tuple[int, tuple[bytes, bytes]]) -> bytes:
    """Return a patient with an escaped letter at the bottom of so many levels."""
    depth, (begin, end) = how
    return b'{"resourceType": "Patient", "x": %s"%s"%s}\n' % (begin * depth, rb"\u0041", end * depth)


LINES: dict[str, some.SearchStrategy[bytes]] = {
    "a line of which one element is wrong": mutated().map(ndjson),
    "a bundle of which one element is wrong": mutated().map(bundle),
    "any JSON in a line": JSON.map(lambda said: ndjson(*FEED[:1]) + json.dumps(said).encode() + b"\n"),
    "any JSON in a bundle": JSON.map(lambda said: json.dumps({"resourceType": "Bundle", "entry": said}).encode()),
    "a line that is nested deep": some.tuples(some.integers(1, 3000), some.sampled_from(NESTS)).map(nested),
    "any cells": CELLS.map(as_csv),
    "any bytes": some.tuples(some.sampled_from(STARTS), some.binary(max_size=200)).map(b"".join),
    "a good file, spoiled": spoiled(),
}
COUNT = {
    "any bytes": 20_000,
    "any cells": 15_000,
    "a line of which one element is wrong": 20_000,
    "a line that is nested deep": 2_000,
}


@pytest.mark.parametrize("kind", LINES)
def test_every_reader_reads_or_refuses_whatever_it_is_given(kind: str, tries: Tries, tried: Counter[str]) -> None:
    @tries(COUNT.get(kind, 8_000))
    @given(content=LINES[kind])
    def reads(content: bytes) -> None:
        tried["files read"] += 1
        read_all(content)

    reads()


def test_no_line_is_taken_in_by_halves(cast: Cast, tries: Tries, tried: Counter[str]) -> None:
    @tries(400)
    @given(lines=some.lists(mutated(), min_size=1, max_size=12))
    def takes(lines: list[dict[str, Any]]) -> None:
        tried["files taken in"] += 1
        assert is_taken_line_by_line(cast, lines)

    takes()


def test_no_row_is_taken_in_by_halves(cast: Cast, tries: Tries, tried: Counter[str]) -> None:
    @tries(400)
    @given(cells=CELLS)
    def takes(cells: list[list[str]]) -> None:
        tried["files taken in"] += 1
        assert is_taken_row_by_row(cast, cells)

    takes()
