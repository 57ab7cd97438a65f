"""Any walk of any actors through the life of requests keeps what must always hold.

Actors of two clinics and two insurers, the law and the workers act in any order, while time goes on, on real
PostgreSQL. After every act all promises are looked at anew; a refused act must leave everything as it was. That texts,
logs and tasks hold nothing of a patient either is shown in tests/notifications/test_canary.py.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from authz.access.models import Licence
from authz.access.roles import Actor
from authz.api.appeal_steps import APPEAL_DOORS
from authz.api.calls import CALL_DOORS
from authz.api.prior_auth_steps import DOORS
from authz.errors import AuthzError
from authz.ids import AppealId, CallId, FillId, PatientId, PriorAuthId
from authz.notifications import services as notifications
from authz.outbox.models import OutboxMessage
from authz.policies import regimes
from authz.prior_auths import appeals, calls, lifecycle, selectors
from authz.prior_auths.appeal_lifecycle import AppealStep
from authz.prior_auths.call_lifecycle import CallOutcome, CallStep
from authz.prior_auths.clock_history import DECISIONS
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.determination import DEEMED, HUMAN_ONLY, Grant, Outcome
from authz.prior_auths.lifecycle import ACTIVE, TABLE, Step
from authz.prior_auths.models import (
    Appeal,
    AppealDecision,
    Authorization,
    Call,
    Determination,
    Event,
    PriorAuth,
)
from authz.prior_auths.services import (
    appealing,
    automation,
    calling,
    deeming,
    determinations,
    intake,
    overdue_appeals,
    questions,
    queue,
    renewals,
    request,
    run_outs,
)
from authz.prior_auths.services.steps import IllegalStep
from tests import cast as stage
from tests.api.callers import person
from tests.cast import NOW, TODAY, Cast, key_of
from tests.prior_auths import walked
from tests.prior_auths.said import GRANTS, REASON, appeal_arguments, arguments
from tests.reporting.oracle import figures, lives

_Child = TypeVar("_Child", Appeal, Call)

OURS = ("stella", "jones", "rae", "patel", "ivy", "nora")
STRANGERS = ("mallory", "oscar")
ON_APPEALS = ("uma", "uma", "ivy", "stella", "rae", "patel", "nora", "mallory")
REGIMES = ("generic", "part_d", "california", "erisa", "medicaid", "oklahoma")
DECIDING = (AppealStep.UPHOLD, AppealStep.OVERTURN, AppealStep.OVERTURN_IN_PART)
ENDS = {Step.WITHDRAW, Step.VOID, Step.LINK_DUPLICATE, Step.DISMISS}
"""Walks would soon be over, if these were taken as often as the others."""

EVERYTHING = """
SELECT (SELECT json_agg(request ORDER BY id)::text FROM authz_priorauth request),
    (SELECT count(*) FROM authz_event), (SELECT count(*) FROM authz_determination),
    (SELECT count(*) FROM authz_authorization), (SELECT count(*) FROM authz_informationrequest),
    (SELECT json_agg(appeal ORDER BY id)::text FROM authz_appeal appeal), (SELECT count(*) FROM authz_appealevent),
    (SELECT json_agg(call ORDER BY id)::text FROM authz_call call), (SELECT count(*) FROM authz_callevent),
    (SELECT count(*) FROM authz_calltime), (SELECT count(*) FROM authz_appealdecision),
    (SELECT count(*) FROM authz_outboxmessage), (SELECT count(*) FROM authz_auditentry)
