"""The insurer's queue as it is read: what waits, for whom, how much each reviewer has in hand."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Coalesce

from authz.access.database.rows import Question
from authz.access.models import Membership
from authz.access.roles import Action, Actor, Role, must_be_allowed
from authz.access.tenancy import across_tenants
from authz.prior_auths import selectors
from authz.prior_auths.lifecycle import UNDECIDED, State
from authz.prior_auths.models import Absence, PriorAuth

AT_RISK: Final = timedelta(hours=8)
"""Less than this before it is due, a request is at risk of a breach."""

SKIP_HOLDS: Final = timedelta(days=1)
"""For so long a reviewer is not offered what they passed over; what is at risk of a breach, when nothing else waits."""

MOST_PRESSING: Final = ("turn_at", "runs_out_on", "pk")
"""By the legal deadline, then by the day the patient runs out; where the clock stands still, last.

No law says by when a reopened request is to be decided. Its turn is that of one due when it was reopened.
"""

_TURN: Final = Coalesce("due_at", "reopened_at")

_SHOWN: Final = (
    *("public_id", "number", "version", "state", "urgency", "pa_required_from", "runs_out_on", "is_payer_rule_unknown"),
    *("is_dispensed", "is_part2", "decider_specialties"),
    *("opened_at", "need_in_doubt_at", "submitted_at", "decided_at", "reopened_at", "leased_until", "due_at"),
    *("regime", "regime_version", "time_zone", "reviewer", "patient__public_id", "coverage__public_id"),
    *("clinic__public_id", "clinic__name", "clinic__time_zone", "insurer__public_id", "insurer__name"),
    *(
        "prescriber__public_id",
        "prescriber__npi",
        "prescriber__family_name",
        "prescriber__given_name",
        "duplicate_of__public_id",
    ),
    *("reviewer__public_id", "reviewer__full_name"),
)
"""What a list tells of a request; to fetch all of what it rests on would take most of the time."""

_RELATED: Final = ("patient", "coverage", "clinic", "insurer", "prescriber", "duplicate_of", "reviewer")

_COLUMNS: Final = ("id", "public_id", "number", "version", "state", "patient_id", "is_part2")
"""What is told of a request that was taken; of the rest nobody asks before they look at it."""
# Whoever claims from the queue can still approve; what was referred waits for somebody who may decide against it.
_UNQUALIFIED: Final = """OR (
            decider_specialties <> '{}' AND NOT EXISTS (
                SELECT FROM authz_licence WHERE person_id = %(person)s AND specialty = ANY (decider_specialties)
            )
        )"""
# One NOT over all: what was skipped would by itself be joined, and the whole queue sorted for the first of its order.
# The state stands in the text, not among the values, so that one plan by the state's own index serves every time.
_NEXT: Final = {
    state: f"""
SELECT {", ".join(_COLUMNS)}
FROM authz_priorauth request
WHERE insurer_id = %(insurer)s AND state = '{state.value}' AND submitted_at IS NOT NULL
    AND (leased_until IS NULL OR leased_until <= %(now)s)
    AND NOT (
        (
            (due_at IS NULL OR due_at >= %(spared)s) AND EXISTS (
                SELECT FROM authz_skip WHERE prior_auth_id = request.id AND person_id = %(person)s AND at > %(held)s
            )
        )
        OR authz_is_partial(%(person)s, clinic_id, prescriber_id)
        OR (reopened_at IS NOT NULL AND authz_decided_against(%(person)s, id))
        {_UNQUALIFIED if state is State.CLINICAL_REVIEW else ""}
    )
