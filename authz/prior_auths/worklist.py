"""A clinic's worklist as it is read: how it is narrowed, in which order it stands, and how much is on each card."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat

from authz import clock
from authz.access.models import Membership, Organization
from authz.access.roles import Action, Actor, OrganizationKind, Role, must_be_allowed
from authz.prescriptions.models import Prescriber
from authz.prior_auths.lifecycle import ACTIVE, ENDED, State, awaited_of
from authz.prior_auths.models import InformationRequest, PriorAuth
from authz.prior_auths.same_use import survivors_for
from authz.prior_auths.wanted import BALL, NOBODY, Ball, Due, Show, Wanted
from authz.prior_auths.worklist_search import found_in

RUNS_OUT_FIRST: Final = ("runs_out_on", "pk")
"""The order of what is open: by the day on which the patient is without medication."""

JUST_DECIDED: Final = timedelta(hours=24)
_ORDER: Final = {Show.DECIDED: ["-decided_at"], Show.ENDED: ["-pk"], Show.ALL: ["-pk"]}
_A_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Somebody to narrow the list by, or to assign to."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Whose requests there can be: by prescriber and by payer, and the colleagues who work on them."""

    prescribers: list[Choice]
    payers: list[Choice]
    colleagues: list[Choice]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Who reads when, in the calendar of which time zone: the clinic's."""

    by: Actor
    now: datetime
    zone: str

    @property
    def today(self) -> date:
        return clock.day_in(self.zone, at=self.now)


def worklist(reading: Reading, wanted: Wanted) -> QuerySet[PriorAuth]:
    """Return the clinic's requests that are wanted: open ones by run-out, the others newest first.

    :raises Forbidden: when the actor may not read requests.
    """
    rows = _of_clinic(reading).filter(_part(wanted.show, reading), *_narrowed(wanted, reading))
    return rows.order_by(*_ORDER.get(wanted.show, RUNS_OUT_FIRST))


def counts(reading: Reading, wanted: Wanted, listed: QuerySet[PriorAuth]) -> tuple[dict[Show, int], int]:
    """Return how many requests stand on each card, and how many are listed: those that `worklist` says are wanted."""
    cards = [Show.OPEN, Show.NEEDS_ANSWER, Show.DUE_TODAY, Show.WITH_INSURER]
    rows = _of_clinic(reading)
    on_cards = rows.filter(_part(Show.OPEN, reading)).aggregate(
        **{card.name: Count("pk", filter=_part(card, reading)) for card in cards}
    )
    told = {card: on_cards[card.name] for card in cards}
    told[Show.DECIDED] = rows.filter(_part(Show.DECIDED, reading)).count()
    if wanted.is_narrowed or wanted.show not in told:
        return told, listed.order_by().count()
    return told, told[wanted.show]


def choices(by: Actor) -> Choices:
    """Return by whom the clinic's list can be narrowed, and to whom its work can be given."""
    name = Concat("given_name", Value(" "), "family_name")
    prescribers = Prescriber.objects.filter(organizations=by.organization)
    payers = Organization.objects.filter(kind=OrganizationKind.INSURER.value, plans__isnull=False)
    found = prescribers.values_list(Value("prescriber"), "public_id", name).union(
        payers.order_by().values_list(Value("payer"), "public_id", "name"),
        _members(by.organization).values_list(Value("colleague"), "person__public_id", "person__full_name"),
    )
    listed: dict[str, list[Choice]] = {"prescriber": [], "payer": [], "colleague": []}
    for kind, key, said in sorted(found, key=lambda one: str(one[2])):
        listed[kind].append(Choice(id=key, name=said))
    return Choices(prescribers=listed["prescriber"], payers=listed["payer"], colleagues=listed["colleague"])


def same_use(prior_auth: PriorAuth) -> list[tuple[UUID, str, str]]:
    """Return the clinic's requests in favor of which this one can be closed, as (id, number, product), newest first.

    Of one that was submitted only submitted ones are: the insurer reads this list, too.
    """
    others = survivors_for(prior_auth).filter(clinic=prior_auth.clinic_id)
    if prior_auth.submitted_at is not None:
        others = others.filter(submitted_at__isnull=False, insurer=prior_auth.insurer_id)
    rows = others.order_by("-pk").prefetch_related("lines")
    return [(row.public_id, row.number, next((line.product_name for line in row.lines.all()), "")) for row in rows]


