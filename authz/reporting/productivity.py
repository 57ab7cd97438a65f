"""PURE: what requests cost a clinic: the touches of its people, and the time they took."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from statistics import median_high, median_low

from authz.reporting.figures import Times


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One request that a clinic submitted. `touches` are its people's steps, each by the key of who took it."""

    opened_at: datetime
    submitted_at: datetime
    decided_at: datetime | None
    touches: tuple[int, ...]


@dataclass(slots=True)
class Productivity:
    """The work on some requests."""

    touches: list[int] = field(default_factory=list)
    to_submit: Times = field(default_factory=Times)
    to_decide: Times = field(default_factory=Times)
    touches_by: Counter[int] = field(default_factory=Counter)
    requests_by: Counter[int] = field(default_factory=Counter)

    def add(self, work: Work) -> None:
        """Take one more request into account."""
        self.touches.append(len(work.touches))
        self.touches_by.update(work.touches)
        self.requests_by.update(set(work.touches))
        self.to_submit.add(work.submitted_at - work.opened_at)
        if work.decided_at is not None:
            self.to_decide.add(work.decided_at - work.submitted_at)

    @property
    def mean_touches(self) -> Fraction | None:
        """A request, in the mean; None of none."""
        return Fraction(sum(self.touches), len(self.touches)) if self.touches else None

    @property
    def median_touches(self) -> Fraction | None:
        """A request, in the median; None of none."""
        return Fraction(median_low(self.touches) + median_high(self.touches), 2) if self.touches else None


def productivity(works: Iterable[Work]) -> Productivity:
    """Add the work on some requests up."""
    found = Productivity()
    for work in works:
        found.add(work)
    return found
