"""PURE: where use first passes a policy's limit, read off bare day numbers in one walk over a patient's supplies.

It says the same as `authz.rules` of the policies that `can_walk` names, some hundred times faster, because it answers
one question only: which supply brings each episode's need. A test holds it to the rule, patient by patient. Days are
proleptic ordinals, and spans half-open, as in `authz.rules.spans`.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import ceil
from typing import NamedTuple

from authz.rules.policy import Basis, GapAnchor, Mode, Overlap, Policy
from authz.rules.spans import NEVER, Span, clipped, length

Supplied = tuple[int, int]
"""A counted supply: the day it starts, and its days."""


class Crossing(NamedTuple):
    """An episode that needs authorization: its first day, the start of the supply that brings the need, the first day
    beyond the limit, and the day after its last covered one."""

    first: int
    caused: int
    exceeded: int
    stop: int


_Laid = tuple[int, int, int]
"""A supply on its days: its start, where it begins to cover what none before it in the episode covers, its stop."""

Passing = tuple[int, int]
_Count = Callable[[list[_Laid]], Passing | None]


def can_walk(policy: Policy) -> bool:
    """Return whether a walk gives the rule's own answer: not for shifted or elapsed supply, nor where episodes overlap
    or the established are released from days that a walk would name."""
    by_fill_date = policy.gap_anchor is GapAnchor.FILL_DATE
    return (
        policy.overlap is not Overlap.SHIFT
        and policy.basis is Basis.PROJECTED
        and not (by_fill_date and policy.mode is Mode.CUMULATIVE)
        and (policy.established_days is None or policy.established_days > _most_before_the_limit(policy))
    )


def _most_before_the_limit(policy: Policy) -> int:
    """Return how many days of the established window can be covered before an episode's first day beyond the limit.

    Up to there no window holds more than the limit, and before the episode lies a gap, if it counts from supply end.
    """
    window, limit, width = policy.established_window, policy.limit_days, policy.window_days
    gap = policy.gap_days if policy.gap_anchor is GapAnchor.SUPPLY_END else 0

    def inside(days: int) -> int:
        # A supply that started before a window still covers days in it; none is longer than the limit.
        return min(days, limit if width is None else ceil((days + limit) / width) * limit)

    return max(inside(days) + max(0, window - gap - days) for days in range(window + 1))


def crossings(
    supplies: Iterable[Supplied], policy: Policy, released: Sequence[Span] = (), *, since: int = NEVER
) -> list[Crossing] | None:
    """Return the episodes that need authorization by the limit for adults, of those where a supply that starts on or
    after `since` brings the need; supplies in the order of their start.

    None where released days fall among days that a walk does not tell apart: in a window use can fall back below the
    limit, and a horizon ends before a supply does.
    """
    counts_all = policy.mode is Mode.CUMULATIVE
    latest = policy.horizon_days if counts_all else None
    is_coarse = counts_all and (policy.window_days is not None or latest is not None)
    walk = _by_days_covered if counts_all and not _counts_otherwise(policy) else _by_episode
    if not is_coarse:
        return walk(supplies, policy, released, since)
    found = walk(supplies, policy, (), NEVER)
    if latest is not None:
        found = [crossing for crossing in found if crossing.exceeded < crossing.first + latest]
    if any(clipped(released, crossing.exceeded, crossing.stop) for crossing in found):
        return None
    return [crossing for crossing in found if crossing.caused >= since]


def _counts_otherwise(policy: Policy) -> bool:
    return policy.window_days is not None or policy.counts_days_supplied


def _by_days_covered(
    supplies: Iterable[Supplied], policy: Policy, released: Sequence[Span], since: int
) -> list[Crossing]:
    """Walk the usual policies, without a list or a call on the way: most of a million supplies pass here."""
    limit, gap_days = policy.limit_days, policy.gap_days
    found: list[Crossing] = []
    first = total = caused = beyond = 0
    covered_to = NEVER
    is_beyond = False
    for start, days in supplies:
        if start - covered_to >= gap_days:
            if is_beyond and caused >= since:
                found.append(Crossing(first, caused, beyond, covered_to))
            first = covered_to = start
            total, is_beyond = 0, False
        stop = start + days
        if stop > covered_to:
            if not is_beyond:
                fresh = start if start > covered_to else covered_to
                total += stop - fresh
                if total > limit:
                    caused, beyond = start, max(fresh, stop - (total - limit))
                    is_beyond = not (released and _are_released(beyond, stop, released))
            covered_to = stop
    if is_beyond and caused >= since:
        found.append(Crossing(first, caused, beyond, covered_to))
    return found


def _by_episode(supplies: Iterable[Supplied], policy: Policy, released: Sequence[Span], since: int) -> list[Crossing]:
    passing = _counting(policy, released)
    found = [(episode[0][0], passing(episode), stop) for episode, stop in _episodes(supplies, policy)]
    return [Crossing(first, *passed, stop) for first, passed, stop in found if passed and passed[0] >= since]


def _episodes(supplies: Iterable[Supplied], policy: Policy) -> Iterator[tuple[list[_Laid], int]]:
    """Yield each episode with the day after its last covered one."""
    by_fill_date, gap_days = policy.gap_anchor is GapAnchor.FILL_DATE, policy.gap_days
    episode: list[_Laid] = []
    covered_to = last_start = 0
    for first, days in supplies:
        if episode and (first - last_start > gap_days if by_fill_date else first - covered_to >= gap_days):
            yield episode, covered_to
            episode = []
        if not episode:
            covered_to = first
        stop = first + days
        episode.append((first, covered_to if covered_to > first else first, stop))
        if stop > covered_to:
            covered_to = stop
        last_start = first
    if episode:
        yield episode, covered_to


def _counting(policy: Policy, released: Sequence[Span]) -> _Count:
    """Return what tells of an episode (start of the supply that brings the need, first day beyond), or None.

    Episodes must be given in order: a window reaches back into the ones before.
    """
    limit, width = policy.limit_days, policy.window_days
    if policy.mode is Mode.PER_FILL_NAIVE:
        return lambda episode: _naive_fill(episode, limit, released)
    if width is None:
        return lambda episode: _supplied(episode, limit, released)
    return _supplied_in(width, limit) if policy.counts_days_supplied else _covered_in(width, limit)


def _naive_fill(episode: list[_Laid], limit: int, released: Sequence[Span]) -> Passing | None:
    """Only what is dispensed on an episode's first day finds a patient who is naive."""
    for start, _, stop in episode:
        if start > episode[0][0]:
            break
        if stop - start > limit and not _are_released(start + limit, stop, released):
            return start, start + limit
    return None


