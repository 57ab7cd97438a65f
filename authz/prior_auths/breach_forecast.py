"""What will be due soon, against what the team decides at its present pace: will anything be late?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from authz.access.roles import Action, Actor, must_be_allowed
from authz.prior_auths.determination import Basis
from authz.prior_auths.lifecycle import UNDECIDED
from authz.prior_auths.models import Absence, Determination, PriorAuth

HOURS: Final = (4, 8, 24, 72)
PACE_DAYS: Final = 7
"""The pace is that of so many last days: the product's choice, long enough to hold a weekend."""

_OPEN = sorted(state.value for state in UNDECIDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon:
    """What is due within so many hours, overdue included, and how many decisions are made meanwhile at this pace."""

    hours: int
    due: int
    capacity: int

    @property
    def short_by(self) -> int:
        """How many would be late."""
        return max(0, self.due - self.capacity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """`pace` is how many decisions people made in the last days, `present` how many of these people are here now."""

    horizons: tuple[Horizon, ...]
    overdue: int
    pace: int
    people: int
    present: int


def forecast(due_at: Sequence[datetime], *, now: datetime, decided_by: Sequence[int], away: frozenset[int]) -> Forecast:
    """Return what is due within each horizon, against the pace of those who are here.

    `decided_by` names, for each decision of the last days, who made it; `away` are those who are absent now. What
    people who are away decided is left out of the pace.
    """
    here = [person for person in decided_by if person not in away]
    an_hour = Fraction(len(here), PACE_DAYS * 24)
    return Forecast(
        horizons=tuple(
            Horizon(
                hours=hours,
                due=sum(at <= now + timedelta(hours=hours) for at in due_at),
                capacity=int(an_hour * hours),
            )
            for hours in HOURS
        ),
        overdue=sum(at < now for at in due_at),
        pace=len(here),
        people=len(set(decided_by)),
        present=len(set(here)),
    )


def forecast_of(by: Actor, *, now: datetime) -> Forecast:
    """Return the forecast of the actor's insurer.

    :raises Forbidden: when the actor is of no insurer.
    """
    must_be_allowed(by, Action.READ_QUEUE)
    insurer = by.organization
    due = PriorAuth.objects.filter(insurer_id=insurer, state__in=_OPEN, due_at__isnull=False)
    since = now - timedelta(days=PACE_DAYS)
    decided = Determination.objects.filter(
        prior_auth__insurer_id=insurer, basis=Basis.PERSON.value, decided_at__gt=since, decided_at__lte=now
    )
    away = Absence.objects.filter(organization=insurer, starts_at__lte=now, ends_at__gt=now)
    return forecast(
        [at for at in due.values_list("due_at", flat=True) if at is not None],
        now=now,
        decided_by=[key for key in decided.values_list("decided_by_id", flat=True) if key is not None],
        away=frozenset(away.values_list("person_id", flat=True)),
    )
