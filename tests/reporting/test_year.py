"""A whole year of a clinic and a plan, day by day through the services: its figures are those of its events."""

from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import TypeVar

import pytest
from django.conf import LazySettings
from django.db.models import QuerySet

from authz.access.roles import Actor, Role
from authz.ids import AppealId
from authz.notifications import services as notifications
from authz.outbox.models import OutboxMessage
from authz.policies.history import Kind
from authz.policies.services import create_plan
from authz.prescriptions.models import Patient
from authz.prior_auths.appeal_lifecycle import AppealDismissal, AppealState
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.determination import ADVERSE, Grant, Reason
from authz.prior_auths.lifecycle import BEFORE_SUBMISSION, UNDECIDED, DismissalReason, ReopeningReason, State, Step
from authz.prior_auths.models import Appeal, Breach, Event, PriorAuth
from authz.prior_auths.services import (
    appeal_decisions,
    appealing,
    deeming,
    determinations,
    endings,
    overdue_appeals,
    questions,
    queue,
    rechecking,
    renewals,
    reopening,
    request,
    run_outs,
    timing,
)
from authz.prior_auths.services.reopening import AskedAnew
from authz.prior_auths.services.timing import TimeIsOver
from authz.reporting.figures import Figure
from authz.reporting.periods import Every, Period, pieces
from tests import cast as stage
from tests.api.callers import person
from tests.cast import NOW, TODAY, Cast, key_of
from tests.reporting.oracle import TELLS, clinics_work, figures, lives, told_of_work

DAYS, PATIENTS = 365, 12
REASON = Reason(code="not-necessary", text="Seven days are enough.", criterion="Policy 3.2")
SENIORS = "medicare_advantage"
"""The regime of every other patient: it gives more time by notice, and decides by law; the generic one does neither."""
TAKEN = {
    Step.WITHDRAW, Step.DISMISS, Step.VOID, Step.REOPEN, Step.EXPEDITE, Step.REFUSE_EXPEDITED, Step.EXTEND, Step.RENEW,
    Step.OVERTURN, Step.OVERTURN_IN_PART, Step.APPROVE_IN_PART, Step.DEEM_ADVERSE,
}  # fmt: skip
AWAY = range(200, 220)
"""On these days nobody at the insurer works."""
NEVER = {Figure.APPROVED_BY_RULE, Figure.DEEMED_APPROVED}
"""Of no policy and no regime here; tests/reporting/world.py has them."""

_Row = TypeVar("_Row", PriorAuth, Appeal)


