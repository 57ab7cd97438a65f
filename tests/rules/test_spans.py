"""Span arithmetic against plain sets of days."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authz.rules.spans import FOREVER, NEVER, Cover, Span, clipped, length, merged, reaching, without

spans = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8)).map(lambda pair: (pair[0], sum(pair))), max_size=6)
edges = st.integers(-2, 42)


def days_of(found: list[Span]) -> set[int]:
    return {day for first, stop in found for day in range(first, stop)}


@given(spans)
def test_a_union_holds_the_same_days_once_in_order_and_apart(some: list[Span]) -> None:
    union = merged(some)

    assert days_of(union) == days_of(some)
    assert length(union) == len(days_of(some))
    assert all(left[1] < right[0] for left, right in pairwise(union))
    assert all(first < stop for first, stop in union)


@given(spans, spans)
def test_taking_days_out_leaves_the_others(some: list[Span], holes: list[Span]) -> None:
    assert days_of(without(merged(some), merged(holes))) == days_of(some) - days_of(holes)


@given(spans, edges, edges)
def test_clipping_keeps_what_lies_within(some: list[Span], first: int, stop: int) -> None:
    kept = clipped(merged(some), first, stop)

    assert days_of(kept) == {day for day in days_of(some) if first <= day < stop}
    assert all(start < end for start, end in kept)


@given(spans, edges)
def test_a_cover_counts_the_days_before_any_day(some: list[Span], day: int) -> None:
    assert Cover(merged(some)).before(day) == len([covered for covered in days_of(some) if covered < day])


@pytest.mark.thorough
@settings(max_examples=600)
@given(spans, spans, st.integers(0, 12), st.integers(1, 12))
def test_days_on_which_a_count_is_reached(asked: list[Span], counted: list[Span], least: int, width: int) -> None:
    cover = Cover(merged(counted))
    bends = sorted(edge + 1 + offset for edge in cover.edges() for offset in (0, width))

    def count(day: int) -> int:
        return cover.before(day) - cover.before(day - width)

    found = reaching(merged(asked), least, count, bends)

    assert days_of(found) == {day for day in days_of(asked) if count(day) >= least}


@pytest.mark.parametrize(
    ("holes", "left"),
    [
        ([], [(1, 5), (8, 12)]),
        ([(2, 3)], [(1, 2), (3, 5), (8, 12)]),
        ([(1, 5)], [(8, 12)]),
        ([(5, 8)], [(1, 5), (8, 12)]),
        ([(0, 1), (4, 9), (11, 20)], [(1, 4), (9, 11)]),
        ([(NEVER, 3), (10, FOREVER)], [(3, 5), (8, 10)]),
        ([(NEVER, FOREVER)], []),
    ],
)
def test_what_is_left_is_in_order_and_never_empty(holes: list[Span], left: list[Span]) -> None:
    assert without([(1, 5), (8, 12)], holes) == left


@pytest.mark.parametrize(
    ("value", "bends", "found"),
    [
        # at least 3 on which days of [0, 10); the value of each day from -2 to 11
        (lambda day: 3, [], [(0, 10)]),
        (lambda day: 2, [], []),
        (lambda day: day, [], [(3, 10)]),
        (lambda day: 9 - day, [], [(0, 7)]),
        (lambda day: 3 + day, [], [(0, 10)]),
        (lambda day: 12 - day, [], [(0, 10)]),
        (lambda day: 3 - day, [], [(0, 1)]),
        (lambda day: day - 6, [], [(9, 10)]),
        (lambda day: min(day, 6 - day), [3], [(3, 4)]),
        (lambda day: max(day - 5, 5 - day), [5], [(0, 3), (8, 10)]),
        (lambda day: 9 if day < 0 else 0, [0], []),  # what lies before the first day or after the last
        (lambda day: 9 if day > 9 else 0, [10], []),
        (lambda day: 9 if 4 <= day < 6 else 0, [4, 6], [(4, 6)]),
        (lambda day: 9 if day in (4, 6) else 0, [4, 5, 6, 7], [(4, 5), (6, 7)]),
    ],
)
def test_the_days_are_found_from_the_ends_of_each_stretch(
    value: Callable[[int], int], bends: list[int], found: list[Span]
) -> None:
    assert reaching([(0, 10)], 3, value, bends) == found


def test_the_edges_of_a_cover_are_where_it_begins_and_ceases() -> None:
    assert Cover([(1, 5), (8, 12)]).edges() == [1, 5, 8, 12]
