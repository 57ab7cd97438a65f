"""Who is let in where: no stranger, no other tenant, no role that the tables do not name. Every address is tried."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse

from authz.access.roles import ALLOWED, CLINIC_ROLES, INSURER_ROLES, Action, OrganizationKind, Role
from authz.access.services import add_membership, create_person
from authz.api import urls
from authz.notifications import services as notifications
from authz.notifications.models import InboxEntry
from authz.prior_auths.services import calling
from tests import cast as stage
from tests.api.callers import (
    Caller,
    fill_body,
    machine,
    nothing_changes,
    order_body,
    organization_of,
    person,
    refused,
    score_body,
    surgery_body,
)
from tests.api.every_call import (
    LISTS,
    REPORTS,
    Call,
    administration_calls,
    licence_calls,
    policy_calls,
    recording_calls,
    tenant_calls,
    webhook_calls,
)
from tests.policies.office import an_office
from tests.receiver import Receiver

pytestmark = pytest.mark.thorough

OPEN = {"api:lifecycle", "api:regimes", "api:tokens", "api:openapi", "api:docs", "api:problems"}
"""Addresses that say nothing about anybody."""


@pytest.fixture
def told(cast: stage.Cast) -> dict[str, Any]:
    """One of everything, all of it Riverside's; returns the calls that name them."""
    patient = stage.register(cast)
    stella = person("stella")
    stella.post("prescriptions/", order_body(patient))
    stella.post("fills/", fill_body(patient))
    stella.post("exemptions/", {"patient": str(patient.public_id), "category": "cancer", "evidence": "C50.9"})
    stella.post("pain-scores/", score_body(patient))
    stella.post("surgeries/", surgery_body(patient))
    other = stage.register(cast, insured=False)
    stage.insure(cast, other, member_id=f"M-{patient.public_id}")
    case = stage.with_document(cast)
    appeal = stage.appealed(cast, stage.denied(cast), now=stage.NOW)
    call = calling.offer(prior_auth_id=stage.key_of(appeal.prior_auth), times=(), by=cast.rae, now=stage.NOW)
    return {"patient": patient, "case": case, "appeal": appeal, "call": call}


def every_address() -> Iterator[tuple[str, Any]]:
    for pattern in urls.urlpatterns:
        yield f"api:{pattern.name}", pattern.callback


def methods_of(callback: Any) -> list[str]:
    view = getattr(callback, "cls", None)
    methods = ("get", "post", "put", "patch", "delete")
    return [name.upper() for name in methods if view is not None and hasattr(view, name)]


def a_path_to(name: str) -> str:
    """Return an address of that name with ids that nothing has."""
    (pattern,) = [pattern for pattern in urls.urlpatterns if f"api:{pattern.name}" == name]
    keys = pattern.pattern.converters
    unknown = dict.fromkeys(keys, "00000000-0000-4000-8000-000000000000")
    return reverse(name, kwargs=unknown)


def test_no_address_but_the_open_ones_lets_a_stranger_in(cast: stage.Cast) -> None:
    stranger = Caller()

    tried = 0
    with nothing_changes():
        for name, callback in every_address():
            for method in methods_of(callback) if name not in OPEN else []:
                answer = stranger.client.generic(method, a_path_to(name), b"{}", content_type="application/json")
                refused(answer, 401, "not-authenticated")
                tried += 1

    assert tried >= 50


def test_the_tenant_calls_name_every_address_with_an_id(
    cast: stage.Cast, told: dict[str, Any], receiver: Receiver
) -> None:
    calls = [*tenant_calls(told), *(call for _, call in policy_calls(an_office(cast)))]
    calls += webhook_calls(cast.riverside, receiver)
    calls += [call for _, call in [*administration_calls(cast.riverside), *licence_calls()]]
    named = {f"api:{call.name}" for call in calls}
    with_id = {f"api:{pattern.name}" for pattern in urls.urlpatterns if pattern.pattern.converters}

    assert with_id - named == {"api:notice-read", "api:notice-acknowledgement", "api:catalog-policy"}


@pytest.mark.parametrize("name", ["mallory", "oscar"])
def test_another_tenant_finds_nothing_and_changes_nothing(told: dict[str, Any], name: str) -> None:
    stranger = person(name)

    with nothing_changes():
        for call in tenant_calls(told):
            answer = call.by(stranger)
            assert answer.status_code in {403, 404}, (call, answer.content)
            assert answer.json()["code"] in {"not-found", "forbidden"}
            if call.method == "GET":
                refused(answer, 404, "not-found")


@pytest.mark.parametrize("name", ["mallory", "oscar"])
def test_another_tenant_lists_nothing(told: dict[str, Any], name: str) -> None:
    stranger = person(name)

    assert [path for path in LISTS if stranger.get(f"{path}/").json()["results"]] == []


@pytest.mark.parametrize("name", ["mallory", "oscar"])
def test_another_tenant_records_nothing_about_our_patient(told: dict[str, Any], name: str) -> None:
    stranger = person(name)
    about_ours = [call for _, call in recording_calls(told) if str(told["patient"].public_id) in str(call)]

    assert len(about_ours) >= 4
    with nothing_changes():
        for call in about_ours:
            answer = call.by(stranger)
            assert answer.status_code in {403, 422}, (call, answer.content)


