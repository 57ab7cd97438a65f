"""Arithmetic on days: a day is its proleptic ordinal, a span the half-open pair (first, stop).

Everything here is exact and independent of how long a span is: nothing walks from day to day.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, pairwise

Span = tuple[int, int]

FOREVER = 10_000_000  # beyond any day of the calendar
NEVER = -FOREVER


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return the union as disjoint spans in order; touching spans become one, empty ones vanish."""
    union: list[Span] = []
    for first, stop in sorted(spans):
        if union and first <= union[-1][1]:
            union[-1] = (union[-1][0], max(union[-1][1], stop))
        elif first < stop:
            union.append((first, stop))
    return union


def without(spans: Sequence[Span], holes: Iterable[Span]) -> list[Span]:
    """Return what is left of disjoint, ordered spans after taking out disjoint, ordered holes."""
    between = list(pairwise([NEVER, *chain.from_iterable(holes), FOREVER]))[::2]
    return [left for first, stop in between for left in clipped(spans, first, stop)]


def clipped(spans: Iterable[Span], first: int, stop: int) -> list[Span]:
    """Return the parts of the spans that lie in [first, stop); none when that is empty or upside down."""
    return [(start, end) for a, b in spans if (start := max(a, first)) < (end := min(b, stop))]


def length(spans: Iterable[Span]) -> int:
    """Return how many days disjoint spans hold."""
    return sum(stop - first for first, stop in spans)


class Cover:
    """A set of days that answers quickly how many of them lie before a day."""

    __slots__ = ("_before", "_firsts", "spans")

    def __init__(self, spans: list[Span]) -> None:
        self.spans = spans
        self._firsts = [first for first, _ in spans]
        self._before = [0]
        for first, stop in spans:
            self._before.append(self._before[-1] + stop - first)

    def before(self, day: int) -> int:
        """Return how many days of the set are earlier than `day`."""
        place = bisect_right(self._firsts, day) - 1
        if place < 0:
            return 0
        first, stop = self.spans[place]
        return self._before[place] + min(day, stop) - first

    def edges(self) -> list[int]:
        """Return each day on which the set begins or ceases to hold, in order."""
        return [edge for span in self.spans for edge in span]


def reaching(spans: Iterable[Span], least: int, value: Callable[[int], int], bends: Sequence[int]) -> list[Span]:
    """Return the days of `spans` on which `value` is at least `least`.

    Between two neighbouring `bends` (in order) the value must be constant, or rise or fall by exactly one a day: then
    the two ends of a stretch tell all of it.
    """
    found: list[Span] = []
    for first, stop in spans:
        for start, end in _stretches(first, stop, bends):
            at_start, at_end = value(start), value(end - 1)
            if at_start >= least and at_end >= least:
                found.append((start, end))
            elif at_start >= least:
                found.append((start, start + at_start - least + 1))
            elif at_end >= least:
                found.append((end - 1 - (at_end - least), end))
    return merged(found)


def _stretches(first: int, stop: int, bends: Sequence[int]) -> Iterable[Span]:
    start = first
    for bend in bends:
        if start < bend < stop:
            yield start, bend
            start = bend
    yield start, stop
