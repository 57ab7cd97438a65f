"""A call to every address that names a row or records something, with a body that is right and the action it takes."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from authz import clock
from authz.access.models import Licence, Organization
from authz.access.roles import Action, OrganizationKind, Role
from authz.api.appeal_steps import APPEAL_DOORS
from authz.api.calls import CALL_DOORS
from authz.api.prior_auth_steps import DOORS
from authz.documentation.models import Attachment
from authz.ids import PayerPolicyId, PlanId
from authz.pain.models import PainScore, Surgery
from authz.prescriptions.models import Coverage, Exemption, Fill, IdentityQuestion, Patient, Prescriber, Prescription
from authz.prior_auths.appeal_lifecycle import AppealStep
from authz.prior_auths.call_lifecycle import CallStep
from authz.prior_auths.lifecycle import Step
from authz.simulations import services as simulations
from tests import cast as stage
from tests.api.callers import Caller, fill_body, machine, order_body, score_body, surgery_body
from tests.notifications.hooks import announce_test, registered, tell
from tests.policies.documents import strict
from tests.policies.office import Office
from tests.receiver import Receiver

UNKNOWN = "00000000-0000-4000-8000-000000000000"
REASON = {"code": "not-necessary", "text": "A shorter course is enough.", "criterion": "Clause 4"}
LICENCE = {
    "email": "patel@example.org",
    "number": "MD-77",
    "state": "NJ",
    "profession": "physician",
    "specialty": "Pain medicine",
    "valid_from": "2024-01-01",
    "valid_until": "2026-12-31",
}
CONTACT = {"postal_address": "Evergreen Health\nAlbany, NY 12201", "phone": "1-800-555-0142"}
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
    Step.RECORD_INDEPENDENT_REVIEW: {
        "outcome": "upheld",
        "decided_on": "2025-03-03",
        "reference": "IRE-1",
        "reason": "The file does not show the need.",
    },
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
        *licence_calls(),
        (Action.CHANGE_CONTACT, Call("contact", "PUT", "organizations/me/contact/", CONTACT)),
    ]


def licence_calls() -> list[tuple[Action, Call]]:
    """Return a call to every address of licences, with the action it takes."""
    path, of_patel = "organizations/me/licences/", Licence.objects.get(number="MD-1001").public_id
    calls = [
        Call("licences", "GET", path),
        Call("licences", "POST", path, LICENCE),
        Call("licence", "GET", f"{path}{of_patel}/"),
        Call("licence", "PATCH", f"{path}{of_patel}/", {"valid_until": "2031-01-01"}),
    ]
    return [(Action.MANAGE_LICENCES, call) for call in calls]


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
