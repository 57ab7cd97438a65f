"""What the clocks hear of a request's steps, and the terms they run on."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from authz.policies import regimes
from authz.policies.history import Happened, Kind, What
from authz.prior_auths import selectors
from authz.prior_auths.clock_history import DECISIONS, HEEDED, UNHEEDED, history_of
from authz.prior_auths.deadlines import clocks
from authz.prior_auths.lifecycle import State, Step
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import determinations, questions
from authz.web import rows
from tests import cast as stage
from tests.cast import NOW, Cast, key_of, later


def test_every_step_is_heeded_or_is_known_not_to_be() -> None:
    assert set(HEEDED) | UNHEEDED == set(Step)
    assert set(HEEDED) & UNHEEDED == set()


def test_every_step_that_decides_is_a_decision_to_the_clocks() -> None:
    assert {Step.APPROVE, Step.APPROVE_IN_PART, Step.DENY} <= DECISIONS


def test_a_request_is_received_with_its_statement_and_its_urgency_and_questions_are_notices() -> None:
    at = datetime(2026, 6, 1, 9, tzinfo=UTC)
    steps = (Step.OPEN, Step.SUBMIT, Step.EXPEDITE, Step.CLAIM, Step.ASK, Step.DENY)
    taken = [SimpleNamespace(step=step, at=at) for step in steps]

    assert history_of(taken) == [
        Happened(What.RECEIVED, at),
        Happened(What.STATEMENT_RECEIVED, at),
        Happened(What.EXPEDITED_ASKED, at),
        Happened(What.INFO_ASKED, at, with_notice=True),
        Happened(What.DECIDED_ADVERSE, at),
    ]


def test_who_gets_the_lock_second_acts_second_whatever_their_watch_said() -> None:
    at = datetime(2026, 6, 1, 9, tzinfo=UTC)
    steps = ((Step.SUBMIT, 0), (Step.EXPEDITE, 2), (Step.REFUSE_EXPEDITED, 1))
    taken = [SimpleNamespace(step=step, at=at + timedelta(seconds=after)) for step, after in steps]

    found = clocks(history_of(taken), regime=regimes.versions("generic")[-1], zone=ZoneInfo("UTC")).get(Kind.DECIDE_BY)

    assert found is not None
    assert found.due_at == at + timedelta(hours=72)


def under(cast: Cast, regime: str, time_zone: str = "America/Chicago") -> None:
    cast.plan.regime, cast.plan.time_zone = regime, time_zone
    cast.plan.save()


@pytest.mark.django_db
def test_a_submitted_request_keeps_the_regime_and_the_time_zone_of_that_day(cast: Cast) -> None:
    under(cast, "erisa")
    submitted = stage.queued(cast)
    under(cast, "generic", "Pacific/Honolulu")

    kept = PriorAuth.objects.get(pk=submitted.pk)

    assert (kept.regime, kept.regime_version, kept.time_zone) == ("erisa", "2003", "America/Chicago")
    found = selectors.clocks_of(kept)
    assert (found.regime, found.calendar, found.zone) == ("erisa-2003", "us_federal-1", "America/Chicago")
    due = selectors.due(kept)
    assert due is not None
    assert due.at == datetime(2025, 3, 19, 4, 59, 59, 999999, tzinfo=UTC)


@pytest.mark.django_db
def test_before_a_regime_is_in_force_the_request_is_under_the_generic_one(cast: Cast) -> None:
    under(cast, "oklahoma")

    assert stage.queued(cast).regime == "generic"


@pytest.mark.django_db
def test_a_question_moves_the_deadline_as_the_regime_says(cast: Cast) -> None:
    under(cast, "california", "America/Los_Angeles")
    prior_auth = stage.in_review(cast)
    key = key_of(prior_auth)

    questions.ask(prior_auth_id=key, questions=["Which knee?"], by=cast.rae, now=later(5))

    waiting = PriorAuth.objects.get(pk=prior_auth.pk)
    assert (State(waiting.state), selectors.due(waiting)) == (State.INFO_REQUESTED, None)
    clock = selectors.clocks_of(waiting).get(Kind.DECIDE_BY)
    assert clock is not None
    assert clock.why.startswith("Not running: the standard request lacks what the insurer has asked for.")
    other = stage.queued(cast)
    assert list(rows.open_for_insurer(cast.rae)) == [other, waiting]

    (question,) = waiting.information_requests.all()
    questions.answer(prior_auth_id=key, answers={question.public_id: "Left."}, by=cast.stella, now=later(90))
    decided = determinations.approve(prior_auth_id=key, by=cast.rae, now=later(90 + 72))

    assert decided.determinations.get().was_late is False


@pytest.mark.django_db
def test_a_question_changes_nothing_where_the_clock_keeps_running(cast: Cast) -> None:
    under(cast, "part_d")
    prior_auth = stage.in_review(cast)

    questions.ask(prior_auth_id=key_of(prior_auth), questions=["Which knee?"], by=cast.rae, now=later(5))

    due = selectors.due(PriorAuth.objects.get(pk=prior_auth.pk))
    assert due is not None
    assert due.at == NOW + timedelta(hours=72)


@pytest.mark.django_db
def test_a_request_that_was_not_submitted_has_no_clock(cast: Cast) -> None:
    assert selectors.clocks_of(stage.drafted(cast)).clocks == ()
