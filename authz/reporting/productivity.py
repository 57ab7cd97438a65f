"""PURE: what requests cost a clinic: the touches of its people, and the time they took."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from statistics import median_high, median_low
from typing import Final, NamedTuple

from authz.prior_auths.lifecycle import Step
from authz.reporting.figures import Times

_SAVED: Final = "answer"
"""What the trail calls it when answers are saved, by the button or as one types."""

_ONE_SITTING: Final = timedelta(minutes=30)
"""Answers that one person saves no further apart are one touch. An assumption of this product, not a source."""


class Act(NamedTuple):
    """What a person of the clinic did to a request, as the trail tells it; `person` is their key."""

    at: datetime
    person: int
    action: str


def touches(acts: Collection[Act]) -> tuple[int, ...]:
    """Return who touched a request, once for each touch, the first one first.

    To submit it as expedited is one touch; so are answers that one person saves, each within half an hour of the last.
    """
    found: list[int] = []
    saved: dict[int, datetime] = {}
    for act in sorted(acts):
        goes_on = act.action == _SAVED and act.person in saved and act.at - saved[act.person] <= _ONE_SITTING
        is_part = act.action == Step.EXPEDITE and act._replace(action=Step.SUBMIT.value) in acts
        if not (goes_on or is_part):
            found.append(act.person)
        if act.action == _SAVED:
            saved[act.person] = act.at
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One request that a clinic submitted. `touches` are by the keys of its people."""

    opened_at: datetime
    submitted_at: datetime
    decided_at: datetime | None
    touches: tuple[int, ...]

    @property
    def to_submit(self) -> timedelta:
        """From when it was opened to its receipt."""
        return self.submitted_at - self.opened_at

    @property
    def to_decide(self) -> timedelta | None:
        """From receipt to the first determination; None before there is one."""
        return None if self.decided_at is None else self.decided_at - self.submitted_at

    def of(self, person: int) -> "Work":
        """Return the same with the touches of one person alone."""
        return replace(self, touches=tuple(who for who in self.touches if who == person))


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
        self.to_submit.add(work.to_submit)
        if work.to_decide is not None:
            self.to_decide.add(work.to_decide)

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
