"""The life of a request is one table; these tests enumerate it."""

import pytest

from authz.access.roles import CLINIC_ROLES, INSURER_ROLES, Role
from authz.prior_auths import lifecycle
from authz.prior_auths.lifecycle import ACTIVE, ENDED, TABLE, State, Step


@pytest.mark.parametrize("step", Step)
def test_every_step_has_a_row(step: Step) -> None:
    assert TABLE[step].by


@pytest.mark.parametrize("state", sorted(ENDED))
def test_out_of_an_end_lead_voiding_and_for_a_decision_reopening(state: State) -> None:
    everyone = set(Role)

    out = {step for step in lifecycle.steps_for(state=state, roles=everyone) if TABLE[step].target is not None}

    assert out == {
        State.VOIDED: set(),
        State.DECIDED: {Step.VOID, Step.REOPEN},
    }.get(state, {Step.VOID})


@pytest.mark.parametrize("state", sorted(ACTIVE))
def test_every_active_state_can_be_reached_and_left(state: State) -> None:
    assert any(row.target is state for row in TABLE.values())
    assert lifecycle.steps_for(state=state, roles=set(Role))


@pytest.mark.parametrize("step", [Step.DENY, Step.APPROVE_IN_PART])
def test_only_a_physician_decides_against_what_was_asked(step: Step) -> None:
    assert TABLE[step].by == {Role.PHYSICIAN}


@pytest.mark.parametrize("step", [step for step in Step if TABLE[step].target is State.DECIDED])
def test_no_clinic_decides(step: Step) -> None:
    assert TABLE[step].by.isdisjoint(CLINIC_ROLES)


def test_the_system_approves_by_rule_and_else_does_what_the_law_says() -> None:
    own = {step for step in Step if Role.SYSTEM in TABLE[step].by and TABLE[step].target is State.DECIDED}

    assert own == {Step.APPROVE_BY_RULE, Step.DEEM_APPROVED, Step.DEEM_ADVERSE}


def test_the_clinic_has_the_request_until_it_is_submitted() -> None:
    for state in lifecycle.BEFORE_SUBMISSION:
        assert lifecycle.NEVER_AWAITED.issuperset(lifecycle.steps_for(state=state, roles=INSURER_ROLES))
