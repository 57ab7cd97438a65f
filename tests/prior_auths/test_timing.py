"""Speed and more time: asked for, refused or given notice of, only as the request's regime has it."""

from datetime import datetime, timedelta
from importlib import import_module

import pytest
from django.db import connection

from authz.errors import AuthzError
from authz.outbox.models import OutboxMessage
from authz.prior_auths import selectors
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.lifecycle import ReopeningReason, Step
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import deeming, questions, reopening, request, timing
from authz.prior_auths.services.queue import LeaseHeldByAnother
from authz.prior_auths.services.steps import IllegalStep
from authz.prior_auths.services.timing import ExtensionNotAllowed, SameUrgency, SpeedNotRefusable, TimeIsOver
from tests import cast as stage
from tests.cast import NOW, Cast, key_of, later


def queued(cast: Cast, regime: str, urgency: Urgency = Urgency.STANDARD) -> PriorAuth:
    cast.plan.regime = regime
    cast.plan.save()
    draft = stage.drafted(cast)
    return request.submit(prior_auth_id=key_of(draft), urgency=urgency, by=cast.stella, now=NOW)


def due_of(prior_auth: PriorAuth) -> datetime:
    due = selectors.due(PriorAuth.objects.get(pk=prior_auth.pk))
    assert due is not None
    return due.at


def told(topic: str) -> int:
    return OutboxMessage.objects.filter(topic=f"prior-auth.{topic}").count()


def test_submitted_as_expedited_is_two_steps_of_one_instant_told_once(cast: Cast) -> None:
    submitted = queued(cast, "generic", Urgency.EXPEDITED)

    steps = [(event.step, event.at) for event in selectors.events(cast.stella, key_of(submitted))][-2:]
    assert steps == [("submit", NOW), ("expedite", NOW)]
    assert (due_of(submitted), told("submitted"), told("expedited")) == (later(24), 1, 0)


def test_speed_that_is_answered_is_speed_that_is_asked_for(cast: Cast) -> None:
    key = key_of(stage.drafted(cast))
    request.answer_questions(prior_auth_id=key, answers={"req.urgency": "expedited"}, by=cast.stella, now=NOW)
    request.ask_prescriber(prior_auth_id=key, question="Please attest anew.", by=cast.stella, now=NOW)
    request.answer_prescriber(prior_auth_id=key, answers={"pr.attest": True}, by=cast.jones, now=NOW)

    submitted = request.submit(prior_auth_id=key, by=cast.stella, now=NOW)

    assert (submitted.urgency, submitted.due_at, due_of(submitted)) == ("expedited", later(24), later(24))


def test_speed_asked_for_later_counts_from_then_and_the_reviewers_hear_of_it(cast: Cast) -> None:
    submitted = queued(cast, "part_d")

    timing.expedite(prior_auth_id=key_of(submitted), reason="In pain.", by=cast.stella, now=later(10))

    row = PriorAuth.objects.get(pk=submitted.pk)
    assert (row.urgency, row.due_at, due_of(row), told("expedited")) == ("expedited", later(34), later(34), 1)
    with pytest.raises(SameUrgency):
        timing.expedite(prior_auth_id=key_of(submitted), reason="Again.", by=cast.rae, now=later(11))


def test_speed_is_refused_only_where_the_law_does_not_leave_it_to_the_prescriber(cast: Cast) -> None:
    by_law = queued(cast, "part_d", Urgency.EXPEDITED)

    with pytest.raises(SpeedNotRefusable, match="prescriber"):
        timing.refuse_expedited(prior_auth_id=key_of(by_law), reason="No.", by=cast.rae, now=later(1))

    assert due_of(by_law) == later(24)


def test_refused_speed_leaves_the_standard_time_from_receipt(cast: Cast) -> None:
    submitted = queued(cast, "generic", Urgency.EXPEDITED)

    timing.refuse_expedited(prior_auth_id=key_of(submitted), reason="It can wait.", by=cast.rae, now=later(2))

    assert (due_of(submitted), told("expedited-refused")) == (later(72), 1)
    with pytest.raises(SameUrgency):
        timing.refuse_expedited(prior_auth_id=key_of(submitted), reason="Again.", by=cast.rae, now=later(3))


def test_a_refusal_after_the_expedited_time_makes_nothing_due_again(cast: Cast) -> None:
    submitted = queued(cast, "generic", Urgency.EXPEDITED)

    with pytest.raises(TimeIsOver):
        timing.refuse_expedited(prior_auth_id=key_of(submitted), reason="Late.", by=cast.rae, now=later(24.001))

    assert due_of(submitted) == later(24)


def test_notice_gives_all_the_days_more_that_the_regime_allows_and_only_once(cast: Cast) -> None:
    submitted = queued(cast, "erisa")
    before = due_of(submitted)

    timing.extend(prior_auth_id=key_of(submitted), reason="An expert is asked.", by=cast.rae, now=later(24))

    assert (due_of(submitted).date() - before.date(), told("extended")) == (timedelta(days=15), 1)
    with pytest.raises(ExtensionNotAllowed, match="once"):
        timing.extend(prior_auth_id=key_of(submitted), reason="Again.", by=cast.rae, now=later(25))


