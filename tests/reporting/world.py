"""Recorded requests in bulk: random walks over the table of a request's life, written straight into the tables."""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from authz.access import services as access
from authz.access.models import Licence, Organization, Person
from authz.access.roles import Role
from authz.ids import new_id
from authz.policies.history import Kind
from authz.policies.models import Plan
from authz.policies.services import create_plan
from authz.prescriptions.models import Coverage
from authz.prior_auths.appeal_lifecycle import AppealOutcome, AppealState
from authz.prior_auths.determination import ADVERSE, BY_LAW, HUMAN_ONLY, Basis, Outcome
from authz.prior_auths.lifecycle import ENDED, ON_APPEAL, TABLE, State, Step
from authz.prior_auths.models import (
    Appeal,
    AppealDecision,
    Breach,
    Determination,
    DeterminationLine,
    Event,
    PriorAuth,
    RequestedLine,
)
from tests import cast as stage
from tests.cast import Cast

DAYS = 100
"""The walks begin within so many days from the play's beginning on."""

ZONES = ["America/New_York", "Pacific/Honolulu", "Pacific/Kiritimati"]
DECIDES = {
    Step.APPROVE: Outcome.APPROVED,
    Step.APPROVE_BY_RULE: Outcome.APPROVED,
    Step.APPROVE_IN_PART: Outcome.PARTIALLY_APPROVED,
    Step.DENY: Outcome.DENIED,
    Step.DEEM_APPROVED: Outcome.DEEMED_APPROVED,
    Step.DEEM_ADVERSE: Outcome.DEEMED_ADVERSE,
    Step.OVERTURN: Outcome.APPROVED,
    Step.OVERTURN_IN_PART: Outcome.PARTIALLY_APPROVED,
}
WALKED = {
    **dict.fromkeys([Step.SUBMIT, Step.CLAIM, Step.REFER, Step.DENY, Step.APPROVE_IN_PART, Step.DEEM_ADVERSE], 40),
    **dict.fromkeys([Step.TAKE_UP, Step.ASK_PRESCRIBER, Step.ANSWER_PRESCRIBER, Step.RETURN, Step.COMPLETE], 12),
    **dict.fromkeys(
        [Step.RELEASE, Step.TAKE_IN_HAND, Step.GIVE_BACK, Step.ASK, Step.ANSWER, Step.RESUME, Step.EXTEND], 12
    ),
    **dict.fromkeys([Step.APPROVE, Step.APPROVE_BY_RULE, Step.DEEM_APPROVED, Step.REOPEN], 12),
    **dict.fromkeys([Step.REFUSE_EXPEDITED, Step.OVERTURN, Step.OVERTURN_IN_PART], 12),
    **dict.fromkeys([Step.WITHDRAW, Step.DISMISS, Step.LINK_DUPLICATE, Step.RETRACT, Step.VOID], 1),
}
"""The steps that are taken, and how readily."""
MOSTLY = 0.7
"""How often an end is one."""

HOURS = {"standard": 72, "expedited": 24}


@dataclass(frozen=True)
class Seat:
    """A plan that requests can be under; the licences of who decides first, who decides anew, and who hears appeals."""

    plan: Plan
    licences: tuple[Licence, Licence]
    hears: Licence


def record_random_requests(cast: Cast, random: Random, how_many: int) -> None:
    """Record so many requests of Riverside and Hillside under three plans of Evergreen and Summit."""
    template, seats = stage.queued(cast), list(_seats(cast))
    coverages = {seat.plan.pk: _coverage(cast, template, seat.plan) for seat in seats}
    walks = [_Walk(cast, random, random.choice(seats), template, number) for number in range(how_many)]
    for walk in walks:
        walk.row.coverage = coverages[walk.seat.plan.pk]
        walk.go()
    line = template.lines.get()
    _begin(walks, line)
    for walk in walks:
        for made in (*walk.events, *walk.determinations):
            made.prior_auth = walk.row
    Event.objects.bulk_create(event for walk in walks for event in walk.events)
    Breach.objects.bulk_create(breach for walk in walks for breach in walk.late_notices())
    # One round after the other: each supersedes one that has its key by then.
    for place in range(max(len(walk.determinations) for walk in walks)):
        appealed = [walk for walk in walks if walk.overturned_at == place]
        Appeal.objects.bulk_create(walk.appeal() for walk in appealed)
        made = Determination.objects.bulk_create(
            walk.ruled(place) for walk in walks if len(walk.determinations) > place
        )
        DeterminationLine.objects.bulk_create(_decided(line, determination) for determination in made)
        AppealDecision.objects.bulk_create(walk.decision() for walk in appealed)
    Appeal.objects.update(state=AppealState.DECIDED.value)
    PriorAuth.objects.bulk_update((walk.row for walk in walks), _IN_TURN)


_IN_TURN = ["state", "submitted_at", "reopened_at"]


