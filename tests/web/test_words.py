"""The words of the pages: complete, and right about whose turn it is and what comes next."""

import pytest

from authz.access.roles import CLINIC_ROLES, Role
from authz.documentation import catalog
from authz.documentation.questionnaire import Source
from authz.policies.regime import NextLevel
from authz.prior_auths.appeal_lifecycle import AppealOutcome, AppealState, AppealStep
from authz.prior_auths.call_lifecycle import CallOutcome, CallState
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.determination import Outcome
from authz.prior_auths.lifecycle import ACTIVE, ENDED, NEVER_AWAITED, ON_APPEAL, TABLE, State, Step, steps_for
from authz.prior_auths.moments import Happening
from authz.prior_auths.record_words import KIND
from authz.rules.records import RecordKind
from authz.rules.selection import Ignored
from authz.rules.verdict import Look
from authz.web import words
from authz.web.next_action import ANSWER_QUESTIONS, NextAction, next_action
from authz.web.step_forms import STEPS

SYSTEMS_OWN = {step for step, row in TABLE.items() if row.by == {Role.SYSTEM}}


def test_everything_there_is_has_a_word() -> None:
    assert set(words.STATUS) == set(State)
    assert set(words.OUTCOME) == set(Outcome)
    assert set(words.DONE) == set(Step)
    assert set(words.HAPPENED) == set(Happening)
    assert set(words.ACTION) == set(STEPS) == set(Step) - SYSTEMS_OWN - ON_APPEAL - {Step.OPEN_BY_HAND}
    assert set(words.ROLE) == set(Role)
    assert set(words.APPEAL) == set(AppealState)
    assert set(words.APPEAL_OUTCOME) == set(AppealOutcome)
    assert set(words.APPEAL_DONE) == set(AppealStep)
    assert set(words.CALL) == set(CallState)
    assert set(words.CALL_OUTCOME) == set(CallOutcome)
    assert set(words.ONWARD) == set(NextLevel)
    assert set(words.SOURCE) == set(Source)
    assert set(words.URGENCY) == set(Urgency)
    assert set(KIND) == set(RecordKind)
    assert set(words.IGNORED) == set(Ignored)
    assert set(words.LOOK) == set(Look)


@pytest.mark.parametrize("state", sorted(ACTIVE))
def test_who_has_the_ball_is_who_can_take_the_request_on(state: State) -> None:
    ball = words.STATUS[state].ball
    awaited = [step for step in TABLE if state in TABLE[step].sources and step not in NEVER_AWAITED]
    by = frozenset().union(*(TABLE[step].by for step in awaited)) - {Role.SYSTEM}

    is_with_clinic = by <= CLINIC_ROLES

    assert ball.startswith("The insurer") is not is_with_clinic


@pytest.mark.parametrize("state", sorted(ENDED))
def test_nobody_has_the_ball_once_it_has_ended(state: State) -> None:
    assert words.STATUS[state].ball == ""


def next_of(state: State, *roles: Role, unanswered: int = 0) -> NextAction | None:
    questions = catalog.questionnaire("opioid-1").questions
    return next_action(
        state=state,
        open_steps=steps_for(state=state, roles=roles),
        roles=roles,
        unanswered=questions[len(questions) - unanswered :],
    )


@pytest.mark.parametrize(
    ("state", "role", "unanswered", "place"),
    [
        (State.DETECTED, Role.STAFF, 8, "take_up"),
        (State.DETECTED, Role.CLINIC_ADMIN, 8, None),
        (State.DRAFT, Role.STAFF, 8, ANSWER_QUESTIONS),
        (State.DRAFT, Role.STAFF, 1, "ask_prescriber"),
        (State.DRAFT, Role.PRESCRIBER, 1, ANSWER_QUESTIONS),
        (State.DRAFT, Role.STAFF, 0, "submit"),
        (State.AWAITING_PRESCRIBER, Role.STAFF, 1, None),
        (State.AWAITING_PRESCRIBER, Role.PRESCRIBER, 1, "answer_prescriber"),
        (State.QUEUED, Role.STAFF, 0, None),
        (State.QUEUED, Role.REVIEWER, 0, "claim"),
        (State.QUEUED, Role.INTAKE, 0, None),
        (State.IN_REVIEW, Role.REVIEWER, 0, "approve"),
        (State.INFO_REQUESTED, Role.STAFF, 0, "answer"),
        (State.INFO_REQUESTED, Role.REVIEWER, 0, None),
        (State.CLINICAL_REVIEW, Role.REVIEWER, 0, None),
        (State.CLINICAL_REVIEW, Role.PHYSICIAN, 0, "approve"),
        (State.DECIDED, Role.PHYSICIAN, 0, None),
    ],
)
def test_there_is_at_most_one_next_action(state: State, role: Role, unanswered: int, place: str | None) -> None:
    found = next_of(state, role, unanswered=unanswered)

    assert (found.place if found else None) == place


@pytest.mark.parametrize(
    ("missing", "place"),
    [((), "record_exemption"), (("pr.attest",), "record_exemption"), (("pr.attest", "ex.start"), ANSWER_QUESTIONS)],
)
def test_where_the_answers_name_an_exemption_it_is_recorded_next(missing: tuple[str, ...], place: str) -> None:
    roles = (Role.STAFF,)
    found = next_action(
        state=State.DRAFT,
        open_steps=steps_for(state=State.DRAFT, roles=roles),
        roles=roles,
        unanswered=[one for one in catalog.questionnaire("opioid-3").questions if one.link_id in missing],
        instead=Step.RECORD_EXEMPTION,
    )

    assert found is not None
    assert found.place == place
