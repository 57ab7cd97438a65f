"""One of everything that belongs to somebody, all of it Riverside's or Evergreen's, nothing Hillside's or Summit's."""

from collections.abc import Iterator
from datetime import date

from django.apps import apps
from django.db.models import Model

from authz.access import services as access
from authz.access.machines import services as machines
from authz.access.models import SeenAssertion
from authz.access.roles import Role
from authz.administration.services import invitations
from authz.api.models import IdempotentAnswer
from authz.audit import services as audit
from authz.documentation.services import files
from authz.ids import AppealId, DeterminationId, PatientId, PayerPolicyId, PlanId
from authz.notifications import services as notifications
from authz.notifications.channels.webhook.models import WebhookEndpoint, WebhookSecret
from authz.notifications.wishes import services as wishes
from authz.policies import services as policies
from authz.policies.reasons import LibraryReason
from authz.prescriptions.emergency import services as emergency
from authz.prescriptions.facts import ExemptionFacts
from authz.prescriptions.models import Patient
from authz.prior_auths.appeal_lifecycle import AppealOutcome
from authz.prior_auths.determination import Reason, SecondFinding
from authz.prior_auths.models import Breach, Determination, PriorAuth
from authz.prior_auths.services import (
    absences,
    appeal_decisions,
    appealing,
    automation,
    calling,
    documents,
    independent_review,
    intake,
    papers,
    questions,
    queue,
    rechecking,
    second_readings,
)
from authz.rules.records import ExemptionCategory
from authz.simulations import services as simulations
from tests import cast as stage
from tests.cast import NOW, TODAY, Cast, key_of, later
from tests.imports import builders as fhir
from tests.imports.intake import take
from tests.notifications.stage import drain
from tests.pain import stage as pain
from tests.prior_auths.test_approval_by_rule import automated

REASON = Reason(code="not-necessary", text="Seven days are enough after this procedure.", criterion="Policy 3.2")


def fill_the_house(cast: Cast) -> None:
    """Have Riverside and Evergreen do all there is to do."""
    _patients(cast)
    _payer(cast)
    decided = _decided(cast)
    _after_a_decision(cast, decided)
    _questions_and_queue(cast)
    _people_and_machines(cast)
    _told(cast)


def owned() -> Iterator[type[Model]]:
    """Yield every model and every table between two models."""
    yield from apps.get_app_config("authz").get_models(include_auto_created=True)


def _patients(cast: Cast) -> None:
    patient = pain.hinted(cast).patient
    pain.surgery(cast, patient, days_ago=20)
    key = PatientId(patient.public_id)
    intake.record_prescription(patient_id=key, facts=stage.order_facts(5), by=cast.stella, now=NOW)
    excused = ExemptionFacts(
        category=ExemptionCategory.CANCER, starts_on=date(2020, 1, 1), ends_on=date(2020, 2, 1), evidence="C50.9"
    )
    intake.record_exemption(patient_id=key, facts=excused, by=cast.stella, now=NOW)
    # The same member number once more: somebody must say whether the two are one.
    stage.insure(cast, stage.register(cast, insured=False), member_id=f"M-{patient.public_id}")
    take(fhir.ndjson(fhir.patient(), fhir.dispensing(of=2)), by=cast.stella)
    unknown = stage.register(cast, by=cast.ivy, insured=False)
    stage.insure(cast, unknown, by=cast.ivy, member_id="M-EMERGENCY")
    emergency.open_record(
        plan_id=PlanId(cast.plan.public_id),
        member_id="M-EMERGENCY",
        birth_date=date(1970, 5, 5),
        reason="Unconscious in our emergency room.",
        by=cast.jones,
        now=NOW,
    )
    rechecking.ask_for(patients=Patient.objects.filter(pk=patient.pk), now=NOW)


def _payer(cast: Cast) -> None:
    automated(cast)
    policy = cast.evergreen.payer_policies.get()
    simulations.ask(
        policy_id=PayerPolicyId(policy.public_id),
        since=date(2025, 1, 1),
        until=date(2025, 1, 31),
        plans=[PlanId(cast.plan.public_id)],
        by=cast.nora,
        now=NOW,
    )
    own = LibraryReason(code="own", text="Too long.", criterion="7.1", would_change="A second opinion.")
    policies.record_reason(reason=own, by=cast.nora, now=NOW)


