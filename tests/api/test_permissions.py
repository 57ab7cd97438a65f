"""Who is let in where: no stranger, no other tenant, no role that the tables do not name. Every address is tried."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from authz import clock
from authz.access.models import Organization
from authz.access.roles import ALLOWED, CLINIC_ROLES, INSURER_ROLES, Action, OrganizationKind, Role
from authz.access.services import add_membership, create_person
from authz.api import urls
from authz.api.appeal_steps import APPEAL_DOORS
from authz.api.calls import CALL_DOORS
from authz.api.prior_auth_steps import DOORS
from authz.documentation.models import Attachment
from authz.ids import PayerPolicyId, PlanId
from authz.notifications import services as notifications
from authz.notifications.models import InboxEntry
from authz.pain.models import PainScore, Surgery
from authz.prescriptions.models import Coverage, Exemption, Fill, IdentityQuestion, Patient, Prescriber, Prescription
from authz.prior_auths import appeal_lifecycle, call_lifecycle
from authz.prior_auths.appeal_lifecycle import AppealStep
from authz.prior_auths.call_lifecycle import CallState, CallStep
from authz.prior_auths.lifecycle import ON_APPEAL, TABLE, Step, is_allowed
from authz.prior_auths.models import Appeal, PriorAuth
from authz.prior_auths.services import calling
from authz.simulations import services as simulations
from tests import cast as stage
from tests.api.callers import (
    Caller,
    fill_body,
    machine,
    nothing_changes,
    order_body,
    person,
    refused,
    score_body,
    surgery_body,
)
from tests.notifications.hooks import announce_test, registered, tell
from tests.policies.documents import strict
from tests.policies.office import Office, an_office
from tests.receiver import Receiver

pytestmark = pytest.mark.thorough

OPEN = {"api:lifecycle", "api:regimes", "api:tokens", "api:openapi", "api:docs", "api:problems"}
"""Addresses that say nothing about anybody."""

UNKNOWN = "00000000-0000-4000-8000-000000000000"
REASON = {"code": "not-necessary", "text": "A shorter course is enough.", "criterion": "Clause 4"}
LIBRARY_REASON = {"code": "own", "text": "Too long.", "criterion": "7.1", "would_change": "A second opinion."}
STEP_BODIES: dict[Step, dict[str, Any]] = {
    Step.ASK_PRESCRIBER: {"question": "Please attest."},
    Step.ANSWER_PRESCRIBER: {"answers": {"pr.attest": True}},
    Step.RELEASE: {"reason": "Going home."},
    Step.GIVE_BACK: {"reason": "Another physician knows more of this."},
    Step.ASSIGN: {"person": None},
    Step.RETURN: {"missing": ["The chart note."]},
    Step.COMPLETE: {"answers": {"00000000-0000-4000-8000-000000000000": "Since March."}},
    Step.ASK: {"questions": ["Since when?"]},
    Step.ANSWER: {"answers": {"00000000-0000-4000-8000-000000000000": "Since March."}},
    Step.ANSWER_IN_PART: {"answers": {"00000000-0000-4000-8000-000000000000": "Since March."}},
    Step.ANSWER_LATE: {"answers": {"00000000-0000-4000-8000-000000000000": "Since March."}},
    Step.EXPEDITE: {"reason": "In pain."},
    Step.REFUSE_EXPEDITED: {"reason": "Not urgent."},
    Step.EXTEND: {"reason": "An expert is asked."},
    Step.REFER: {"reason": "Cannot approve in full."},
    Step.APPROVE_IN_PART: {
        "grants": [{"line": 1, "days": 1, "starts_on": "2025-03-03", "ends_on": "2025-03-03"}],
        "reason": REASON,
    },
    Step.DENY: {"reason": REASON},
    Step.WITHDRAW: {"reason": "No longer needed."},
    Step.REASSIGN: {"person": "00000000-0000-4000-8000-000000000000", "reason": "Going home."},
    Step.FORWARD: {"reason": "IRE-1"},
    Step.DISMISS: {"code": "not_a_member", "reason": "Left in May."},
    Step.PROPOSE_VOID: {"reason": "Wrong patient."},
    Step.VOID: {"reason": "Wrong patient."},
    Step.REOPEN: {"code": "clerical_error", "reason": "A slip."},
}
APPEAL_BODIES: dict[AppealStep, dict[str, Any]] = {
    AppealStep.RELEASE: {"reason": "Going home."},
    AppealStep.UPHOLD: {"reason": REASON},
    AppealStep.OVERTURN: {"reason": "The criteria are met."},
    AppealStep.OVERTURN_IN_PART: STEP_BODIES[Step.APPROVE_IN_PART],
    AppealStep.DISMISS: {"code": "not_a_party", "reason": "Who?"},
    AppealStep.WITHDRAW: {"reason": "No longer pursued."},
    AppealStep.FORWARD: {"reason": "IRE-1"},
}
TIMES = {"times": ["2199-01-02T15:00:00Z"]}
CHOICE = {"time": "00000000-0000-4000-8000-000000000000"}
CALL_BODIES: dict[CallStep, dict[str, Any]] = {
    CallStep.OFFER_TIMES: TIMES,
    CallStep.PROPOSE_TIMES: TIMES,
    CallStep.ACCEPT: CHOICE,
    CallStep.CONFIRM: CHOICE,
    CallStep.DECLINE: {"reason": "No need."},
    CallStep.CONCLUDE: {"outcome": "not_held", "reason": "Nobody came."},
}


@dataclass(frozen=True)
class Call:
    """One request to one address. `path` may hold an id that only its tenant knows."""

    name: str
    method: str
    path: str
    body: Any = None

    def by(self, caller: Caller) -> Any:
        if self.method == "GET":
            return caller.get(self.path)
        if self.method == "DELETE":
            return caller.delete(self.path)
        if self.method == "PATCH":
            return caller.patch(self.path, self.body)
        if self.method == "PUT":
            return caller.send("PUT", self.path, json.dumps(self.body))
        edition = None if self.name == "policy-retirement" else '"1"'
        return caller.post(self.path, self.body, key=f"k-{self.name}", if_match=edition)


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


def tenant_calls(told: dict[str, Any]) -> list[Call]:
    """Return a call to every address that names a row of a tenant, or that records something about its patient."""
    patient: Patient = told["patient"]
    case, own = told["case"], str(patient.public_id)
    here, appeal = f"prior-authorizations/{case.public_id}/", f"appeals/{told['appeal'].public_id}/"
    call = f"peer-to-peer/{told['call'].public_id}/"
    fill, order = Fill.objects.filter(patient=patient).get(), Prescription.objects.get()
    exemption, coverage = Exemption.objects.get(), Coverage.objects.filter(patient=patient).get()
    question, attachment = IdentityQuestion.objects.get(), Attachment.objects.get()
    score, surgery = PainScore.objects.get(), Surgery.objects.get()
    return [
        Call("plan-policies", "GET", f"plans/{case.coverage.plan.public_id}/policies/"),
        Call("patient", "GET", f"patients/{own}/"),
        Call("opioid-use", "GET", f"patients/{own}/opioid-use/"),
        Call("opioid-use-changes", "GET", f"patients/{own}/opioid-use/changes/?from=2025-01-01"),
        Call("pain-signal", "GET", f"patients/{own}/pain-signal/"),
        Call("timeline", "GET", f"patients/{own}/timeline/"),
        Call("disclosures", "GET", f"patients/{own}/disclosures/"),
        Call("pain-score", "GET", f"pain-scores/{score.public_id}/"),
        Call("pain-score-in-error", "POST", f"pain-scores/{score.public_id}/entered-in-error/"),
        Call("surgery", "GET", f"surgeries/{surgery.public_id}/"),
        Call("surgery-in-error", "POST", f"surgeries/{surgery.public_id}/entered-in-error/"),
        Call("coverage", "GET", f"coverages/{coverage.public_id}/"),
        Call("prescriber", "GET", f"prescribers/{Prescriber.objects.get().public_id}/"),
        Call("prescription", "GET", f"prescriptions/{order.public_id}/"),
        Call("cancellation", "POST", f"prescriptions/{order.public_id}/cancellation/"),
        Call("fill", "GET", f"fills/{fill.public_id}/"),
        Call("reversal", "POST", f"fills/{fill.public_id}/reversal/"),
        Call("exemption", "GET", f"exemptions/{exemption.public_id}/"),
        Call("exemption-withdrawal", "POST", f"exemptions/{exemption.public_id}/withdrawal/"),
        Call("identity-answer", "POST", f"identity-questions/{question.public_id}/answer/", {"is_same": True}),
        Call("prior-auth", "GET", here),
        Call("answers", "GET", f"{here}answers/"),
        Call("answers", "PATCH", f"{here}answers/", {"answers": {"dx.code": "M54.50"}}),
        Call("events", "GET", f"{here}events/"),
        Call("request-calls", "GET", f"{here}peer-to-peer/"),
        Call("request-calls", "POST", f"{here}peer-to-peer/"),
        Call("call", "GET", call),
        *(
            Call(f"call-{door.address}", "POST", f"{call}{door.address}/", CALL_BODIES[step])
            for step, door in CALL_DOORS.items()
        ),
        Call("request-appeals", "GET", f"{here}appeals/"),
        Call("request-appeals", "POST", f"{here}appeals/", {"reason": "Too short."}),
        Call("appeal", "GET", appeal),
        Call("appeal-events", "GET", f"{appeal}events/"),
        Call("appeal-letter", "GET", f"{appeal}letter/"),
        *(
            Call(f"appeal-{door.address}", "POST", f"{appeal}{door.address}/", APPEAL_BODIES.get(step))
            for step, door in APPEAL_DOORS.items()
        ),
        Call("heartbeat", "POST", f"{here}heartbeat/"),
        Call("skip", "POST", f"{here}skip/", {"reason": "Too hard."}),
        Call("second-reading", "POST", f"second-readings/{UNKNOWN}/", {"finding": "agrees"}),
        Call("questionnaire", "GET", f"{here}questionnaire/"),
        Call("attachments", "GET", f"{here}attachments/"),
        Call("attachments", "POST", f"{here}attachments/"),
        Call("attachment-content", "GET", f"{here}attachments/{attachment.public_id}/content/"),
        Call("attachment-removal", "POST", f"{here}attachments/{attachment.public_id}/removal/"),
        Call("packet", "GET", f"{here}packet/"),
        Call("letter", "GET", f"{here}determinations/{UNKNOWN}/letter/"),
        *(
            Call(f"step-{door.address}", "POST", f"{here}{door.address}/", STEP_BODIES.get(step))
            for step, door in DOORS.items()
        ),
    ]


def recording_calls(told: dict[str, Any]) -> list[tuple[Action, Call]]:
    """Return a call to every address that records something, with the action it takes."""
    patient: Patient = told["patient"]
    own = str(patient.public_id)
    fill, order, exemption = (
        Fill.objects.filter(patient=patient).get(),
        Prescription.objects.get(),
        Exemption.objects.get(),
    )
    score, surgery = PainScore.objects.get(), Surgery.objects.get()
    coverage = {"patient": own, "payer_name": "Faraway", "member_id": "X-1", "starts_on": "2025-01-01"}
    registered = {"identifier": "N-1", "family_name": "Roe", "given_name": "Sam", "birth_date": "1980-01-01"}
    return [
        (Action.RECORD_PATIENT, Call("patients", "POST", "patients/", registered)),
        (Action.RECORD_COVERAGE, Call("coverages", "POST", "coverages/", coverage)),
        (
            Action.RECORD_PRESCRIBER,
            Call("prescribers", "POST", "prescribers/", {"npi": "1003000126", "family_name": "A", "given_name": "B"}),
        ),
        (
            Action.RECORD_PRESCRIPTION,
            Call("prescriptions", "POST", "prescriptions/", order_body(patient, identifier="n")),
        ),
        (Action.RECORD_PRESCRIPTION, Call("cancellation", "POST", f"prescriptions/{order.public_id}/cancellation/")),
        (
            Action.READ_A_SECOND_TIME,
            Call("second-reading", "POST", f"second-readings/{UNKNOWN}/", {"finding": "agrees"}),
        ),
        (Action.DECIDE_POLICIES, Call("reasons", "POST", "reasons/", LIBRARY_REASON)),
        (Action.RECORD_FILL, Call("fills", "POST", "fills/", fill_body(patient, identifier="n1"))),
        (
            Action.RECORD_FILL,
            Call("fill-batch", "POST", "fills/batch/", {"items": [fill_body(patient, identifier="n2")]}),
        ),
        (Action.RECORD_FILL, Call("reversal", "POST", f"fills/{fill.public_id}/reversal/")),
        (
            Action.RECORD_EXEMPTION,
            Call("exemptions", "POST", "exemptions/", {"patient": own, "category": "ltc", "evidence": "Resident."}),
        ),
        (
            Action.RECORD_EXEMPTION,
            Call("exemption-withdrawal", "POST", f"exemptions/{exemption.public_id}/withdrawal/"),
        ),
        (Action.RECORD_PAIN_SCORE, Call("pain-scores", "POST", "pain-scores/", score_body(patient, identifier="n3"))),
        (
            Action.RECORD_PAIN_SCORE,
            Call("pain-score-in-error", "POST", f"pain-scores/{score.public_id}/entered-in-error/"),
        ),
        (Action.RECORD_SURGERY, Call("surgeries", "POST", "surgeries/", surgery_body(patient, identifier="n4"))),
        (Action.RECORD_SURGERY, Call("surgery-in-error", "POST", f"surgeries/{surgery.public_id}/entered-in-error/")),
        (
            Action.CHANGE_CLINIC_SETTINGS,
            Call("clinic-settings", "PATCH", "organizations/me/settings/", {"pain_signal": True}),
        ),
    ]


def policy_calls(office: Office) -> list[tuple[Action, Call]]:
    """Return a call to every address of policies that is not open to all, with the action it takes."""
    draft, other = office.drafted(), office.drafted(strict(code="other"))
    active = office.active(strict(code="third"))
    plan = {"code": "P", "name": "P", "policy": "default", "regime": "generic"}
    retired = {"retired_on": "2100-01-01"}
    decide = Action.DECIDE_POLICIES
    wish = {"since": "2025-01-01", "until": "2025-01-31", "plans": [str(office.cast.plan.public_id)]}
    asked = simulations.ask(
        policy_id=PayerPolicyId(draft.public_id),
        since=date(2025, 1, 1),
        until=date(2025, 1, 31),
        plans=[PlanId(office.cast.plan.public_id)],
        by=office.ada,
        now=stage.NOW,
    )
    path = f"policies/{draft.public_id}/simulations/"
    return [
        (Action.READ_POLICIES, Call("policy-simulations", "GET", path)),
        (Action.READ_POLICIES, Call("policy-simulation", "GET", f"{path}{asked.public_id}/")),
        (decide, Call("policy-simulations", "POST", path, wish)),
        (Action.READ_POLICIES, Call("policies", "GET", "policies/")),
        (Action.READ_POLICIES, Call("policy", "GET", f"policies/{draft.public_id}/")),
        (decide, Call("policies", "POST", "policies/", strict(version="2"))),
        (decide, Call("policy", "PUT", f"policies/{other.public_id}/", strict(code="other", notes=[]))),
        (decide, Call("policy-activation", "POST", f"policies/{draft.public_id}/activate/")),
        (decide, Call("policy-retirement", "POST", f"policies/{active.public_id}/retire/", retired)),
        (decide, Call("plans", "POST", "plans/", plan)),
    ]


def webhook_calls(organization: Organization, receiver: Receiver) -> list[Call]:
    """Return a call to every address of webhooks, which name an endpoint of the organization and a delivery to it."""
    endpoint = registered(organization, receiver)
    announce_test(endpoint)
    tell()
    here, delivery = f"webhook-endpoints/{endpoint.public_id}/", endpoint.deliveries.latest("pk")
    return [
        Call("webhook-endpoints", "GET", "webhook-endpoints/"),
        Call("webhook-endpoints", "POST", "webhook-endpoints/", {"url": receiver.url}),
        Call("webhook-endpoint", "GET", here),
        Call("webhook-endpoint", "PATCH", here, {"description": "Ours"}),
        Call("webhook-secret", "POST", f"{here}rotate-secret/"),
        Call("webhook-test", "POST", f"{here}test/"),
        Call("webhook-deliveries", "GET", f"{here}deliveries/"),
        Call("webhook-replay", "POST", f"webhook-deliveries/{delivery.public_id}/replay/"),
        Call("webhook-endpoint", "DELETE", here),
    ]


def administration_calls(organization: Organization) -> list[tuple[Action, Call]]:
    """Return a call to every address of machines and invitations of the organization, with the action it takes."""
    role = Role.CLINIC_ADMIN if organization.kind == OrganizationKind.CLINIC.value else Role.INSURER_ADMIN
    admin = machine(organization, role)
    client = admin.post("api-clients/", {"name": "Ours", "roles": [role.value]}).json()["id"]
    guest = {"email": "guest@example.org", "roles": [role.value]}
    invited = admin.post("invitations/", guest).json()["id"]
    return [
        (Action.MANAGE_CLIENTS, Call("api-clients", "GET", "api-clients/")),
        (Action.MANAGE_CLIENTS, Call("api-clients", "POST", "api-clients/", {"name": "X", "roles": [role.value]})),
        (Action.MANAGE_CLIENTS, Call("api-client", "GET", f"api-clients/{client}/")),
        (Action.MANAGE_CLIENTS, Call("api-client", "PATCH", f"api-clients/{client}/", {"scopes": ["system/*.r"]})),
        (Action.MANAGE_CLIENTS, Call("api-client-secret", "POST", f"api-clients/{client}/rotate-secret/", {})),
        (Action.MANAGE_CLIENTS, Call("api-client", "DELETE", f"api-clients/{client}/")),
        (Action.MANAGE_PEOPLE, Call("invitations", "GET", "invitations/")),
        (Action.MANAGE_PEOPLE, Call("invitations", "POST", "invitations/", guest)),
        (Action.MANAGE_PEOPLE, Call("invitation", "GET", f"invitations/{invited}/")),
        (Action.MANAGE_PEOPLE, Call("invitation", "DELETE", f"invitations/{invited}/")),
        (Action.READ_EMERGENCIES, Call("emergency-access", "GET", "emergency-access/")),
        (Action.READ_AUDIT, Call("audit-entries", "GET", "audit-entries/")),
    ]


DAYS = "since=2025-03-01&until=2025-03-31"
LATELY = f"since={clock.now().date()}&until={clock.now().date()}"
REPORTS = [
    (Action.READ_METRICS, Call("metrics", "GET", f"metrics/?{DAYS}")),
    (Action.READ_METRICS, Call("counted-requests", "GET", f"metrics/requests/?{DAYS}&figure=denied")),
    (Action.READ_METRICS, Call("aging", "GET", "aging/")),
    (Action.READ_PRODUCTIVITY, Call("productivity", "GET", f"productivity/?{DAYS}")),
    (Action.READ_MESSAGE_BURDEN, Call("message burden", "GET", f"message-burden/?{LATELY}")),
]

LISTS = [
    "patients", "coverages", "prescribers", "prescriptions", "fills", "exemptions", "prior-authorizations", "inbox",
    "identity-questions", "pain-scores", "surgeries", "appeals",
]  # fmt: skip


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
    calls += [call for _, call in administration_calls(cast.riverside)]
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


def organization_of(cast: stage.Cast, role: Role) -> Any:
    return cast.riverside if role in CLINIC_ROLES else cast.evergreen


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
    may = role in call_lifecycle.TABLE[CallStep.OFFER].by
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