class Year:
    """What people do on each day of it, as the dice fall."""

    def __init__(self, cast: Cast, seed: int) -> None:
        self.cast, self.random = cast, Random(seed)
        self.tess, self.uma = stage.colleague(cast), stage.appeal_reviewer(cast)
        self.ng = stage.with_role(stage.appeal_reviewer(cast, "ng"), Role.PHYSICIAN)
        seniors = create_plan(insurer=cast.evergreen, code="EV-SENIOR", name="Evergreen Senior")
        seniors.regime = SENIORS
        seniors.save()
        plans = [cast, replace(cast, plan=seniors)]
        self.patients = [stage.register(plans[number % 2]) for number in range(PATIENTS)]
        self.silent_until = self.now = NOW

    def go(self) -> None:
        for number in range(DAYS):
            self.now = NOW + timedelta(days=number)
            for patient in self.patients:
                if self.happens(1 / 45):
                    self.dispense(patient)
            self.an_hour_later()
            self.the_clinic_works()
            self.the_clinic_thinks_again()
            self.an_hour_later()
            deeming.deem_due(now=self.now)
            if number not in AWAY:
                self.the_insurer_thinks_again()
                self.the_insurer_works()
                self.appeals_go_on()
            self.the_workers_come_by()

    def happens(self, likely: float) -> bool:
        return self.random.random() < likely

    def an_hour_later(self) -> None:
        self.now += timedelta(minutes=self.random.randrange(20, 300))

    def dispense(self, patient: Patient) -> None:
        stage.fill(self.cast, patient, self.random.choice([3, 5, 7, 10, 14, 30]), on=self.day, now=self.now)

    @property
    def day(self) -> date:
        return TODAY + timedelta(days=(self.now - NOW).days)

    def the_clinic_works(self) -> None:
        for row in self.waiting(State.DETECTED, State.DRAFT):
            if self.happens(0.7):
                self.submit(row)
        for row in self.waiting(State.INFO_REQUESTED):
            if self.happens(0.5):
                answers = {q.public_id: "Since March." for q in row.information_requests.filter(answered_at=None)}
                questions.answer(prior_auth_id=key_of(row), answers=answers, by=self.cast.stella, now=self.now)

    def the_clinic_thinks_again(self) -> None:
        by = {"by": self.cast.stella, "now": self.now}
        again = {"reopened_at": None}
        if self.happens(1 / 15) and (row := self.one_of(self.waiting(*BEFORE_SUBMISSION, *UNDECIDED, **again))):
            request.withdraw(prior_auth_id=key_of(row), reason="Not wanted any more.", **by)
        if self.happens(1 / 8) and (row := self.one_of(self.waiting(*UNDECIDED, urgency="standard", **again))):
            with suppress(TimeIsOver):
                timing.expedite(prior_auth_id=key_of(row), reason="The pain grew worse.", **by)
        if self.happens(1 / 5) and (row := self.one_of(self.decided_against())):
            said = {"reason": "It was planned.", "notices": (), "good_cause": "The clinic was closed."}
            appealing.file(prior_auth_id=key_of(row), urgency=Urgency.STANDARD, **said, **by)
        if self.happens(1 / 60) and (row := self.one_of(PriorAuth.objects.exclude(state=State.VOIDED.value))):
            endings.propose_void(prior_auth_id=key_of(row), reason="Wrong patient.", by=self.tess, now=self.now)
            endings.void(prior_auth_id=key_of(row), reason="Wrong patient.", **by)

    def decided_against(self) -> QuerySet[PriorAuth]:
        """Return what was decided against and was never appealed."""
        in_force = {"determinations__superseded_by": None, "determinations__outcome__in": sorted(ADVERSE)}
        return self.waiting(State.DECIDED, appeals=None, **in_force)

    def one_of(self, rows: QuerySet[_Row]) -> _Row | None:
        """Return any of them, if there is one."""
        found = list(rows.order_by("pk"))
        return self.random.choice(found) if found else None

    def waiting(self, *states: State, **also: object) -> QuerySet[PriorAuth]:
        found = PriorAuth.objects.defer(*PriorAuth.LONG).filter(state__in=[state.value for state in states])
        return found.filter(**also)

    def submit(self, row: PriorAuth) -> None:
        by, key = {"by": self.cast.stella, "now": self.now}, {"prior_auth_id": key_of(row)}
        if row.state == State.DETECTED.value:
            row = request.take_up(**key, **by)
        assert row.answers is not None
        known = dict(row.answers.answers.values_list("question", "value"))
        request.answer_questions(**key, answers={**known, **stage.ANSWERS}, **by)
        request.ask_prescriber(**key, question="Please attest.", **by)
        request.answer_prescriber(**key, answers={"pr.attest": True}, by=self.cast.jones, now=self.now)
        request.submit(**key, urgency=Urgency.EXPEDITED if self.happens(0.25) else Urgency.STANDARD, **by)

    def the_insurer_works(self) -> None:
        while self.happens(0.7) and (taken := queue.claim_next(by=self.cast.rae, now=self.now)):
            self.take_more_time(taken)
            key, by = {"prior_auth_id": key_of(taken)}, {"by": self.cast.rae, "now": self.now}
            if self.happens(0.15):
                questions.ask(**key, questions=["Since when?"], **by)
            elif self.happens(0.4):
                determinations.refer(**key, reason="Cannot approve in full.", **by)
            elif self.happens(0.9):
                determinations.approve(**key, **by)
        for physician in (self.cast.patel, self.ng):
            while self.happens(0.6) and (taken := queue.claim_next(by=physician, now=self.now)):
                self.a_physician_decides(taken, physician)

    def take_more_time(self, row: PriorAuth) -> None:
        said = {"prior_auth_id": key_of(row), "reason": "Waiting cannot harm.", "by": self.cast.rae, "now": self.now}
        if row.due_at is None or row.due_at < self.now:
            return
        if row.regime != SENIORS and row.urgency == Urgency.EXPEDITED.value and self.happens(0.4):
            timing.refuse_expedited(**said)
        is_extended = row.events.filter(step=Step.EXTEND.value).exists()
        if row.regime == SENIORS and not is_extended and self.happens(0.3):
            timing.extend(**said)

    def the_insurer_thinks_again(self) -> None:
        by = {"by": self.cast.ivy, "now": self.now}
        if self.happens(1 / 15) and (row := self.one_of(self.waiting(State.QUEUED, reopened_at=None))):
            endings.dismiss(prior_auth_id=key_of(row), code=DismissalReason.NOT_A_MEMBER, reason="Left.", **by)
        before = self.now - timedelta(days=5)
        if self.happens(1 / 15) and (row := self.one_of(self.waiting(State.DECIDED, decided_at__lt=before))):
            self.reopen(row, self.random.choice([self.cast.nora, self.ng]))

    def reopen(self, row: PriorAuth, by: Actor) -> None:
        said = {"code": ReopeningReason.NEW_MATERIAL_EVIDENCE, "reason": "Another note came."}
        if row.appeals.exclude(state__in=[AppealState.DECIDED.value, AppealState.WITHDRAWN.value]).exists():
            return
        with suppress(AskedAnew):
            row = reopening.reopen(prior_auth_id=key_of(row), **said, by=by, now=self.now)
            if row.reviewer_id is not None:
                self.a_physician_decides(row, by)

    def appeals_go_on(self) -> None:
        for appeal in Appeal.objects.filter(state=AppealState.FILED.value).order_by("pk"):
            said = {"appeal_id": AppealId(appeal.public_id), "now": self.now}
            if self.happens(0.1):
                appealing.withdraw(**said, reason="Not pursued.", by=self.cast.stella)
            elif self.happens(0.15):
                appealing.dismiss(**said, code=AppealDismissal.NOT_A_PARTY, reason="Not theirs.", by=self.cast.ivy)
            elif self.happens(0.6):
                appealing.receive(**said, by=self.cast.ivy)
        for appeal in Appeal.objects.filter(state=AppealState.RECEIVED.value).order_by("pk"):
            if self.happens(0.1):
                self.uma_decides(appeal)

    def uma_decides(self, appeal: Appeal) -> None:
        said = {"appeal_id": AppealId(appeal.public_id), "by": self.uma, "now": self.now}
        appealing.take_in_hand(**said)
        line = appeal.prior_auth.lines.get(line=1)
        if self.happens(0.5):
            appeal_decisions.overturn(**said, reason="The criteria are met.")
        elif line.days_supply > 2 and self.happens(0.5):
            last = line.starts_on + timedelta(days=1)
            part = Grant(days=2, quantity=Decimal(2), starts_on=line.starts_on, ends_on=last)
            appeal_decisions.overturn_in_part(**said, grants={1: part}, reason=REASON)
        else:
            appeal_decisions.uphold(**said, reason=REASON)

    def a_physician_decides(self, row: PriorAuth, physician: Actor) -> None:
        key, by = {"prior_auth_id": key_of(row)}, {"by": physician, "now": self.now}
        line = row.lines.get(line=1)
        if row.state == State.IN_REVIEW.value:
            determinations.approve(**key, **by)
        elif line.days_supply == 1 or self.happens(0.5):
            determinations.deny(**key, reason=REASON, **by)
        else:
            quantity = Decimal(1) if line.quantity else None
            part = Grant(days=1, quantity=quantity, starts_on=line.starts_on, ends_on=line.starts_on)
            determinations.approve_in_part(**key, grants={1: part}, reason=REASON, **by)

    def the_workers_come_by(self) -> None:
        for work in (
            queue.release_expired,
            questions.resume_unanswered,
            overdue_appeals.note_missed,
            renewals.open_renewals,
            run_outs.warn_of_run_outs,
            rechecking.ask_for_due,
        ):
            work(now=self.now)
        while rechecking.recheck_next(now=self.now):
            pass
        self.people_are_told()

    def people_are_told(self) -> None:
        """Tell them what was decided, unless nobody can be told for some days; what they heard too late is noted."""
        if self.silent_until < self.now and self.happens(1 / 30):
            self.silent_until = self.now + timedelta(days=self.random.choice([1, 4]))
        OutboxMessage.objects.exclude(topic__in=TELLS).filter(settled_at=None).update(settled_at=self.now)
        if self.silent_until < self.now:
            while notifications.fan_out_next(now=self.now):
                pass
        notifications.note_late_notices(now=self.now)


