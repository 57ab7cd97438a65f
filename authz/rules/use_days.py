"""When use goes beyond the limit, and on which of those days authorization is needed (steps 9 to 12)."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import accumulate

from authz.rules.placement import Placed, Stretch, stretches
from authz.rules.policy import GapAnchor, Mode, Policy
from authz.rules.records import AuthorizedPeriod, Case, Exemption
from authz.rules.selection import Supply
from authz.rules.spans import FOREVER, NEVER, Cover, Span, clipped, merged, reaching, without

Count = Callable[[int], int]


class Naive(StrEnum):
    """Whether the patient was free of opioids before a supply; unknown when our history starts too late to tell."""

    NAIVE = "naive"
    NOT_NAIVE = "not_naive"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the rule must know of a patient besides records, as ordinals.

    `adult_from` is the first day of the ordinary limit, `known_from` the first day of known history, `released` the
    days that an exemption or an authorization covers.
    """

    adult_from: int
    known_from: int
    released: list[Span]


def circumstances_of(case: Case) -> Circumstances:
    """Return the circumstances of the case under its policy."""
    periods: list[Exemption | AuthorizedPeriod] = [*applicable_exemptions(case), *case.authorizations]
    released = [period_span(period) for period in periods]
    known_from = NEVER if case.history_start is None else case.history_start.toordinal()
    return Circumstances(_adult_from(case.birth_date, case.policy), known_from, merged(released))


def applicable_exemptions(case: Case) -> list[Exemption]:
    """Return the exemptions whose category the policy exempts."""
    return [exemption for exemption in case.exemptions if exemption.category in case.policy.exempt_categories]


def period_span(period: Exemption | AuthorizedPeriod) -> Span:
    """Return the days of a period whose both ends are included; an open end reaches as far as days go."""
    first = NEVER if period.start is None else period.start.toordinal()
    stop = FOREVER if period.end is None else period.end.toordinal() + 1
    return first, stop


def _adult_from(birth_date: date | None, policy: Policy) -> int:
    """Return the day on which `minor_age` is reached: for a birthday on 29 February, 1 March in common years."""
    if birth_date is None or policy.minor_limit_days is None:
        return NEVER
    year = birth_date.year + policy.minor_age
    if year > date.max.year:
        return FOREVER
    if (birth_date.month, birth_date.day) == (2, 29):
        return date(year, 2, 28).toordinal() + 1  # 29 February where there is one, else 1 March
    return birth_date.replace(year=year).toordinal()