def _begin(walks: Sequence["_Walk"], line: RequestedLine) -> None:
    """Write the requests as the database takes them: asked for in a draft, then submitted, so that they are decided."""
    drafts = [copy(walk.row) for walk in walks]
    for draft in drafts:
        draft.state, draft.submitted_at, draft.reopened_at = State.DRAFT.value, None, None
    PriorAuth.objects.bulk_create(drafts)
    RequestedLine.objects.bulk_create(_again(line, prior_auth=draft) for draft in drafts)
    for walk, draft in zip(walks, drafts, strict=True):
        walk.row.pk = draft.pk
        draft.state, draft.submitted_at = State.IN_REVIEW.value, walk.row.submitted_at
    PriorAuth.objects.bulk_update(drafts, _IN_TURN)


def _again(line: RequestedLine, *, prior_auth: PriorAuth) -> RequestedLine:
    again = copy(line)
    again.pk, again.prior_auth = None, prior_auth
    return again


def _decided(line: RequestedLine, determination: Determination) -> DeterminationLine:
    """Return what was decided of the line: nothing, less by a day, or all."""
    days = {Outcome.DENIED: 0, Outcome.DEEMED_ADVERSE: 0, Outcome.PARTIALLY_APPROVED: line.days_supply - 1}
    return DeterminationLine(
        determination=determination,
        line=line.line,
        rxcui=line.rxcui,
        asked_days=line.days_supply,
        asked_quantity=line.quantity,
        asked_daily_units=line.daily_units,
        asked_refills=line.refills,
        asked_from=line.starts_on,
        asked_until=line.ends_on,
        granted_rxcui=line.rxcui,
        granted_days=days.get(Outcome(determination.outcome), line.days_supply),
        granted_quantity=line.quantity,
        granted_daily_units=line.daily_units,
        granted_refills=line.refills,
        starts_on=line.starts_on,
        ends_on=line.ends_on,
    )


def _seats(cast: Cast) -> Iterator[Seat]:
    evergreens = (cast.people["patel"].licences.get(), _licence(cast.evergreen, "Dr Ng"))
    uma = _licence(cast.evergreen, "Dr Uma", Role.APPEAL_REVIEWER)
    yield Seat(cast.plan, evergreens, uma)
    yield Seat(create_plan(insurer=cast.evergreen, code="EV-HMO", name="Evergreen HMO"), evergreens, uma)
    summits = (_licence(cast.summit, "Dr Summers"), _licence(cast.summit, "Dr Winters"))
    falls = _licence(cast.summit, "Dr Falls", Role.APPEAL_REVIEWER)
    yield Seat(create_plan(insurer=cast.summit, code="SU", name="Summit Gold"), summits, falls)


def _licence(insurer: Organization, name: str, role: Role = Role.PHYSICIAN) -> Licence:
    number = name.rpartition(" ")[2].lower()
    person = access.create_person(email=f"{number}@example.org", full_name=name, password=stage.PASSWORD)
    access.add_membership(person=person, organization=insurer, role=role)
    days = {"valid_from": date(2020, 1, 1), "valid_until": date(2030, 1, 1)}
    access.record_licence(person=person, number=number, state="NY", specialty="Pain", **days)
    return person.licences.get()


def _coverage(cast: Cast, template: PriorAuth, plan: Plan) -> Coverage:
    return Coverage.objects.create(
        patient=template.patient,
        plan=plan,
        member_id=f"W-{plan.pk}",
        starts_on=date(2024, 1, 1),
        organization=cast.riverside,
        recorded_at=stage.NOW,
    )