@pytest.mark.parametrize(
    ("regime", "hours", "refusal"), [("generic", 1, ExtensionNotAllowed), ("erisa", 24 * 17, TimeIsOver)]
)
def test_no_notice_where_the_regime_gives_no_more_or_the_time_is_over(
    cast: Cast, regime: str, hours: float, refusal: type[AuthzError]
) -> None:
    submitted = queued(cast, regime)
    before = due_of(submitted)

    with pytest.raises(refusal):
        timing.extend(prior_auth_id=key_of(submitted), reason="Busy.", by=cast.rae, now=later(hours))

    assert (due_of(submitted), told("extended")) == (before, 0)


@pytest.mark.parametrize(
    ("regime", "urgency", "offered"),
    [
        ("generic", Urgency.STANDARD, {"expedite"}),
        ("generic", Urgency.EXPEDITED, {"refuse_expedited"}),
        ("part_d", Urgency.EXPEDITED, set()),
        ("erisa", Urgency.STANDARD, {"expedite", "extend"}),
    ],
)
def test_what_is_always_refused_is_not_among_the_steps(
    cast: Cast, regime: str, urgency: Urgency, offered: set[str]
) -> None:
    submitted = queued(cast, regime, urgency)

    steps = {step.value for step in selectors.allowed_steps(submitted, cast.rae)}
    with pytest.raises(IllegalStep) as refusal:
        request.withdraw(prior_auth_id=key_of(submitted), reason="No.", by=cast.rae, now=NOW)

    assert steps & {"expedite", "refuse_expedited", "extend"} == offered
    assert set(refusal.value.context["allowed"]) == steps


@pytest.mark.parametrize(("regime", "is_offered"), [("generic", False), ("part_d", False), ("california", True)])
def test_to_return_is_offered_where_the_clock_would_wait(cast: Cast, regime: str, is_offered: bool) -> None:
    submitted = queued(cast, regime)

    assert (Step.RETURN in selectors.allowed_steps(submitted, cast.ivy)) is is_offered


def test_to_forward_is_offered_once_and_only_of_what_became_adverse_by_law(cast: Cast) -> None:
    approved, adverse = stage.approved(cast), queued(cast, "part_d")
    deeming.deem_due(now=later(73))
    adverse.refresh_from_db()
    before = selectors.allowed_steps(adverse, cast.ivy)
    deeming.forward(prior_auth_id=key_of(adverse), reason="IRE 17", by=cast.ivy, now=later(74))

    after = selectors.allowed_steps(PriorAuth.objects.get(pk=adverse.pk), cast.ivy)

    offered = [Step.FORWARD in steps for steps in (selectors.allowed_steps(approved, cast.ivy), before, after)]
    assert offered == [False, True, False]


def test_what_was_reopened_has_no_time_to_change_and_none_is_offered(cast: Cast) -> None:
    cast.plan.regime = "erisa"
    cast.plan.save()
    key = key_of(stage.approved(cast))
    again = reopening.reopen(
        prior_auth_id=key, code=ReopeningReason.CLERICAL_ERROR, reason="A slip.", by=cast.nora, now=later(1)
    )

    for change in (timing.expedite, timing.refuse_expedited, timing.extend):
        with pytest.raises(IllegalStep, match="reopened"):
            change(prior_auth_id=key, reason="Soon.", by=cast.rae, now=later(2))

    steps = set(selectors.allowed_steps(again, cast.rae))
    assert steps.isdisjoint({Step.EXPEDITE, Step.REFUSE_EXPEDITED, Step.EXTEND})
    assert told("expedited") == 0


def test_an_overdue_decision_is_not_expedited_and_one_that_waits_is(cast: Cast) -> None:
    overdue, waiting = queued(cast, "generic"), stage.incomplete(cast)
    item = waiting.information_requests.get()

    with pytest.raises(TimeIsOver):
        timing.expedite(prior_auth_id=key_of(overdue), reason="In pain.", by=cast.stella, now=later(100))
    timing.expedite(prior_auth_id=key_of(waiting), reason="In pain.", by=cast.stella, now=later(100))
    questions.complete(prior_auth_id=key_of(waiting), answers={item.public_id: "Here."}, by=cast.stella, now=later(101))

    assert (told("expedited"), due_of(waiting)) == (1, later(125))


def test_what_was_extended_once_is_not_extended_again(cast: Cast) -> None:
    key = key_of(queued(cast, "erisa"))

    timing.extend(prior_auth_id=key, reason="An expert is asked.", by=cast.rae, now=later(24))

    assert Step.EXTEND not in selectors.allowed_steps(selectors.prior_auth(cast.rae, key), cast.rae)


def test_the_clinic_extends_nothing_and_no_colleague_extends_what_somebody_has_in_hand(cast: Cast) -> None:
    reviewed = stage.in_review(cast)

    with pytest.raises(IllegalStep):
        timing.extend(prior_auth_id=key_of(reviewed), reason="More.", by=cast.stella, now=later(0.1))
    with pytest.raises(LeaseHeldByAnother):
        timing.extend(prior_auth_id=key_of(reviewed), reason="More.", by=cast.patel, now=later(0.1))


def test_what_was_submitted_as_expedited_before_speed_was_a_step_keeps_its_time(cast: Cast) -> None:
    submitted = queued(cast, "generic")
    PriorAuth.objects.filter(pk=submitted.pk).update(urgency=Urgency.EXPEDITED.value)  # as it was kept then
    statement = import_module("authz.migrations.0014_speed_is_a_step").ASKED_WHEN_SUBMITTED

    with connection.cursor() as cursor:
        cursor.execute(statement)

    row = PriorAuth.objects.get(pk=submitted.pk)
    assert (due_of(row), row.version) == (later(24), submitted.version + 1)