class Use:
    """A patient's use of the placed supplies, given in (start, id) order, measured against one policy."""

    __slots__ = ("_circumstances", "_cover", "_policy", "placed", "stretches")

    def __init__(self, placed: Sequence[Placed], policy: Policy, circumstances: Circumstances) -> None:
        self.placed = placed
        self.stretches = stretches(placed, policy)
        self._policy = policy
        self._circumstances = circumstances
        self._cover: Cover | None = None

    @property
    def cover(self) -> Cover:
        """All covered days, of all episodes."""
        if self._cover is None:
            self._cover = Cover(merged(span for stretch in self.stretches for span in stretch.spans))
        return self._cover

    def limit_on(self, day: int) -> int:
        """Return how many days are free of any need on that day."""
        policy = self._policy
        if policy.minor_limit_days is not None and day < self._circumstances.adult_from:
            return policy.minor_limit_days
        return policy.limit_days

    def exceeded(self, stretch: Stretch) -> list[Span]:
        """Return the days of the episode on which use is beyond the limit."""
        if self._policy.mode is Mode.PER_FILL_NAIVE:
            return merged(self._beyond_in_fill(item) for item in stretch.members)
        pieces = stretch.spans
        if self._policy.horizon_days is not None:
            pieces = clipped(pieces, stretch.first, stretch.first + self._policy.horizon_days)
        count, bends = self.counting(stretch)
        return self._over_limit(pieces, count, bends)

    def required(self, stretch: Stretch) -> list[Span]:
        """Return the days of the episode on which authorization is needed."""
        return self.unreleased(self.exceeded(stretch))

    def unreleased(self, exceeded: Sequence[Span]) -> list[Span]:
        """Return those of the days beyond the limit on which nothing lifts the need."""
        needed = without(exceeded, self._circumstances.released)
        return without(needed, self.established(needed))

    def established(self, days: Sequence[Span]) -> list[Span]:
        """Return those of the covered `days` before which opioids had been used long enough for no limit to hold."""
        policy = self._policy
        if policy.established_days is None:
            return []
        cover, width = self.cover, policy.established_window
        bends = [edge + width for edge in cover.edges()]
        return reaching(days, policy.established_days, lambda day: cover.before(day) - cover.before(day - width), bends)

    def naive(self, supply: Supply) -> Naive:
        """Return whether nothing else was in use (by fill date: dispensed) in the `gap_days` before the supply."""
        since = supply.start - self._policy.gap_days
        if self._policy.gap_anchor is GapAnchor.FILL_DATE:
            before = bisect_left(self.placed, supply.start, key=_start)
            has_earlier = before > 0 and _start(self.placed[before - 1]) >= since
        else:
            has_earlier = self.cover.before(supply.start) > self.cover.before(since)
        if has_earlier:
            return Naive.NOT_NAIVE
        return Naive.UNKNOWN if self._circumstances.known_from > since else Naive.NAIVE

    def measure(self, stretch: Stretch, day: int) -> tuple[int, int]:
        """Return (days counted, limit) on an exceeded day; per fill, those of the fill that exceeds there."""
        if self._policy.mode is Mode.PER_FILL_NAIVE:
            supply = next(item[2] for item in stretch.members if self._beyond_in_fill(item)[0] == day < item[1])
            return supply.days, self.limit_on(supply.start)
        count, _ = self.counting(stretch)
        return count(day), self.limit_on(day)

    def counting(self, stretch: Stretch) -> tuple[Count, Sequence[int]]:
        """Return the count that holds on a covered day of the episode, and the days on which its course bends."""
        width = self._policy.window_days
        if self._policy.counts_days_supplied:
            return _days_supplied(stretch.members if width is None else self.placed, width)
        return _days_covered(Cover(stretch.spans) if width is None else self.cover, width)

    def _over_limit(self, pieces: Sequence[Span], count: Count, bends: Sequence[int]) -> list[Span]:
        policy, adult_from = self._policy, self._circumstances.adult_from
        if policy.minor_limit_days is None:
            return reaching(pieces, policy.limit_days + 1, count, bends)
        young = reaching(clipped(pieces, NEVER, adult_from), policy.minor_limit_days + 1, count, bends)
        grown = reaching(clipped(pieces, adult_from, FOREVER), policy.limit_days + 1, count, bends)
        return merged([*young, *grown])

    def _beyond_in_fill(self, item: Placed) -> Span:
        """Return the days of one supply beyond the limit on its start; none for a patient who is not naive."""
        first, stop, supply = item
        if self.naive(supply) is Naive.NOT_NAIVE:
            return first, first
        return min(first + self.limit_on(supply.start), stop), stop


def _start(item: Placed) -> int:
    return item[2].start


def _days_covered(cover: Cover, width: int | None) -> tuple[Count, Sequence[int]]:
    """Count covered calendar days up to and including a day; with a width, only the last so many days.

    Asked only for covered days, where each day adds itself: the course bends where covered days leave the window.
    """
    if width is None:
        return lambda day: cover.before(day + 1), ()
    bends = [edge + width for edge in cover.edges()]
    return lambda day: cover.before(day + 1) - cover.before(day + 1 - width), bends


def _days_supplied(placed: Sequence[Placed], width: int | None) -> tuple[Count, Sequence[int]]:
    """Count whole days' supply dispensed up to and including a day; with a width, in the last so many days."""
    starts = [supply.start for _, _, supply in placed]
    sums = [0, *accumulate(supply.days for _, _, supply in placed)]
    if width is None:
        return lambda day: sums[bisect_right(starts, day)], starts
    bends = sorted(start + offset for start in starts for offset in (0, width))
    return lambda day: sums[bisect_right(starts, day)] - sums[bisect_right(starts, day - width)], bends
