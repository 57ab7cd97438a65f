"""The insurer's queue as it is read: what waits, for whom, how much each reviewer has in hand."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from authz.access.models import Membership
from authz.access.roles import Action, Actor, Role, must_be_allowed
from authz.prior_auths import selectors
from authz.prior_auths.lifecycle import UNDECIDED, State
from authz.prior_auths.models import Absence, PriorAuth, Skip

AT_RISK: Final = timedelta(hours=8)
"""Less than this before it is due, a request is at risk of a breach."""

MOST_PRESSING: Final = ("due_at", "runs_out_on", "pk")
"""By the legal deadline, then by the day the patient runs out; where the clock stands still, last."""

_OPEN = sorted(state.value for state in UNDECIDED)


class Whose(StrEnum):
    MINE = "mine"
    TEAM = "team"
    UNASSIGNED = "unassigned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one reviewer has: in hand, waiting for the clinic's answers, and of all that what is at risk of a breach."""

    person_id: UUID
    name: str
    in_hand: int
    waiting: int
    at_risk: int
    is_absent: bool


def review_queue(by: Actor) -> QuerySet[PriorAuth]:
    """Return the insurer's undecided requests, the most pressing first.

    :raises Forbidden: when the actor is of no insurer.
    """
    must_be_allowed(by, Action.READ_QUEUE)
    return selectors.prior_auths(by).filter(insurer_id=by.organization, state__in=_OPEN).order_by(*MOST_PRESSING)


def of(rows: QuerySet[PriorAuth], whose: Whose, by: Actor) -> QuerySet[PriorAuth]:
    """Return those that the actor has, that colleagues have, or that nobody has."""
    if whose is Whose.UNASSIGNED:
        return rows.filter(reviewer=None)
    mine = Q(reviewer_id=by.person_id)
    return rows.filter(mine) if whose is Whose.MINE else rows.exclude(reviewer=None).exclude(mine)


def at_risk(rows: QuerySet[PriorAuth], *, now: datetime) -> QuerySet[PriorAuth]:
    """Return those that are due soon or overdue."""
    return rows.filter(due_at__lt=now + AT_RISK)


def waiting_for(person_id: int, organization_id: int, *, state: State, now: datetime) -> QuerySet[PriorAuth]:
    """Return what this person could take in hand next, the most pressing first.

    Left out is what they passed over, what somebody has, and what concerns their own clinic or patients.
    """
    conflicting = Membership.objects.filter(person=person_id, organization=OuterRef("clinic_id"))
    skipped = Skip.objects.filter(prior_auth=OuterRef("pk"), person=person_id)
    rows = PriorAuth.objects.filter(insurer_id=organization_id, state=state.value, submitted_at__isnull=False)
    free = rows.filter(Q(leased_until=None) | Q(leased_until__lte=now))
    return free.exclude(Exists(conflicting) | Exists(skipped)).order_by(*MOST_PRESSING)


def is_absent(person_id: int | None, *, organization_id: int | None, now: datetime) -> bool:
    """Say whether a reviewer is away."""
    away = Absence.objects.filter(person=person_id, organization=organization_id)
    return away.filter(starts_at__lte=now, ends_at__gt=now).exists()


def workload(by: Actor, *, now: datetime) -> list[Load]:
    """Return how much each reviewer of the actor's insurer has, by name; those who have nothing as well."""
    must_be_allowed(by, Action.READ_QUEUE)
    roles = [Role.REVIEWER.value, Role.PHYSICIAN.value]
    people = Membership.objects.filter(organization=by.organization, role__in=roles, person__is_active=True)
    named = {row.person_id: row.person for row in people.select_related("person").order_by("person__full_name")}
    held = PriorAuth.objects.filter(insurer_id=by.organization, state__in=_OPEN, reviewer__in=named)
    with_clinic = Q(state=State.INFO_REQUESTED.value)
    counts = held.values("reviewer_id").annotate(
        in_hand=Count("pk", filter=~with_clinic),
        waiting=Count("pk", filter=with_clinic),
        at_risk=Count("pk", filter=Q(due_at__lt=now + AT_RISK)),
    )
    by_person = {row["reviewer_id"]: (row["in_hand"], row["waiting"], row["at_risk"]) for row in counts}
    away = Absence.objects.filter(organization=by.organization, starts_at__lte=now, ends_at__gt=now)
    absent = set(away.values_list("person_id", flat=True))
    loads = []
    for key, person in named.items():
        in_hand, waiting, risky = by_person.get(key, (0, 0, 0))
        loads.append(
            Load(
                person_id=person.public_id,
                name=person.full_name,
                in_hand=in_hand,
                waiting=waiting,
                at_risk=risky,
                is_absent=key in absent,
            )
        )
    return loads


def reviewers(prior_auth: PriorAuth) -> list[tuple[UUID, str]]:
    """Return the people of the request's insurer who review, by name."""
    roles = [Role.REVIEWER.value, Role.PHYSICIAN.value]
    people = Membership.objects.filter(organization=prior_auth.insurer_id, role__in=roles, person__is_active=True)
    return list(people.values_list("person__public_id", "person__full_name").distinct().order_by("person__full_name"))