@pytest.mark.parametrize("role", sorted(CLINIC_ROLES | INSURER_ROLES))
def test_every_role_records_what_the_table_says_and_nothing_else(
    cast: stage.Cast, told: dict[str, Any], role: Role
) -> None:
    caller = machine(organization_of(cast, role), role)

    calls = recording_calls(told)
    must_be_forbidden([(action, call) for action, call in calls if role not in ALLOWED[action]], caller)
    for action, call in calls:
        if role in ALLOWED[action]:
            answer = call.by(caller)
            assert answer.json().get("code") != "forbidden", (call, answer.content)


def must_be_forbidden(calls: list[tuple[Action, Call]], caller: Caller) -> None:
    with nothing_changes():
        for action, call in calls:
            problem = refused(call.by(caller), 403, "forbidden")
            assert problem["detail"] == f"Your role does not allow you to {action.value}."


@pytest.mark.parametrize("role", sorted(CLINIC_ROLES | INSURER_ROLES))
def test_every_role_does_with_policies_what_the_table_says_and_nothing_else(cast: stage.Cast, role: Role) -> None:
    calls = policy_calls(an_office(cast))
    one = create_person(email="one@example.org", full_name="One", password=stage.PASSWORD)
    add_membership(person=one, organization=organization_of(cast, role), role=role)
    caller = person("one")

    must_be_forbidden([(action, call) for action, call in calls if role not in ALLOWED[action]], caller)
    for action, call in calls:
        if role in ALLOWED[action]:
            answer = call.by(caller)
            assert answer.status_code in {200, 201, 202}, (call, answer.content)


def test_every_role_reads_the_figures_that_the_table_says_and_no_others(cast: stage.Cast) -> None:
    for role in sorted(CLINIC_ROLES | INSURER_ROLES):
        caller = machine(organization_of(cast, role), role)
        for action, call in REPORTS:
            answer = call.by(caller)
            if role in ALLOWED[action]:
                assert answer.status_code == 200, (role, call, answer.content)
            else:
                problem = refused(answer, 403, "forbidden")
                assert problem["detail"] == f"Your role does not allow you to {action.value}."


def test_another_insurers_administrator_finds_no_policy_and_changes_none(cast: stage.Cast) -> None:
    office = an_office(cast)
    named = [call for _, call in policy_calls(office) if call.name.startswith("policy")]
    sue = person("sue")

    assert len(named) == 7
    with nothing_changes():
        for call in named:
            refused(call.by(sue), 404, "not-found")


@pytest.mark.parametrize("role", sorted(CLINIC_ROLES | INSURER_ROLES))
def test_only_an_administrator_manages_webhooks(cast: stage.Cast, receiver: Receiver, role: Role) -> None:
    organization = organization_of(cast, role)
    calls, caller = webhook_calls(organization, receiver), machine(organization, role)

    if role not in ALLOWED[Action.MANAGE_WEBHOOKS]:
        must_be_forbidden([(Action.MANAGE_WEBHOOKS, call) for call in calls], caller)
    else:
        assert [call.by(caller).status_code for call in calls] == [200, 201, 200, 200, 200, 202, 200, 202, 204]


def test_another_organizations_administrator_finds_no_webhook_and_changes_none(
    cast: stage.Cast, receiver: Receiver
) -> None:
    calls = [call for call in webhook_calls(cast.riverside, receiver) if call.name != "webhook-endpoints"]

    for stranger in (machine(cast.hillside, Role.CLINIC_ADMIN), machine(cast.evergreen, Role.INSURER_ADMIN)):
        with nothing_changes():
            for call in calls:
                refused(call.by(stranger), 404, "not-found")
        assert stranger.get("webhook-endpoints/").json()["results"] == []


@pytest.mark.parametrize("role", sorted(CLINIC_ROLES | INSURER_ROLES))
def test_only_an_administrator_keeps_machines_and_invites(cast: stage.Cast, role: Role) -> None:
    organization = organization_of(cast, role)
    calls, caller = administration_calls(organization), machine(organization, role)

    if role not in ALLOWED[Action.MANAGE_CLIENTS]:
        must_be_forbidden(calls, caller)
    else:
        answers = [call.by(caller).status_code for _, call in calls]
        assert answers == [200, 201, 200, 200, 200, 204, 200, 201, 200, 204, 200, 200]


def test_another_organizations_administrator_finds_no_machine_and_no_invitation(cast: stage.Cast) -> None:
    calls = [call for _, call in administration_calls(cast.riverside) if call.name in {
        "api-client", "api-client-secret", "invitation",
    }]  # fmt: skip

    for stranger in (machine(cast.hillside, Role.CLINIC_ADMIN), machine(cast.evergreen, Role.INSURER_ADMIN)):
        with nothing_changes():
            for call in calls:
                refused(call.by(stranger), 404, "not-found")
        assert stranger.get("invitations/").json()["results"] == []


def test_a_notice_is_its_readers_alone(transactional_db: None) -> None:
    cast = stage.assemble()
    stage.detected(cast)
    while notifications.fan_out_next(now=stage.later(1)):
        pass
    of_stella = InboxEntry.objects.get(person=cast.people["stella"])

    for name in ("jones", "rae", "mallory"):
        with nothing_changes():
            answer = person(name).post(f"inbox/{of_stella.public_id}/read/")
        refused(answer, 404, "not-found")


def test_each_kind_of_organization_is_tried() -> None:
    assert {kind.value for kind in OrganizationKind} == {"clinic", "insurer"}
