"""Who may take which step: no role one that the tables of requests, appeals and calls do not give it."""

from collections.abc import Callable

import pytest

from authz.access.roles import CLINIC_ROLES, INSURER_ROLES, Role
from authz.api.appeal_steps import APPEAL_DOORS
from authz.api.calls import CALL_DOORS
from authz.api.prior_auth_steps import DOORS
from authz.prior_auths import appeal_lifecycle, call_lifecycle
from authz.prior_auths.appeal_lifecycle import AppealStep
from authz.prior_auths.call_lifecycle import CallState, CallStep
from authz.prior_auths.lifecycle import ON_APPEAL, TABLE, Step, is_allowed
from authz.prior_auths.models import Appeal, PriorAuth
from authz.prior_auths.services import calling
from tests import cast as stage
from tests.api.callers import machine, nothing_changes, organization_of, refused
from tests.api.every_call import APPEAL_BODIES, CALL_BODIES, STEP_BODIES, TIMES

pytestmark = pytest.mark.thorough

CASES: dict[str, Callable[[stage.Cast], PriorAuth]] = {
    "detected": stage.detected,
    "draft": stage.drafted,
    "queued": stage.queued,
    "incomplete": stage.incomplete,
    "in_review": stage.in_review,
    "clinical_review": stage.in_clinical_review,
    "decided": stage.approved,
}


@pytest.mark.parametrize("role", sorted(CLINIC_ROLES | INSURER_ROLES))
def test_only_the_clinic_opens_a_request_by_hand(cast: stage.Cast, role: Role) -> None:
    patient = stage.register(cast)
    stage.fill(cast, patient, 5)
    body = {"patient": str(patient.public_id), "reason": "The course will be longer."}

    answer = machine(organization_of(cast, role), role).post("prior-authorizations/", body)

    may = is_allowed(Step.OPEN_BY_HAND, state=None, roles={role})
    assert answer.status_code == (201 if may else 403), answer.content


@pytest.mark.parametrize("state", CASES)
def test_no_role_takes_a_step_that_the_table_does_not_give_it(cast: stage.Cast, state: str) -> None:
    case = CASES[state](cast)
    assert case.state == state
    callers = {role: machine(organization_of(cast, role), role) for role in sorted(CLINIC_ROLES | INSURER_ROLES)}

    with nothing_changes():
        for role, caller in callers.items():
            for step in DOORS:
                if is_allowed(step, state=case.state, roles={role}):
                    continue
                path = f"prior-authorizations/{case.public_id}/{DOORS[step].address}/"
                answer = caller.post(path, STEP_BODIES.get(step), key=f"k-{step}", if_match=f'"{case.version}"')
                assert answer.json()["code"] in {"illegal-step", "not-found", "forbidden"}, (role, step)


@pytest.mark.parametrize("role", sorted(CLINIC_ROLES | INSURER_ROLES))
def test_no_role_takes_a_step_of_an_appeal_that_the_table_does_not_give_it(cast: stage.Cast, role: Role) -> None:
    denied = stage.denied(cast)
    caller = machine(organization_of(cast, role), role)
    filing = f"prior-authorizations/{denied.public_id}/appeals/"

    filed = caller.post(filing, {"reason": "Too short."}, key="k")
    may = role in appeal_lifecycle.TABLE[AppealStep.FILE].by
    assert filed.status_code == (201 if may else 403), filed.content
    appeal = Appeal.objects.first() or stage.appealed(cast, denied, now=stage.NOW)
    for state in ("filed", "received", "in_review"):
        Appeal.objects.update(state=state)
        with nothing_changes():
            for step, row in appeal_lifecycle.TABLE.items():
                if step in APPEAL_DOORS and not (state in row.sources and role in row.by):
                    path = f"appeals/{appeal.public_id}/{APPEAL_DOORS[step].address}/"
                    answer = caller.post(path, APPEAL_BODIES.get(step), if_match=f'"{appeal.version}"')
                    refused(answer, 409, "illegal-step")


@pytest.mark.parametrize("role", sorted(CLINIC_ROLES | INSURER_ROLES))
def test_no_role_takes_a_step_of_a_call_that_the_table_does_not_give_it(cast: stage.Cast, role: Role) -> None:
    denied = stage.denied(cast)
    caller = machine(organization_of(cast, role), role)

    offered = caller.post(f"prior-authorizations/{denied.public_id}/peer-to-peer/", TIMES)
    may = any(role in call_lifecycle.TABLE[step].by for step in (CallStep.OFFER, CallStep.PROPOSE_TIMES))
    assert offered.status_code == (201 if may else 403), offered.content
    call = denied.calls.first() or calling.offer(
        prior_auth_id=stage.key_of(denied), times=(), by=cast.rae, now=stage.NOW
    )
    for state in (CallState.OFFERED, CallState.PROPOSED):
        denied.calls.update(state=state.value)
        with nothing_changes():
            for step in CALL_DOORS:
                row = call_lifecycle.TABLE[step]
                if not (state in row.sources and role in row.by):
                    path = f"peer-to-peer/{call.public_id}/{CALL_DOORS[step].address}/"
                    refused(caller.post(path, CALL_BODIES[step]), 409, "illegal-step")


def test_every_step_people_may_take_on_a_call_has_an_address() -> None:
    by_people = {step for step, row in call_lifecycle.TABLE.items() if row.by - {Role.SYSTEM}}

    assert set(CALL_DOORS) == by_people - {CallStep.OFFER}, "a call is offered on its request"


def test_every_step_people_may_take_on_an_appeal_has_an_address() -> None:
    by_people = {step for step, row in appeal_lifecycle.TABLE.items() if row.by - {Role.SYSTEM}}

    assert set(APPEAL_DOORS) == by_people - {AppealStep.FILE, AppealStep.ADD_DOCUMENT}, (
        "an appeal is filed on its request, and its documents are attached with those of the request"
    )


def test_a_machine_never_reviews_nor_decides_nor_answers(cast: stage.Cast) -> None:
    queued, drafted = stage.queued(cast), stage.detected(cast)
    reviewer, staff = machine(cast.evergreen, Role.REVIEWER), machine(cast.riverside, Role.STAFF)
    staff.post(f"prior-authorizations/{drafted.public_id}/take-up/")

    with nothing_changes():
        claimed = reviewer.post(f"prior-authorizations/{queued.public_id}/claim/")
        answered = staff.patch(f"prior-authorizations/{drafted.public_id}/answers/", {"answers": {"dx.code": "M54.50"}})

    refused(claimed, 403, "reviewer-needed")
    refused(answered, 403, "person-needed")


def test_every_step_people_may_take_has_an_address() -> None:
    by_people = {step for step, row in TABLE.items() if row.by - {Role.SYSTEM}}

    assert set(DOORS) == by_people - ON_APPEAL - {Step.OPEN_BY_HAND}, (
        "a request that is opened is not there to be named"
    )
