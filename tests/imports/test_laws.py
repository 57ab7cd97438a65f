"""Laws that hold for any file: order does not matter, and nothing a sender writes can break a run."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tests import cast as stage
from tests.imports.builders import bundle, ndjson
from tests.imports.hostile import (
    CELLS,
    FEED,
    JSON,
    STARTS,
    is_taken_line_by_line,
    is_taken_row_by_row,
    mutated,
    on_an_empty_stage,
    read_all,
)
from tests.imports.intake import counts, state, take

pytestmark = pytest.mark.thorough

ALONE = settings(max_examples=300, deadline=None)
WITH_DATABASE = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def in_order(cast: stage.Cast) -> object:
    return _everything_of(cast, FEED)


@WITH_DATABASE
@given(lines=some.permutations(FEED))
def test_the_order_of_the_lines_does_not_matter(
    cast: stage.Cast, in_order: object, lines: list[dict[str, Any]]
) -> None:
    assert _everything_of(cast, lines) == in_order


def _everything_of(cast: stage.Cast, lines: list[dict[str, Any]]) -> object:
    with on_an_empty_stage():
        run = take(ndjson(*lines), by=cast.stella)
        return counts(run), run.needs_person, state()


@pytest.mark.django_db
@WITH_DATABASE
@given(lines=some.lists(mutated(), min_size=1, max_size=12))
def test_any_line_is_taken_in_whole_or_refused_whole(cast: stage.Cast, lines: list[dict[str, Any]]) -> None:
    assert is_taken_line_by_line(cast, lines)


@pytest.mark.django_db
@WITH_DATABASE
@given(cells=CELLS)
def test_any_csv_is_taken_in_row_by_row_or_refused_whole(cast: stage.Cast, cells: list[list[str]]) -> None:
    assert is_taken_row_by_row(cast, cells)


@ALONE
@given(start=some.sampled_from(STARTS), rest=some.binary(max_size=200))
def test_no_bytes_break_a_reader(start: bytes, rest: bytes) -> None:
    read_all(start + rest)


@ALONE
@given(start=some.sampled_from(STARTS), value=JSON)
def test_no_json_breaks_a_reader(start: bytes, value: object) -> None:
    read_all(start + json.dumps(value).encode())
    read_all(json.dumps({"resourceType": "Bundle", "entry": value}).encode())
    read_all(json.dumps({"resourceType": "Bundle", "entry": [{"resource": value}]}).encode())


@ALONE
@given(cut=some.integers(min_value=1, max_value=len(bundle(*FEED)) - 1))
def test_a_bundle_cut_anywhere_is_refused(cut: int) -> None:
    assert read_all(bundle(*FEED)[:cut]) is None