def _supplied(episode: list[_Laid], limit: int, released: Sequence[Span]) -> Passing | None:
    """The passing supply puts every day from its start on beyond the limit, also those that an earlier one covers."""
    total, covered_to, is_beyond = 0, 0, False
    for start, fresh, stop in episode:
        total, covered_to = total + stop - start, max(covered_to, stop)
        if total > limit:
            beyond = (fresh, max(fresh, stop)) if is_beyond else (start, covered_to)
            if beyond[0] < beyond[1] and not _are_released(*beyond, released):
                return start, beyond[0]
            is_beyond = True
    return None


def _are_released(first: int, stop: int, released: Sequence[Span]) -> bool:
    return length(clipped(released, first, stop)) == stop - first


def _supplied_in(width: int, limit: int) -> _Count:
    held: deque[Supplied] = deque()
    total = 0

    def passing(episode: list[_Laid]) -> Passing | None:
        nonlocal total
        passed = None
        for start, _, stop in episode:
            held.append((start, stop - start))
            total += stop - start
            while held[0][0] <= start - width:
                total -= held.popleft()[1]
            if total > limit and passed is None:
                passed = start, start
        return passed

    return passing


def _covered_in(width: int, limit: int) -> _Count:
    """Adding a supply changes no day before its own, and on these the count only rises: the last one tells."""
    spans: deque[tuple[int, int]] = deque()

    def passing(episode: list[_Laid]) -> Passing | None:
        passed = None
        for start, fresh, stop in episode:
            if stop <= fresh:
                continue
            spans.append((fresh, stop))
            while spans[0][1] <= fresh + 1 - width:
                spans.popleft()
            if passed is None and _covered_up_to(stop - 1, spans, width) > limit:
                passed = start, next(day for day in range(fresh, stop) if _covered_up_to(day, spans, width) > limit)
        return passed

    return passing


def _covered_up_to(day: int, spans: deque[tuple[int, int]], width: int) -> int:
    """Return how many of the `width` days that end with `day` are covered; `day` lies in the last span."""
    since, total = day + 1 - width, 0
    for first, stop in reversed(spans):
        if stop <= since:
            break
        total += min(stop, day + 1) - max(first, since)
    return total
