"""Figures, the requests behind them, open requests and a clinic's work, as the actor's organization may know them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from authz.access.models import Organization, Person
from authz.access.roles import Action, Actor, OrganizationKind, must_be_allowed
from authz.access.selectors import organization
from authz.errors import InvalidInput, NotFound
from authz.ids import PersonId
from authz.policies.models import Plan
from authz.prior_auths.lifecycle import ACTIVE, State
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.visibility import visible_to
from authz.reporting.aging import Aged, Aging, OpenRequest, aging
from authz.reporting.figures import Figure, Speed, Tally, counted, speeds_of
from authz.reporting.periods import Every, Period, piece_with, pieces
from authz.reporting.productivity import Productivity, Work, productivity, touches
from authz.reporting.recorded import Recorded, counting_in, recorded
from authz.reporting.sheet import Line, work_cells

_Key = tuple[int, int | None]
"""A payer, and one of its plans or none."""


class By(StrEnum):
    """What figures are told apart by, besides the period."""

    PAYER = "payer"
    PLAN = "plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Of which payer, and of which plan; without either, of all."""

    payer: UUID | None = None
    plan: UUID | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """The figures of one payer, or of one of its plans, in one period."""

    payer: Organization
    plan: Plan | None
    period: Period
    tallies: Mapping[Speed, Tally]

    @property
    def lines(self) -> Iterator[Line]:
        """What a sheet tells of it, line by line."""
        code, name = (self.plan.code, self.plan.name) if self.plan else ("", "")
        for speed, tally in self.tallies.items():
            yield Line(self.payer.name, code, name, self.period, speed, tally)


class Counted(NamedTuple):
    """That a request counts in a figure: on a day of its plan's calendar, at a speed."""

    on: date
    speed: Speed


@dataclass(frozen=True, slots=True)
class WorkedRequests:
    """The requests behind a clinic's work, or behind one person's, with the work on each by its key."""

    requests: QuerySet[PriorAuth]
    works: Mapping[int, Work]
    person: Person | None


@dataclass(frozen=True, slots=True)
class PersonsWork:
    """What one of the clinic's people did."""

    person: Person
    touches: int
    requests: int


@dataclass(frozen=True, slots=True)
class ClinicsWork:
    """What a clinic's requests of a period cost it, and who touched them how often, by name."""

    period: Period
    total: Productivity
    people: list[PersonsWork]

    @property
    def lines(self) -> Iterator[list[str]]:
        """What a sheet tells of it, line by line."""
        people = ((one.person.full_name, one.requests, one.touches) for one in self.people)
        return work_cells(self.period, self.total, people)


def metrics(
    by: Actor, period: Period, *, every: Every | None = None, told_by: By = By.PAYER, of: Whose | None = None
) -> list[Block]:
    """Return the figures by payer or plan, in the order of their names, for each piece of the period.

    Who has a request that counts anywhere in the period is told of in every piece of it.

    :raises InvalidInput: when there is no such payer or plan.
    """
    parts = pieces(period, every)
    tallies: defaultdict[_Key, dict[Period, dict[Speed, Tally]]] = defaultdict(
        lambda: {part: {speed: Tally() for speed in Speed} for part in parts}
    )
    for row in recorded(counting_in(_requests(by, of), period)):
        whose = (row.payer, row.plan if told_by is By.PLAN else None)
        for figure, on in _days(row):
            part = piece_with(on, parts)
            if part is not None:
                for speed in speeds_of(row.course):
                    tallies[whose][part][speed].count(figure, row.course)
    return _blocks(tallies)


def counted_requests(
    by: Actor, period: Period, *, figure: Figure, speed: Speed = Speed.ALL, of: Whose | None = None
) -> tuple[QuerySet[PriorAuth], Mapping[int, Counted]]:
    """Return the requests behind a figure, and how each counts in it, by its key.

    :raises InvalidInput: when there is no such payer or plan.
    """
    requests = _requests(by, of)
    found = {
        row.key: Counted(on, speeds_of(row.course)[0])
        for row in recorded(counting_in(requests, period))
        for counts, on in _days(row)
        if counts is figure and on in period and speed in speeds_of(row.course)
    }
    return requests.filter(pk__in=list(found)), found


def open_requests(by: Actor, *, now: datetime, of: Whose | None = None) -> Aging:
    """Return how old open requests are: a clinic's own, for an insurer those submitted to it.

    :raises InvalidInput: when there is no such payer or plan.
    """
    return aging((one for _, one in _still_open(_requests(by, of))), now=now)


