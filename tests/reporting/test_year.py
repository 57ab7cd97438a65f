"""A whole year of a clinic and a plan, day by day through the services: its figures are those of its events."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest
from django.db.models import QuerySet

from authz.prescriptions.models import Patient
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.determination import Grant, Reason
from authz.prior_auths.lifecycle import UNDECIDED, State
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import (
    deeming,
    determinations,
    questions,
    queue,
    rechecking,
    renewals,
    request,
    run_outs,
)
from authz.reporting.periods import Every, Period, pieces
from tests import cast as stage
from tests.api.callers import person
from tests.cast import NOW, TODAY, Cast, key_of
from tests.reporting.oracle import clinics_work, figures, lives, told_of_work

DAYS, PATIENTS = 365, 16
REASON = Reason(code="not-necessary", text="Seven days are enough.", criterion="Policy 3.2")


class Year:
    """What people do on each day of it, as the dice fall."""

    def __init__(self, cast: Cast, seed: int) -> None:
        self.cast, self.random = cast, Random(seed)
        self.patients = [stage.register(cast) for _ in range(PATIENTS)]

    def go(self) -> None:
        for number in range(DAYS):
            self.now = NOW + timedelta(days=number)
            for patient in self.patients:
                if self.happens(1 / 45):
                    self.dispense(patient)
            self.an_hour_later()
            self.the_clinic_works()
            self.an_hour_later()
            self.the_insurer_works()
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

    def waiting(self, *states: State) -> QuerySet[PriorAuth]:
        return PriorAuth.objects.defer(*PriorAuth.LONG).filter(state__in=[state.value for state in states])

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
            key, by = {"prior_auth_id": key_of(taken)}, {"by": self.cast.rae, "now": self.now}
            if self.happens(0.15):
                questions.ask(**key, questions=["Since when?"], **by)
            elif self.happens(0.3):
                determinations.refer(**key, reason="Cannot approve in full.", **by)
            elif self.happens(0.9):
                determinations.approve(**key, **by)
        while self.happens(0.7) and (taken := queue.claim_next(by=self.cast.patel, now=self.now)):
            self.a_physician_decides(taken)

    def a_physician_decides(self, row: PriorAuth) -> None:
        key, by = {"prior_auth_id": key_of(row)}, {"by": self.cast.patel, "now": self.now}
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
            deeming.deem_due,
            renewals.open_renewals,
            run_outs.warn_of_run_outs,
            rechecking.ask_for_due,
        ):
            work(now=self.now)
        while rechecking.recheck_next(now=self.now):
            pass


@pytest.mark.live
@pytest.mark.django_db(transaction=True)
def test_the_figures_of_a_simulated_year_are_those_of_its_events(cast: Cast) -> None:
    Year(cast, seed=1).go()

    year = Period(TODAY, TODAY + timedelta(days=DAYS))
    asked = {"since": year.since.isoformat(), "until": year.until.isoformat(), "period": "quarter"}
    told = person("nora").get("metrics/", **asked).json()["results"]
    seen = lives()
    assert {row["since"]: {name: row[name] for name in ("standard", "expedited", "all")} for row in told} == {
        part.since.isoformat(): figures(seen, part.since, part.until) for part in pieces(year, Every.QUARTER)
    }
    cost = person("stella").get("productivity/", since=asked["since"], until=asked["until"]).json()
    assert told_of_work(cost) == clinics_work(cast.riverside, year.since, year.until)
    decided = PriorAuth.objects.filter(state=State.DECIDED.value).count()
    assert decided > 60
    assert PriorAuth.objects.filter(state__in=[s.value for s in UNDECIDED], due_at=None, reopened_at=None).count() == 0