class _Walk:
    """One request, from step to step until it ends or is left open."""

    def __init__(self, cast: Cast, random: Random, seat: Seat, template: PriorAuth, number: int) -> None:
        self.cast, self.random, self.seat, self.template = cast, random, seat, template
        self.events: list[Event] = []
        self.determinations: list[Determination] = []
        self.overturned_at: int | None = None
        self.at = stage.NOW + timedelta(minutes=random.randrange(DAYS * 24 * 60))
        self.row = row = copy(template)
        row.pk, row.public_id, row.number = None, new_id(), f"W-{number}"
        row.episode_anchor, row.record_ids = new_id(), [new_id()]
        row.clinic, row.insurer = random.choice([cast.riverside, cast.hillside]), seat.plan.insurer
        row.time_zone, row.urgency = random.choice(ZONES), random.choice(list(HOURS))
        row.state, row.opened_at, row.submitted_at, row.due_at = "", self.at, None, None

    def go(self) -> None:
        self._take(Step.OPEN)
        for _ in range(self.random.randrange(4, 20)):
            self.at += timedelta(minutes=self.random.randrange(24 * 60))
            steps = [step for step in WALKED if self._may_take(step)]
            if not steps or (State(self.row.state) in ENDED and self.random.random() < MOSTLY):
                return
            self._take(self.random.choices(steps, [WALKED[step] for step in steps])[0])

    def ruled(self, place: int) -> Determination:
        """Return a determination that supersedes the one before."""
        self.determinations[place].supersedes = self.determinations[place - 1] if place else None
        return self.determinations[place]

    def late_notices(self) -> Iterator[Breach]:
        """Yield the breach of a decision of which the clinic heard an hour later, or a day."""
        first = self.determinations[0] if self.determinations else None
        heard = timedelta(hours=self.random.choice([1, 1, 24]))
        if first is not None and first.due_at is not None and first.decided_at + heard > first.due_at:
            kind, noted_at = Kind.NOTIFY_BY.value, first.decided_at + heard
            yield Breach(prior_auth=self.row, kind=kind, due_at=first.due_at, noted_at=noted_at)

    def appeal(self) -> Appeal:
        """Return an appeal in review, filed as soon as what it is against was decided."""
        against = self.determinations[self.overturned_at - 1]
        self._appeal = Appeal(
            prior_auth=self.row,
            determination=against,
            state=AppealState.IN_REVIEW.value,
            urgency="standard",
            reason="X",
            was_late=False,
            filed_at=against.decided_at,
        )
        return self._appeal

    def decision(self) -> AppealDecision:
        """Return what was decided on the appeal."""
        made = self.determinations[self.overturned_at]
        is_whole = made.outcome == Outcome.APPROVED.value
        return AppealDecision(
            appeal=self._appeal,
            outcome=(AppealOutcome.OVERTURNED if is_whole else AppealOutcome.PARTLY_OVERTURNED).value,
            decided_at=made.decided_at,
            decided_by=self.seat.hears.person,
            licence=self.seat.hears,
            reason_code="x",
            reason_text="X",
            criterion="X",
            determination=made,
            was_late=False,
        )

    @property
    def _due_at(self) -> datetime | None:
        return self.row.due_at if self.row.reopened_at is None else None

    def _may_take(self, step: Step) -> bool:
        if State(self.row.state) not in TABLE[step].sources:
            return False
        if step is Step.REOPEN and (len(self.determinations) == 2 or self.overturned_at is not None):
            return False
        if step in ON_APPEAL and (self.overturned_at is not None or self.determinations[-1].outcome not in ADVERSE):
            return False
        if step is Step.REFUSE_EXPEDITED and (self.row.urgency == "standard" or self.determinations):
            return False
        if step is Step.EXTEND and (self.determinations or step in {event.step for event in self.events}):
            return False
        return DECIDES.get(step) not in BY_LAW or (self._due_at is not None and self._due_at < self.at)

    def _take(self, step: Step) -> None:
        row, before = self.row, self.row.state
        row.state = target.value if (target := TABLE[step].target) else before
        row.version = len(self.events) + 1
        if step is Step.SUBMIT:
            row.submitted_at, row.due_at = self.at, self.at + timedelta(hours=HOURS[row.urgency])
        if step is Step.EXTEND and row.due_at is not None:
            row.due_at = row.due_at.astimezone(ZoneInfo(row.time_zone)) + timedelta(days=14)
        if step is Step.REFUSE_EXPEDITED and row.due_at is not None:
            row.urgency = "standard"
            row.due_at += timedelta(hours=HOURS["standard"] - HOURS["expedited"])
        if step in ON_APPEAL:
            self.overturned_at = len(self.determinations)
        if step is Step.LINK_DUPLICATE:
            row.duplicate_of = self.template
        if step in DECIDES:
            self.determinations.append(self._determination(DECIDES[step]))
            row.decided_at = self.at
        if step is Step.REOPEN:
            row.decided_at, row.reopened_at = None, self.at
        person, organization = self._who(step)
        self.events.append(
            Event(
                sequence=row.version,
                step=step.value,
                from_state=before,
                to_state=row.state,
                at=self.at,
                actor_name="Somebody",
                person=person,
                organization=organization,
            )
        )
        if step is Step.SUBMIT and row.urgency == "expedited":
            self._take(Step.EXPEDITE)

    def _who(self, step: Step) -> tuple[Person | None, Organization | None]:
        if Role.STAFF in TABLE[step].by:
            # Now and then it is a machine of the clinic's.
            person = self.random.choice([*(self.cast.people[name] for name in ("stella", "jones", "mallory")), None])
            return person, self.row.clinic
        return (None, None) if Role.SYSTEM in TABLE[step].by else (self.cast.people["rae"], self.row.insurer)

    def _determination(self, outcome: Outcome) -> Determination:
        is_on_appeal = self.overturned_at == len(self.determinations)
        licence = self.seat.hears if is_on_appeal else self.seat.licences[len(self.determinations)]
        by_rule = self.events[-1].to_state == State.QUEUED and outcome not in BY_LAW
        basis = Basis.LAW if outcome in BY_LAW else Basis.RULE if by_rule else Basis.PERSON
        return Determination(
            outcome=outcome.value,
            basis=basis.value,
            decided_at=self.at,
            decided_by=licence.person if basis is Basis.PERSON else None,
            licence=licence if outcome in HUMAN_ONLY else None,
            reason_code="x",
            reason_text="X",
            criterion="X",
            due_at=self._due_at,
            policy=self.row.policy,
            policy_version=self.row.policy_version,
            was_late=self._due_at is not None and self._due_at < self.at,
            trace=[] if by_rule else None,
        )