"""
AS_SUBMITTED = ("policy", "policy_version", "regime", "regime_version", "time_zone", "packet_sha256", "submitted_at")


class Life(RuleBasedStateMachine):
    """One world, from its beginning: `cast` is on stage, in a transaction that is undone at the end."""

    cast: Cast

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.kept = transaction.atomic()
        self.kept.__enter__()
        self.kept._from_testcase = True  # telling people refuses to run in a transaction, unless it is a test's own
        self.seen: dict[int, list[tuple[Any, ...]]] = {}
        self.submitted: dict[int, tuple[Any, ...]] = {}
        self.fills: list[FillId] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.kept.__exit__(None, None, None)

    @initialize(regime=st.sampled_from(REGIMES))
    def begin(self, regime: str) -> None:
        self.cast.plan.regime = regime
        self.cast.plan.save()
        self.patient = stage.register(self.cast)
        self.uma = stage.appeal_reviewer(self.cast)
        self.dispense(10, 0)
        for builder in (stage.queued, stage.in_review, stage.in_clinical_review, stage.denied):
            builder(self.cast)

    # -- what happens
    @rule(hours=st.sampled_from([0.1, 0.6, 5, 20, 30, 80, 400]))
    def time_goes_on(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    @rule(days=st.integers(1, 12), ago=st.integers(0, 20))
    def dispense(self, days: int, ago: int) -> None:
        on = TODAY + (self.now - NOW) - timedelta(days=ago)
        fill, _ = stage.fill(self.cast, self.patient, days, on=on, now=self.now)
        self.fills.append(FillId(fill.public_id))

    @rule(which=st.integers(0, 50))
    def reverse(self, which: int) -> None:
        fill = self.fills[which % len(self.fills)]
        intake.reverse_fill(fill_id=fill, by=self.cast.stella, now=self.now)

    @rule()
    def open_by_hand(self) -> None:
        self.attempt(
            lambda: intake.open_request(
                patient_id=PatientId(self.patient.public_id), reason="Wanted.", by=self.cast.stella, now=self.now
            )
        )

    @rule(which=st.integers(0, 6))
    def the_clinic_submits(self, which: int) -> None:
        key, stella = self.one(which), self.cast.stella
        attested = {"answers": {"pr.attest": True}}
        for act in (
            lambda: request.take_up(prior_auth_id=key, by=stella, now=self.now),
            lambda: self.answer_all(key),
            lambda: request.ask_prescriber(prior_auth_id=key, question="?", by=stella, now=self.now),
            lambda: request.answer_prescriber(prior_auth_id=key, **attested, by=self.cast.jones, now=self.now),
            lambda: request.submit(prior_auth_id=key, by=stella, now=self.now),
        ):
            self.attempt(act)

    @rule(which=st.integers(0, 6), last=st.sampled_from((Step.DENY, Step.APPROVE_IN_PART, Step.APPROVE, Step.ASK)))
    def the_insurer_reviews(self, which: int, last: Step) -> None:
        key = self.one(which)
        for step, who in ((Step.CLAIM, "rae"), (Step.REFER, "rae"), (Step.TAKE_IN_HAND, "patel"), (last, "patel")):
            self.step(key, step, who)

    @rule(which=st.integers(0, 6), grant=GRANTS)
    def somebody_grants(self, which: int, grant: Mapping[str, Any]) -> None:
        key = self.one(which)
        line = PriorAuth.objects.get(public_id=key).lines.order_by("line").first()
        if line is None:
            return
        asked = {name: getattr(line, name) + timedelta(grant[name]) for name in ("starts_on", "ends_on")}
        for step in (Step.CLAIM, Step.REFER, Step.TAKE_IN_HAND):
            self.step(key, step, "patel")
        given = {"reason": REASON, "by": self.cast.patel, "now": self.now}
        self.attempt(
            lambda: determinations.approve_in_part(
                prior_auth_id=key, grants={line.line: Grant(**grant | asked)}, **given
            )
        )

    @rule(which=st.integers(0, 6), step=st.sampled_from(sorted(DOORS)), who=st.sampled_from(OURS + STRANGERS))
    def take_a_step(self, which: int, step: Step, who: str) -> None:
        self.step(self.one(which), step, who)

    @rule(which=st.integers(0, 6), chosen=st.integers(0, 30), who=st.sampled_from(OURS))
    def take_a_legal_step(self, which: int, chosen: int, who: str) -> None:
        row = PriorAuth.objects.get(public_id=self.one(which))
        legal = [step for step in selectors.allowed_steps(row, self.actor(who)) if step in DOORS and step not in ENDS]
        if legal:
            self.step(key_of(row), legal[chosen % len(legal)], who)

    @rule(who=st.sampled_from(("rae", "patel")))
    def take_the_next(self, who: str) -> None:
        self.attempt(lambda: queue.claim_next(by=self.actor(who), now=self.now))

    @rule(which=st.integers(0, 6), who=st.sampled_from(("stella", "jones", "mallory", "rae")), soon=st.booleans())
    def somebody_appeals(self, which: int, who: str, soon: bool) -> None:
        urgency = Urgency.EXPEDITED if soon else Urgency.STANDARD
        said = {"urgency": urgency, "reason": "It was planned.", "notices": (), "good_cause": "The clinic was closed."}
        key = self.one_decided_against(which)
        self.attempt(lambda: appealing.file(prior_auth_id=key, by=self.actor(who), now=self.now, **said))

    @rule(which=st.integers(0, 6), step=st.sampled_from(sorted(APPEAL_DOORS)), who=st.sampled_from(ON_APPEALS))
    def an_appeal_takes_a_step(self, which: int, step: AppealStep, who: str) -> None:
        found = self.one_of(Appeal, which)
        if found is None:
            return
        actor = self.actor(who)
        given = appeal_arguments(step, found)
        is_legal = step in appeals.allowed_steps(found, actor) if who not in STRANGERS else False
        refusal = self.attempt(
            lambda: APPEAL_DOORS[step].take(appeal_id=AppealId(found.public_id), by=actor, now=self.now, **given)
        )
        assert is_legal or refusal is not None

    @rule(which=st.integers(0, 6), last=st.sampled_from(DECIDING))
    def an_appeal_is_decided(self, which: int, last: AppealStep) -> None:
        self.somebody_appeals(which, "stella", soon=True)
        for step, who in ((AppealStep.RECEIVE, "ivy"), (AppealStep.TAKE_IN_HAND, "uma"), (last, "uma")):
            self.an_appeal_takes_a_step(which, step, who)
        if self.cast.plan.regime == "generic":
            self.the_figures_are_those_of_the_events()

    @rule(which=st.integers(0, 6), who=st.sampled_from(OURS + STRANGERS), hours=st.sampled_from([-5, 5, 40]))
    def a_call_is_offered(self, which: int, who: str, hours: int) -> None:
        key, times = self.one_decided_against(which), [self.now + timedelta(hours=hours)]
        self.attempt(lambda: calling.offer(prior_auth_id=key, times=times, by=self.actor(who), now=self.now))

    @rule(which=st.integers(0, 6), step=st.sampled_from(sorted(CALL_DOORS)), who=st.sampled_from(OURS + STRANGERS))
    def a_call_takes_a_step(self, which: int, step: CallStep, who: str) -> None:
        found = self.one_of(Call, which)
        if found is None:
            return
        times = calls.times(found)
        given: dict[CallStep, Mapping[str, Any]] = {
            CallStep.ACCEPT: {"time_id": times[0].public_id if times else None},
            CallStep.CONFIRM: {"time_id": times[0].public_id if times else None},
            CallStep.DECLINE: {"reason": "No need."},
            CallStep.CONCLUDE: {"reason": "Spoke.", "outcome": CallOutcome.WILL_STAND},
        }
        put_forward = {"times": [self.now + timedelta(hours=30)]}
        actor, values = self.actor(who), given.get(step, put_forward)
        is_legal = step in calls.allowed_steps(found, actor) if who not in STRANGERS else False
        refusal = self.attempt(
            lambda: CALL_DOORS[step].take(call_id=CallId(found.public_id), by=actor, now=self.now, **values)
        )
        assert is_legal or refusal is not None

    @precondition(lambda self: self.cast.plan.regime == "generic")  # the oracle knows the times of this one alone
    @rule()
    def the_figures_are_those_of_the_events(self) -> None:
        since, until = TODAY - timedelta(days=30), TODAY + timedelta(days=3000)
        told = person("nora").get("metrics/", since=since.isoformat(), until=until.isoformat()).json()["results"]
        expected = figures(lives(), since, until)
        for speed in ("standard", "expedited"):
            published = told[0][speed] if told else figures([], since, until)[speed]
            assert published["counts"] == expected[speed]["counts"]
            assert published["time_to_decision"] == expected[speed]["time_to_decision"]

    @rule()
    def the_workers_come_by(self) -> None:
        for work in (
            queue.release_expired,
            questions.resume_unanswered,
            automation.approve_by_rule,
            deeming.deem_due,
            deeming.note_unforwarded,
            overdue_appeals.note_missed,
            notifications.note_late_notices,
            renewals.open_renewals,
            run_outs.warn_of_run_outs,
        ):
            work(now=self.now)

    @rule()
    def people_are_told(self) -> None:
        while notifications.fan_out_next(now=self.now) or notifications.send_next(now=self.now):
            pass
        sent = walked.sent()
        assert "/prior-auths/" in sent
        assert walked.OF_THE_PATIENT.findall(sent) == []

    @rule(on=st.booleans())
    def the_licence_ends_or_is_valid(self, on: bool) -> None:
        change = {"valid_until": TODAY + timedelta(days=3650 if on else -1)}
        used = (Determination, AppealDecision)
        if not on and any(made.objects.filter(licence__isnull=False).exists() for made in used):
            with pytest.raises(IntegrityError), transaction.atomic():
                Licence.objects.update(**change)
        else:
            Licence.objects.update(**change)

    @rule(which=st.integers(0, 6), outcome=st.sampled_from(sorted(HUMAN_ONLY)))
    def somebody_denies_by_sql(self, which: int, outcome: Outcome) -> None:
        row = PriorAuth.objects.get(public_id=self.one(which))
        with pytest.raises(IntegrityError), transaction.atomic():
            Determination.objects.create(
                prior_auth=row,
                outcome=outcome.value,
                decided_at=self.now,
                decided_by_id=self.cast.rae.person_id,
                licence=Licence.objects.first(),
                reason_code="x",
                reason_text="x",
                criterion="x",
                was_late=False,
                supersedes=row.determinations.order_by("-pk").first(),
            )

    # -- what always holds
    @invariant()
    def only_a_licensed_human_denied(self) -> None:
        for row in Determination.objects.filter(outcome__in=sorted(HUMAN_ONLY)).select_related("licence"):
            assert row.licence is not None
            assert row.licence.person_id == row.decided_by_id

    @invariant()
    def one_active_request_serves_a_use(self) -> None:
        active = PriorAuth.objects.filter(state__in=sorted(ACTIVE))
        uses = Counter((row.patient_id, row.coverage_id, row.episode_anchor) for row in active)
        assert not [use for use, number in uses.items() if number > 1]

    @invariant()
    def nothing_is_granted_beyond_what_was_asked(self) -> None:
        assert list(walked.beyond_what_was_asked()) == []

    @invariant()
    def what_happened_stays_as_it_happened(self) -> None:
        for row in PriorAuth.objects.prefetch_related("events"):
            told = [(event.sequence, event.step, event.at, event.person_id) for event in row.events.all()]
            before = self.seen.get(row.pk, [])
            assert told[: len(before)] == before
            assert [sequence for sequence, *_ in told] == sorted({sequence for sequence, *_ in told})
            self.seen[row.pk] = told

    @invariant()
    def the_kept_due_instant_is_the_computed_one(self) -> None:
        for row in PriorAuth.objects.prefetch_related("events"):
            due = selectors.due(row)
            assert row.due_at == (due.at if due else None), row.state

    @invariant()
    def every_outcome_is_told_once(self) -> None:
        ends = [step.value for step in DECISIONS]
        expected = Counter(
            (TABLE[Step(step)].says, key)
            for step, key in Event.objects.filter(step__in=ends).values_list("step", "prior_auth__public_id")
            if TABLE[Step(step)].says
        )
        topics = {topic for topic, _ in expected}
        told = Counter(OutboxMessage.objects.filter(topic__in=topics).values_list("topic", "subject_id"))
        assert told == expected

    @invariant()
    def the_law_decided_nothing_in_time(self) -> None:
        for row in Determination.objects.filter(basis="law"):
            assert row.due_at is not None
            assert row.due_at < row.decided_at

    @invariant()
    def nobody_decided_against_what_the_law_had_decided(self) -> None:
        late = Determination.objects.filter(outcome__in=sorted(HUMAN_ONLY), was_late=True)
        for code, version in late.values_list("prior_auth__regime", "prior_auth__regime_version"):
            assert regimes.version(code, version).if_missed not in DEEMED

    @invariant()
    def what_was_submitted_keeps_its_terms(self) -> None:
        for pk, *terms in PriorAuth.objects.exclude(submitted_at=None).values_list("pk", *AS_SUBMITTED):
            assert self.submitted.setdefault(pk, tuple(terms)) == tuple(terms)

    @invariant()
    def only_a_party_ever_acted(self) -> None:
        for event in Event.objects.exclude(organization=None).select_related("prior_auth"):
            assert event.organization_id in {event.prior_auth.clinic_id, event.prior_auth.insurer_id}

    @invariant()
    def a_void_request_gives_no_right(self) -> None:
        assert not Authorization.objects.filter(prior_auth__state="voided", revoked_at=None).exists()

    @invariant()
    def nobody_decided_an_appeal_against_their_own_decision(self) -> None:
        for row in AppealDecision.objects.select_related("appeal__prior_auth"):
            before = row.appeal.prior_auth.determinations.filter(decided_at__lt=row.decided_at)
            assert row.decided_by_id not in before.exclude(pk=row.determination_id).values_list("decided_by", flat=True)

    @invariant()
    def the_kept_due_instant_of_an_appeal_is_the_computed_one(self) -> None:
        for row in Appeal.objects.all():
            due = appeals.due(row)
            assert row.due_at == (due.at if due else None), row.state

    # -- how it is done
    def one_of(self, kind: type[_Child], which: int) -> _Child | None:
        rows = list(kind._default_manager.order_by("pk"))
        return rows[which % len(rows)] if rows else None

    def actor(self, name: str) -> Actor:
        found = self.uma if name == "uma" else getattr(self.cast, name)
        assert isinstance(found, Actor)
        return found

    def one(self, which: int) -> PriorAuthId:
        keys = list(PriorAuth.objects.order_by("pk").values_list("public_id", flat=True))
        return PriorAuthId(keys[which % len(keys)])

    def one_decided_against(self, which: int) -> PriorAuthId:
        against = Determination.objects.filter(outcome__in=sorted(HUMAN_ONLY)).order_by("pk")
        keys = list(against.values_list("prior_auth__public_id", flat=True))
        return PriorAuthId(keys[which % len(keys)])

    def answer_all(self, key: PriorAuthId) -> None:
        sheet = PriorAuth.objects.get(public_id=key).answers
        known = dict(sheet.answers.values_list("question", "value")) if sheet else {}
        values = {**known, **stage.ANSWERS}
        request.answer_questions(prior_auth_id=key, answers=values, by=self.cast.stella, now=self.now)

    def step(self, key: PriorAuthId, step: Step, who: str) -> None:
        actor = self.actor(who)
        row = PriorAuth.objects.get(public_id=key)
        is_known = actor.organization_id == row.clinic_id or (
            actor.organization_id == row.insurer_id and row.submitted_at is not None
        )
        roles = actor.roles if is_known else frozenset()
        state, is_reopened = lifecycle.State(row.state), row.reopened_at is not None
        is_legal = lifecycle.is_allowed(step, state=state, roles=roles, is_reopened=is_reopened)
        given = arguments(step, row, self.cast)
        refusal = self.attempt(lambda: DOORS[step].take(prior_auth_id=key, by=actor, now=self.now, **given))
        if not is_legal:
            assert refusal is not None
        if isinstance(refusal, IllegalStep):
            legal = selectors.allowed_steps(row, actor) if is_known else []
            assert refusal.context["allowed"] == [allowed.value for allowed in legal]

    def attempt(self, act: Callable[[], object]) -> AuthzError | None:
        before = self.fingerprint()
        try:
            with transaction.atomic():
                act()
        except AuthzError as refusal:
            assert self.fingerprint() == before
            return refusal
        return None

    def fingerprint(self) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(EVERYTHING)
            return list(cursor.fetchall())


def walk(cast: Cast, *, examples: int, steps: int) -> None:
    class Here(Life):
        pass

    Here.cast = cast
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.thorough
@pytest.mark.django_db
def test_any_walk_of_any_actors_keeps_every_promise(cast: Cast) -> None:
    walk(cast, examples=6, steps=25)


@pytest.mark.django_db
@pytest.mark.thorough
@pytest.mark.live
def test_many_long_walks_keep_every_promise(cast: Cast) -> None:
    walk(cast, examples=15, steps=40)