def _decided(cast: Cast) -> PriorAuth:
    """Approve one by rule, have that read a second time, and deny another that came with a document."""
    stage.queued(cast)
    automation.approve_by_rule(now=later(1))
    by_rule = DeterminationId(Determination.objects.get().public_id)
    second_readings.read(determination_id=by_rule, finding=SecondFinding.AGREES, by=cast.rae, now=later(2))
    cast.plan.regime = "part_d"
    cast.plan.save()
    return stage.denied(cast)


def _after_a_decision(cast: Cast, denied: PriorAuth) -> None:
    letter = denied.determinations.get().public_id
    papers.letter_file(prior_auth_id=key_of(denied), determination_id=letter, by=cast.stella, now=NOW)
    uma = stage.appeal_reviewer(cast)
    appeal = stage.appeal_in_review(cast, denied, by=uma, now=NOW)
    report = files.inspect(content=b"Report of the operation.")
    documents.attach(
        prior_auth_id=key_of(denied), file=report, title="Report", appeal_id=AppealId(appeal.public_id),
        by=cast.stella, now=NOW,
    )  # fmt: skip
    appeal_decisions.uphold(appeal_id=AppealId(appeal.public_id), reason=REASON, by=uma, now=NOW)
    appealing.forward(appeal_id=AppealId(appeal.public_id), reason="IRE-1", by=cast.ivy, now=NOW)
    independent_review.record_independent_review(
        prior_auth_id=key_of(denied), outcome=AppealOutcome.UPHELD, decided_on=stage.TODAY, reference="1-23",
        reason="The file does not show the need.", by=cast.ivy, now=NOW,
    )  # fmt: skip
    Breach.objects.create(prior_auth=denied, kind="decide_by", due_at=NOW, noted_at=later(1))


def _questions_and_queue(cast: Cast) -> None:
    asked = stage.with_document(cast)
    queue.claim(prior_auth_id=key_of(asked), by=cast.rae, now=NOW)
    questions.ask(prior_auth_id=key_of(asked), questions=["Since when?"], by=cast.rae, now=NOW)
    assert asked.answers is not None
    asked.information_requests.get().documents.set(asked.answers.attachments.all())
    calling.offer(prior_auth_id=key_of(asked), times=[later(24)], by=cast.rae, now=NOW)
    passed_over = stage.queued(cast)
    queue.skip(prior_auth_id=key_of(passed_over), reason="Not mine.", by=cast.rae, now=NOW)
    absences.be_away(starts_at=later(24), ends_at=later(48), by=cast.rae, now=NOW)


def _people_and_machines(cast: Cast) -> None:
    tess = stage.colleague(cast)
    superior, stella = cast.people["jones"], cast.people["stella"]
    access.set_superior(person=stella, organization=cast.riverside, superior=superior)
    client, secret = machines.create_client(organization=cast.riverside, name="Feed", roles={Role.STAFF})
    machines.issue_for_secret(client_id=str(client.public_id), client_secret=secret, scope=None, now=NOW)
    SeenAssertion.objects.create(client=client, jti_sha256="0", expires_at=NOW)
    admin = stage.with_role(cast.stella, Role.CLINIC_ADMIN)
    invitations.invite(email="new@example.org", roles={Role.STAFF}, by=admin, now=NOW)
    colleague = type(stella).objects.get(pk=tess.person_id).public_id
    cover = wishes.CoverIn(colleague=colleague, starts_on=TODAY, ends_on=TODAY)
    stands_in: wishes.Changes = {"delegate": colleague, "covers": [cover]}
    wishes.change(changes=stands_in, by=cast.stella, now=NOW)
    wishes.change(changes={"digest_hour": 7}, by=cast.jones, now=NOW)
    IdempotentAnswer.objects.create(
        caller="client:1", key="k", request_sha256="0", body={}, answered_at=NOW, tenant=cast.riverside.pk
    )


def _told(cast: Cast) -> None:
    """Have everybody hear of it, a system too, and nobody act in time."""
    hook = WebhookEndpoint.objects.create(organization=cast.riverside, url="https://hook.example/", registered_at=NOW)
    WebhookSecret.objects.create(endpoint=hook, sealed="sealed")
    drain(later(1))
    notifications.escalate_due(now=later(200))
    audit.make_root(whose=cast.riverside.pk, tell=lambda _root: None)
