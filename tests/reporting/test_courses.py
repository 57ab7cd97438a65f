"""What is drawn from a request's steps: whether it counts, when it was received, at which speed it was decided."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from authz.prior_auths.determination import Basis, Outcome
from authz.prior_auths.lifecycle import State, Step
from authz.reporting.courses import Course, Ruling, course_of

NOON = datetime(2025, 3, 3, 12, tzinfo=UTC)


def hours(number: float) -> datetime:
    return NOON + timedelta(hours=number)


def taken(*steps: Step) -> list[Any]:
    """Return the steps, taken one an hour from noon on."""
    return [SimpleNamespace(step=step, at=hours(n)) for n, step in enumerate(steps)]


def course(steps: Sequence[Step], *, rulings: Sequence[Ruling] = ()) -> Course | None:
    return course_of(taken(*steps), rulings=rulings)


OPENED = (Step.OPEN, Step.TAKE_UP)
RECEIVED = (*OPENED, Step.SUBMIT)
DENIED = Ruling(outcome=Outcome.DENIED, basis=Basis.PERSON, at=hours(5))


@pytest.mark.parametrize(
    "steps",
    [
        (),
        OPENED,
        (*OPENED, Step.WITHDRAW),
        (*OPENED, Step.RETRACT),
        (*RECEIVED, Step.LINK_DUPLICATE),
        (*RECEIVED, Step.WITHDRAW, Step.VOID),
        (*RECEIVED, Step.CLAIM, Step.APPROVE, Step.VOID),
    ],
)
def test_what_was_never_received_or_stands_for_nothing_has_no_course(steps: Sequence[Step]) -> None:
    assert course(steps) is None


@pytest.mark.parametrize(("step", "state"), [(Step.WITHDRAW, State.WITHDRAWN), (Step.DISMISS, State.DISMISSED)])
def test_an_end_without_a_determination_is_known_with_its_instant(step: Step, state: State) -> None:
    assert course((*RECEIVED, step)) == Course(received_at=hours(2), given_up=state, given_up_at=hours(3))


def test_once_decided_a_later_withdrawal_is_no_end_without_a_determination() -> None:
    steps = (*RECEIVED, Step.CLAIM, Step.REFER, Step.DENY, Step.REOPEN, Step.WITHDRAW)

    found = course(steps, rulings=[DENIED])

    assert found is not None
    assert (found.given_up, found.first_ruling) == (None, DENIED)


def test_time_runs_from_receipt_to_the_first_determination() -> None:
    later = Ruling(outcome=Outcome.APPROVED, basis=Basis.PERSON, at=hours(90), on_appeal=True)

    found = course((*RECEIVED, Step.CLAIM, Step.REFER, Step.DENY), rulings=[DENIED, later])

    assert found is not None
    assert found.time_to_decision == timedelta(hours=3)


@pytest.mark.parametrize(
    ("steps", "is_expedited", "is_extended"),
    [
        (RECEIVED, False, False),
        ((*RECEIVED, Step.EXPEDITE), True, False),
        ((*RECEIVED, Step.EXPEDITE, Step.REFUSE_EXPEDITED), False, False),
        ((*RECEIVED, Step.CLAIM, Step.EXTEND), False, True),
        ((*RECEIVED, Step.CLAIM, Step.REFER, Step.DENY, Step.REOPEN, Step.EXTEND, Step.EXPEDITE), False, False),
    ],
)
def test_what_was_asked_for_and_given_before_the_first_determination_counts(
    steps: Sequence[Step], is_expedited: bool, is_extended: bool
) -> None:
    found = course(steps)

    assert found is not None
    assert (found.is_expedited, found.is_extended) == (is_expedited, is_extended)


def test_a_step_counts_in_its_place_in_the_sequence_whatever_its_instant() -> None:
    *steps, claimed, asked, approved = taken(*RECEIVED, Step.CLAIM, Step.EXPEDITE, Step.APPROVE)
    approved.at = claimed.at

    found = course_of([*steps, claimed, asked, approved], rulings=[DENIED])

    assert found is not None
    assert found.is_expedited
