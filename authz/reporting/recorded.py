"""What is recorded of requests, read request by request in one statement: a hundred thousand in bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from django.contrib.postgres.aggregates import JSONBAgg
from django.db.models import Exists, JSONField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import JSONObject

from authz.audit.models import AuditEntry
from authz.policies.history import Kind
from authz.prior_auths.clock_history import DECISIONS, HEEDED
from authz.prior_auths.determination import Basis, Outcome
from authz.prior_auths.lifecycle import Step
from authz.prior_auths.models import Appeal, AppealDecision, Breach, Call, Determination, Event, PriorAuth
from authz.reporting.courses import Course, Ruling, course_of
from authz.reporting.periods import Period
from authz.reporting.productivity import Act

_IN_HAND: Final = 2_000
"""So many requests are in memory at a time."""

_COUNTING: Final = sorted(DECISIONS | {Step.SUBMIT, Step.WITHDRAW, Step.DISMISS})
"""Only on days of these steps does a request count anywhere."""

_ANYWHERE: Final = timedelta(hours=14)
"""No calendar is further from UTC."""

_NOTHING: Final = Value(None, output_field=JSONField())


class StepTaken(NamedTuple):
    """A step as its event has it."""

    step: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One request as recorded: whose it is, in whose calendar it counts, and its course.

    `acts` is what the clinic's people did to it, its appeals and calls, where that was asked for.
    """

    key: int
    payer: int
    plan: int | None
    zone: ZoneInfo
    opened_at: datetime
    acts: tuple[Act, ...]
    course: Course


def counting_in(requests: QuerySet[PriorAuth], period: Period) -> QuerySet[PriorAuth]:
    """Return the requests that may count on a day of the period, in whatever calendar."""
    steps = Event.objects.filter(
        prior_auth=OuterRef("pk"),
        step__in=_COUNTING,
        at__gte=datetime.combine(period.since, time(), UTC) - _ANYWHERE,
        at__lt=datetime.combine(period.until + timedelta(days=1), time(), UTC) + _ANYWHERE,
    )
    return requests.filter(Exists(steps), submitted_at__isnull=False)


def recorded(requests: QuerySet[PriorAuth], *, with_acts: bool = False) -> Iterator[Recorded]:
    """Yield those of the requests that figures count, oldest first."""
    acts = _acts() if with_acts else [_NOTHING]
    facts = ("pk", "insurer_id", "coverage__plan_id", "time_zone", "opened_at")
    rows = requests.order_by("pk").values_list(*facts, _taken(), _rulings(), _late_notices(), *acts)
    for key, payer, plan, zone, opened_at, taken, rulings, is_notified_late, *acted in rows.iterator(_IN_HAND):
        steps = [StepTaken(event["step"], datetime.fromisoformat(event["at"])) for event in taken or ()]
        ruled = map(_ruling, rulings or ())
        course = course_of(steps, rulings=ruled, is_notified_late=is_notified_late)
        if course is not None:
            yield Recorded(
                key=key,
                payer=payer,
                plan=plan,
                zone=ZoneInfo(zone),
                opened_at=opened_at,
                acts=tuple(_act(told) for of_kind in acted for told in of_kind or ()),
                course=course,
            )


def _on_appeal() -> Exists:
    """Return whether a determination supersedes another because of an appeal."""
    return Exists(AppealDecision.objects.filter(determination=OuterRef("pk")))


def _late_notices() -> Exists:
    """Return whether it is noted that the clinic did not hear of the first determination in time."""
    return Exists(Breach.objects.filter(prior_auth=OuterRef("pk"), appeal=None, kind=Kind.NOTIFY_BY.value))


def _taken() -> Subquery:
    events = Event.objects.filter(prior_auth=OuterRef("pk"), step__in=sorted(HEEDED)).order_by()
    told = JSONBAgg(JSONObject(step="step", at="at"), order_by="sequence")
    return Subquery(events.values("prior_auth").values(told=told))


def _rulings() -> Subquery:
    ruled = Determination.objects.filter(prior_auth=OuterRef("pk"))
    told = JSONObject(outcome="outcome", basis="basis", at="decided_at", was_late="was_late", on_appeal=_on_appeal())
    return Subquery(ruled.values("prior_auth").values(told=JSONBAgg(told, order_by="pk")))


def _acts() -> list[Subquery]:
    """Return what the trail has of a request, of its appeals and of its calls. Of reading it names no such subject."""
    of_request = OuterRef(OuterRef("pk"))
    return [
        _acts_on("prior-auth", subject_id=OuterRef("public_id")),
        _acts_on("appeal", subject_id__in=Appeal.objects.filter(prior_auth=of_request).values("public_id")),
        _acts_on("call", subject_id__in=Call.objects.filter(prior_auth=of_request).values("public_id")),
    ]


def _acts_on(kind: str, **subject: Any) -> Subquery:
    own = AuditEntry.objects.filter(subject_kind=kind, organization=OuterRef("clinic"), person__isnull=False, **subject)
    told = JSONBAgg(JSONObject(at="at", person="person_id", action="action"))
    return Subquery(own.order_by().values("organization").values(told=told))


def _act(told: dict[str, Any]) -> Act:
    return Act(datetime.fromisoformat(told["at"]), told["person"], told["action"])


def _ruling(told: dict[str, Any]) -> Ruling:
    return Ruling(
        outcome=Outcome(told["outcome"]),
        basis=Basis(told["basis"]),
        at=datetime.fromisoformat(told["at"]),
        was_late=told["was_late"],
        # What the independent reviewer decided is the next level of appeal.
        on_appeal=told["on_appeal"] or told["basis"] == Basis.EXTERNAL,
    )