def colleagues(clinic_id: int) -> list[tuple[UUID, str]]:
    """Return the people of a clinic who work on requests, by name."""
    people = _members(clinic_id).values_list("person__public_id", "person__full_name")
    return list(people.distinct().order_by("person__full_name"))


def _members(clinic_id: int) -> QuerySet[Membership]:
    roles = [Role.STAFF.value, Role.PRESCRIBER.value]
    return Membership.objects.filter(organization=clinic_id, role__in=roles, person__is_active=True)


def _of_clinic(reading: Reading) -> QuerySet[PriorAuth]:
    must_be_allowed(reading.by, Action.READ_REQUESTS)
    return PriorAuth.objects.filter(clinic=reading.by.organization)


def awaited(roles: Collection[Role]) -> Q:
    """Return the requests that wait for a step that someone in these roles may take."""
    states = Q(state__in=_values(ACTIVE & awaited_of(roles)))
    return states if Role.PRESCRIBER in roles else states & ~_IS_PRESCRIBERS


def _asked(owner: Role) -> Exists:
    return Exists(InformationRequest.objects.filter(prior_auth=OuterRef("pk"), answered_at=None, owner=owner.value))


_ASKS_PRESCRIBER: Final = Q(state=State.INFO_REQUESTED.value) & Q(_asked(Role.PRESCRIBER))
_IS_PRESCRIBERS: Final = _ASKS_PRESCRIBER & ~Q(_asked(Role.STAFF))
"""What the insurer asks is the prescriber's alone to answer."""


def _with(ball: Ball) -> Q:
    """Return what somebody has the ball of; of questions to both the staff and the prescriber, both."""
    states = Q(state__in=_values(BALL[ball]))
    if ball is Ball.PRESCRIBER:
        return states | _ASKS_PRESCRIBER
    return states & ~_IS_PRESCRIBERS


def _values(states: frozenset[State]) -> list[str]:
    return sorted(state.value for state in states)


_OPEN: Final = Q(state__in=_values(ACTIVE))


def _part(show: Show, reading: Reading) -> Q:
    """Return what stands on a card, or on one of the two lists."""
    return {
        Show.OPEN: _OPEN,
        Show.NEEDS_ANSWER: _OPEN & awaited(reading.by.roles),
        Show.DUE_TODAY: _OPEN & _due(Due.TODAY, reading),
        Show.WITH_INSURER: _OPEN & Q(state__in=_values(BALL[Ball.INSURER])),
        Show.DECIDED: Q(state=State.DECIDED.value, decided_at__gt=reading.now - JUST_DECIDED),
        Show.ENDED: Q(state__in=_values(ENDED - {State.VOIDED})),
        Show.ALL: ~Q(state=State.VOIDED.value),
    }[show]


def _due(due: Due, reading: Reading) -> Q:
    """Return what is due by then; what is overdue is due today, too."""
    last = reading.today + {Due.OVERDUE: -_A_DAY, Due.TODAY: 0 * _A_DAY, Due.WEEK: 6 * _A_DAY}[due]
    instant = reading.now if due is Due.OVERDUE else clock.end_of_day(reading.zone, on=last)
    return Q(due_at__lt=instant) | Q(runs_out_on__lte=last)


def _narrowed(wanted: Wanted, reading: Reading) -> list[Q]:
    narrowed: list[Q] = []
    if wanted.state:
        narrowed.append(Q(state=wanted.state.value))
    if wanted.ball:
        narrowed.append(_with(wanted.ball))
    if wanted.due:
        narrowed.append(_due(wanted.due, reading))
    if wanted.prescriber:
        narrowed.append(Q(prescriber__public_id=wanted.prescriber))
    if wanted.payer:
        narrowed.append(Q(insurer__public_id=wanted.payer))
    if wanted.assignee:
        is_nobody = wanted.assignee == NOBODY
        narrowed.append(Q(assignee=None) if is_nobody else Q(assignee__public_id=wanted.assignee))
    return narrowed + found_in(wanted.search.split(), reading.by)
