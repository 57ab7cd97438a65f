"""The life of an appeal is one table; these tests enumerate it, and what its clocks hear of it."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from authz.access.roles import CLINIC_ROLES, Role
from authz.policies.history import Happened, What
from authz.prior_auths.appeal_history import HEEDED, UNHEEDED, history_of_appeal
from authz.prior_auths.appeal_lifecycle import (
    ENDED,
    TABLE,
    UNDECIDED,
    AppealOutcome,
    AppealState,
    AppealStep,
    steps_for,
)
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.timeline import APPEALED


def test_every_step_has_a_row_and_is_heeded_by_the_clocks_or_known_not_to_be() -> None:
    assert set(TABLE) == set(HEEDED) | UNHEEDED == set(AppealStep)
    assert set(HEEDED) & UNHEEDED == set()


def test_every_beginning_and_every_end_is_told_on_the_timeline() -> None:
    assert set(APPEALED) == {step for step, row in TABLE.items() if None in row.sources or row.target in ENDED}


@pytest.mark.parametrize("state", sorted(UNDECIDED))
def test_every_open_state_can_be_reached_and_left(state: AppealState) -> None:
    assert any(row.target is state for row in TABLE.values())
    assert any(TABLE[step].target is not state for step in steps_for(state=state, roles=set(Role)))


@pytest.mark.parametrize("state", sorted(ENDED))
def test_out_of_an_end_leads_nothing_but_the_way_to_the_independent_reviewer(state: AppealState) -> None:
    way = [AppealStep.FORWARD] if state is AppealState.DECIDED else []

    assert steps_for(state=state, roles=set(Role)) == way


def test_only_an_appeal_reviewer_decides_and_there_is_a_step_for_each_outcome() -> None:
    deciding = [row for row in TABLE.values() if row.target is AppealState.DECIDED]

    assert len(deciding) == len(AppealOutcome)
    assert all(row.by == {Role.APPEAL_REVIEWER} for row in deciding)
    assert {role for row in TABLE.values() if None in row.sources for role in row.by} <= CLINIC_ROLES


def test_an_appeal_is_received_when_it_is_filed_and_its_urgency_is_asked_then() -> None:
    at = datetime(2026, 6, 1, 9, tzinfo=UTC)
    taken = [SimpleNamespace(step=step, at=at) for step in (AppealStep.FILE, AppealStep.RECEIVE, AppealStep.UPHOLD)]

    filed, decided = Happened(What.APPEAL_FILED, at), Happened(What.APPEAL_DECIDED, at)
    assert history_of_appeal(taken, urgency=Urgency.STANDARD) == [filed, decided]
    assert Happened(What.APPEAL_EXPEDITED_ASKED, at) in history_of_appeal(taken, urgency=Urgency.EXPEDITED)