@pytest.mark.live
@pytest.mark.django_db(transaction=True)
def test_the_figures_of_a_simulated_year_are_those_of_its_events(cast: Cast, settings: LazySettings) -> None:
    settings.OUTBOX_NUDGE = "tests.outbox.bell.ring"
    lived = Year(cast, seed=1)
    lived.go()

    year, seen = Period(TODAY, TODAY + timedelta(days=DAYS)), lives()
    asked = {"since": year.since.isoformat(), "until": year.until.isoformat()}
    for name in ("nora", "stella"):
        told = person(name).get("metrics/", **asked, period="quarter").json()["results"]
        assert {row["since"]: {speed: row[speed] for speed in ("standard", "expedited", "all")} for row in told} == {
            part.since.isoformat(): figures(seen, part.since, part.until) for part in pieces(year, Every.QUARTER)
        }
    late = Breach.objects.filter(kind=Kind.NOTIFY_BY.value).values_list("prior_auth__number", flat=True)
    counting = {life.request.number: life for life in seen if life.figures()}
    assert {number for number, life in counting.items() if life.heard_late(now=lived.now)} == counting.keys() & {*late}
    cost = person("stella").get("productivity/", **asked).json()
    assert told_of_work(cost) == clinics_work(cast.riverside, year.since, year.until)
    # It would have been seen: nearly everything that can be counted happened.
    counts = figures(seen, year.since, year.until)["all"]["counts"]
    assert {figure for figure in Figure if not counts[figure]} == NEVER
    assert set(Event.objects.values_list("step", flat=True)) >= TAKEN
    assert set(Appeal.objects.values_list("state", flat=True)) >= {"decided", "dismissed", "withdrawn"}
    decided = PriorAuth.objects.filter(state=State.DECIDED.value).count()
    assert decided > 60
    assert PriorAuth.objects.filter(state__in=[s.value for s in UNDECIDED], due_at=None, reopened_at=None).count() == 0