ORDER BY COALESCE(due_at, reopened_at), runs_out_on, id
FOR UPDATE SKIP LOCKED LIMIT 1
"""
    for state in (State.QUEUED, State.CLINICAL_REVIEW)
}

_OPEN = sorted(state.value for state in UNDECIDED)


class Whose(StrEnum):
    MINE = "mine"
    TEAM = "team"
    UNASSIGNED = "unassigned"


class Part(StrEnum):
    """Which part of the queue a desk shows."""

    ALL = "all"
    MINE = "mine"
    TEAM = "team"
    UNASSIGNED = "unassigned"
    AT_RISK = "at-risk"


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
    open_requests = selectors.prior_auths(by).filter(insurer_id=by.organization, state__in=_OPEN)
    related = open_requests.select_related(None).select_related(*_RELATED)
    return most_pressing_first(related.only(*_SHOWN))


def most_pressing_first(rows: QuerySet[PriorAuth]) -> QuerySet[PriorAuth]:
    """Return requests in the order of the queue, each with its `turn_at`."""
    return rows.annotate(turn_at=_TURN).order_by(*MOST_PRESSING)


def of(rows: QuerySet[PriorAuth], whose: Whose, by: Actor) -> QuerySet[PriorAuth]:
    """Return those that the actor has, that colleagues have, or that nobody has."""
    if whose is Whose.UNASSIGNED:
        return rows.filter(reviewer=None)
    # A machine has nothing in hand: what is nobody's is not its own.
    mine = Q(reviewer_id=by.person_id) if by.person_id is not None else Q(pk__in=[])
    return rows.filter(mine) if whose is Whose.MINE else rows.exclude(reviewer=None).exclude(mine)


def at_risk(rows: QuerySet[PriorAuth], *, now: datetime) -> QuerySet[PriorAuth]:
    """Return those that are due soon or overdue."""
    # By their turn as well, because that is what the index of the queue has.
    soon = now + AT_RISK
    return rows.annotate(turn_at=_TURN).filter(turn_at__lt=soon, due_at__lt=soon)


def desk_queue(by: Actor, part: Part, *, now: datetime) -> QuerySet[PriorAuth]:
    """Return a part of the insurer's undecided requests, the most pressing first.

    :raises Forbidden: when the actor is of no insurer.
    """
    rows = _undecided(by)
    if part is Part.AT_RISK:
        return at_risk(rows, now=now)
    return rows if part is Part.ALL else of(rows, Whose(part.value), by)


def in_hand_of(by: Actor, person_id: UUID) -> QuerySet[PriorAuth]:
    """Return the undecided requests that one reviewer of the actor's insurer has, the most pressing first.

    :raises Forbidden: when the actor is of no insurer.
    """
    return _undecided(by).filter(reviewer__public_id=person_id)


def _undecided(by: Actor) -> QuerySet[PriorAuth]:
    must_be_allowed(by, Action.READ_QUEUE)
    return most_pressing_first(selectors.prior_auths(by).filter(insurer_id=by.organization, state__in=_OPEN))


def counts(by: Actor, *, now: datetime) -> dict[Part, int]:
    """Return how many requests each part of the queue has."""
    must_be_allowed(by, Action.READ_QUEUE)
    rows = PriorAuth.objects.filter(insurer_id=by.organization, state__in=_OPEN, submitted_at__isnull=False)
    counted: dict[str, int] = rows.aggregate(
        all=Count("pk"),
        mine=Count("pk", filter=Q(reviewer=by.person_id, reviewer__isnull=False)),
        unassigned=Count("pk", filter=Q(reviewer=None)),
        at_risk=Count("pk", filter=Q(due_at__lt=now + AT_RISK)),
    )
    others = counted["all"] - counted["mine"] - counted["unassigned"]
    return {
        Part.ALL: counted["all"],
        Part.MINE: counted["mine"],
        Part.TEAM: others,
        Part.UNASSIGNED: counted["unassigned"],
        Part.AT_RISK: counted["at_risk"],
    }


def next_waiting(
    person_id: int, organization_id: int, *, state: State, now: datetime, once_more: bool = False
) -> Question:
    """Return how to find and lock what this person could take in hand next, the most pressing.

    Left out is what they passed over, for as long as that holds, what somebody has or is taking, what concerns their
    own clinic or prescriptions, what was reopened after they decided against it, and what was referred where no licence
    of theirs is of a specialty that the policy names. `once_more` has what they passed over and is at risk by now. As
    SQL: to put this question together anew each time takes longer than to answer it.
    """
    who = {"insurer": organization_id, "person": person_id}
    spared = now + AT_RISK if once_more else datetime.min.replace(tzinfo=UTC)
    when = {"now": now, "held": now - SKIP_HOLDS, "spared": spared}
    return Question(_NEXT[state], _COLUMNS, {**who, **when})


@across_tenants("what a clinic answers comes back to a reviewer only while they are there")
def away_from(person_id: int | None, *, organization_id: int | None, now: datetime) -> datetime | None:
    """Return when a reviewer is away next, which may have begun; None when no absence is known."""
    away = Absence.objects.filter(person=person_id, organization=organization_id, ends_at__gt=now)
    first: datetime | None = away.order_by("starts_at").values_list("starts_at", flat=True).first()
    return first


def is_absent(person_id: int | None, *, organization_id: int | None, now: datetime) -> bool:
    """Say whether a reviewer is away."""
    since = away_from(person_id, organization_id=organization_id, now=now)
    return since is not None and since <= now


def absences(by: Actor, *, now: datetime) -> list[Absence]:
    """Return when reviewers of the actor's insurer are away, now or later, the earliest first."""
    must_be_allowed(by, Action.READ_QUEUE)
    rows = Absence.objects.filter(organization=by.organization, ends_at__gt=now)
    return list(rows.select_related("person").order_by("starts_at", "pk"))


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