def aged_requests(by: Actor, *, now: datetime, of: Aged) -> QuerySet[PriorAuth]:
    """Return the open requests behind a figure of their age."""
    requests = _requests(by, None)
    return requests.filter(pk__in=[key for key, one in _still_open(requests) if of.holds(one, now=now)])


def clinics_work(by: Actor, period: Period) -> ClinicsWork:
    """Return what the requests that a clinic submitted in a period, in its own calendar, cost it up to now."""
    total = productivity(work for _, work in _works(by, period))
    people = Person.objects.filter(pk__in=list(total.touches_by)).order_by("full_name", "pk")
    told = [PersonsWork(person, total.touches_by[person.pk], total.requests_by[person.pk]) for person in people]
    return ClinicsWork(period, total, told)


def worked_requests(by: Actor, period: Period, *, person_id: PersonId | None = None) -> WorkedRequests:
    """Return the requests behind a clinic's work of a period; of one person those that they touched, and their touches.

    :raises NotFound: when that person touched none.
    """
    works, person = dict(_works(by, period)), None
    if person_id is not None:
        person = Person.objects.filter(public_id=person_id).first()
        works = {key: own for key, work in works.items() if person and (own := work.of(person.pk)).touches}
        if not works:
            raise NotFound("Nobody of this id touched a request.")
    return WorkedRequests(PriorAuth.objects.filter(visible_to(by), pk__in=list(works)), works, person)


def _requests(by: Actor, of: Whose | None) -> QuerySet[PriorAuth]:
    must_be_allowed(by, Action.READ_METRICS)
    wanted, faults = Q(), {}
    if of is not None and of.payer is not None:
        wanted &= Q(insurer__public_id=of.payer)
        if not Organization.objects.filter(public_id=of.payer, kind=OrganizationKind.INSURER.value).exists():
            faults["payer"] = ["There is no such payer."]
    if of is not None and of.plan is not None:
        wanted &= Q(coverage__plan__public_id=of.plan)
        if not Plan.objects.filter(public_id=of.plan).exists():
            faults["plan"] = ["There is no such plan."]
    if faults:
        raise InvalidInput(faults)
    return PriorAuth.objects.filter(visible_to(by), wanted)


def _still_open(requests: QuerySet[PriorAuth]) -> Iterator[tuple[int, OpenRequest]]:
    rows = requests.filter(state__in=[state.value for state in ACTIVE])
    told = rows.values_list("pk", "state", Coalesce("submitted_at", "opened_at"), "due_at")
    for key, state, since, due_at in told.iterator():
        yield key, OpenRequest(State(state), since, due_at)


def _works(by: Actor, period: Period) -> Iterator[tuple[int, Work]]:
    must_be_allowed(by, Action.READ_PRODUCTIVITY)
    zone = ZoneInfo(organization(by).time_zone)
    own = PriorAuth.objects.filter(clinic_id=by.organization)
    for row in recorded(counting_in(own, period), with_acts=True):
        if row.course.received_at.astimezone(zone).date() in period:
            yield row.key, _work(row)


def _days(row: Recorded) -> Iterator[tuple[Figure, date]]:
    """Yield the figures in which a request counts, each with the day in its plan's calendar."""
    for figure, at in counted(row.course):
        yield figure, at.astimezone(row.zone).date()


def _blocks(tallies: Mapping[_Key, Mapping[Period, Mapping[Speed, Tally]]]) -> list[Block]:
    payers = Organization.objects.in_bulk({payer for payer, _ in tallies})
    plans = Plan.objects.select_related("insurer").in_bulk({plan for _, plan in tallies if plan is not None})
    blocks = [
        Block(payers[payer], plans[plan] if plan is not None else None, period, by_speed)
        for (payer, plan), by_period in tallies.items()
        for period, by_speed in by_period.items()
    ]
    return sorted(blocks, key=_by_name)


def _by_name(block: Block) -> tuple[str, str, int, Period]:
    return block.payer.name, block.plan.name if block.plan else "", block.plan.pk if block.plan else 0, block.period


def _work(row: Recorded) -> Work:
    first = row.course.first_ruling
    return Work(
        opened_at=row.opened_at,
        submitted_at=row.course.received_at,
        decided_at=first.at if first else None,
        touches=touches(row.acts),
    )
