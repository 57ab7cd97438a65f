"""The cast. Every builder calls the product's services, so nobody is ever in an impossible state.

Riverside is Dr Jones's clinic, where Stella is on the staff. Evergreen insures; Ivy takes in what arrives,
Rae reviews, Dr Patel is its licensed physician, and Nora administers. Mallory belongs to Hillside, another clinic, and
Oscar to Summit, another insurer: they see nothing.
"""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from uuid import UUID

from authz.access import selectors as access_selectors
from authz.access import services as access
from authz.access.models import Organization, Person
from authz.access.roles import Actor, OrganizationKind, Role
from authz.documentation.services import files
from authz.ids import AppealId, PatientId, PlanId, PriorAuthId
from authz.policies.models import Plan
from authz.policies.services import create_plan
from authz.prescriptions.facts import CoverageFacts, FillFacts, PatientFacts, PrescriptionFacts
from authz.prescriptions.models import Fill, Patient, Prescriber
from authz.prescriptions.services import RecordOutcome, record_prescriber
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.determination import Reason
from authz.prior_auths.models import Appeal, PriorAuth
from authz.prior_auths.services import appealing, determinations, documents, intake, questions, queue, request
from tests.kept import Kept

NOW = datetime(2025, 3, 3, 15, 0, tzinfo=UTC)
TODAY = date(2025, 3, 3)
PASSWORD = "a long enough password"
OXYCODONE_5 = "1049621"
JONES_NPI = "1234567893"

_numbers = count(1)


@dataclass(frozen=True)
class Cast:
    """Everyone, as actors and as people. `plan` is Evergreen's only plan."""

    riverside: Organization
    hillside: Organization
    evergreen: Organization
    summit: Organization
    plan: Plan
    jones: Actor
    stella: Actor
    rae: Actor
    patel: Actor
    mallory: Actor
    oscar: Actor
    ivy: Actor
    nora: Actor
    people: dict[str, Person]
    prescriber: Prescriber


def assemble() -> Cast:
    """Bring the cast on stage; needs an empty database."""
    return _KEPT.again()


def _assemble() -> Cast:
    clinic, insurer = OrganizationKind.CLINIC, OrganizationKind.INSURER
    zone = "America/New_York"
    riverside = access.create_organization(
        kind=clinic, name="Riverside Clinic", time_zone=zone, identifier_system="urn:example:riverside"
    )
    hillside = access.create_organization(kind=clinic, name="Hillside Clinic", time_zone=zone)
    evergreen = access.create_organization(kind=insurer, name="Evergreen Health", time_zone=zone)
    summit = access.create_organization(kind=insurer, name="Summit Mutual", time_zone=zone)
    people: dict[str, Person] = {}

    def actor(name: str, full_name: str, organization: Organization, *roles: Role) -> Actor:
        person = access.create_person(email=f"{name}@example.org", full_name=full_name, password=PASSWORD)
        for role in roles:
            access.add_membership(person=person, organization=organization, role=role)
        people[name] = person
        return access_selectors.actor_for(person=person, organization=organization)

    jones = actor("jones", "Dr Jones", riverside, Role.PRESCRIBER)
    stella = actor("stella", "Stella Marsh", riverside, Role.STAFF)
    rae = actor("rae", "Rae Quinn", evergreen, Role.REVIEWER)
    patel = actor("patel", "Dr Patel", evergreen, Role.PHYSICIAN)
    mallory = actor("mallory", "Mallory Voss", hillside, Role.STAFF, Role.PRESCRIBER)
    oscar = actor("oscar", "Oscar Flint", summit, Role.REVIEWER, Role.INTAKE)
    access.record_licence(
        person=people["patel"],
        number="MD-1001",
        state="NY",
        specialty="Pain medicine",
        valid_from=date(2020, 1, 1),
        valid_until=date(2030, 12, 31),
    )
    prescriber, _ = record_prescriber(npi=JONES_NPI, family_name="Jones", given_name="Ida", by=stella, now=NOW)
    prescriber.person = people["jones"]
    prescriber.save()
    plan = create_plan(insurer=evergreen, code="EV-PPO", name="Evergreen PPO")
    ivy = actor("ivy", "Ivy Lund", evergreen, Role.INTAKE)
    nora = actor("nora", "Nora Brook", evergreen, Role.INSURER_ADMIN)
    return Cast(
        riverside=riverside,
        hillside=hillside,
        evergreen=evergreen,
        summit=summit,
        plan=plan,
        jones=jones,
        stella=stella,
        rae=rae,
        patel=patel,
        mallory=mallory,
        oscar=oscar,
        ivy=ivy,
        nora=nora,
        people=people,
        prescriber=prescriber,
    )


_KEPT = Kept(_assemble)


def colleague(cast: Cast) -> Actor:
    """Return Tess, who joins Riverside's staff when she is needed: the fewer people, the fewer hear of everything."""
    tess = access.create_person(email="tess@example.org", full_name="Tess Ito", password=PASSWORD)
    access.add_membership(person=tess, organization=cast.riverside, role=Role.STAFF)
    return access_selectors.actor_for(person=tess, organization=cast.riverside)


def register(
    cast: Cast,
    *,
    by: Actor | None = None,
    mrn: str | None = None,
    member_id: str = "",
    birth_date: date = date(1970, 5, 5),
    insured: bool = True,
) -> Patient:
    """Register a patient at the actor's clinic (Stella's unless said), insured by Evergreen unless said."""
    facts = PatientFacts(
        identifier=mrn or f"MRN-{next(_numbers):05d}",
        family_name="Doe",
        given_name="Pat",
        birth_date=birth_date,
        plan_id=PlanId(cast.plan.public_id) if member_id else None,
        member_id=member_id,
    )
    patient, _ = intake.register_patient(facts=facts, by=by or cast.stella, now=NOW)
    if insured:
        insure(cast, patient, by=by)
    return patient


def insure(cast: Cast, patient: Patient, *, by: Actor | None = None, member_id: str | None = None) -> None:
    """Cover a patient by Evergreen since 2024."""
    facts = CoverageFacts(
        plan_id=PlanId(cast.plan.public_id),
        member_id=member_id or f"M-{patient.public_id}",
        starts_on=date(2024, 1, 1),
        ends_on=None,
    )
    intake.record_coverage(patient_id=PatientId(patient.public_id), facts=facts, by=by or cast.stella, now=NOW)


def fill_facts(days: int | None, *, on: date = TODAY, identifier: str | None = None, **other: object) -> FillFacts:
    """Return a dispensing of oxycodone 5 mg, four a day."""
    facts: dict[str, object] = {
        "identifier": identifier or f"F-{next(_numbers):05d}",
        "starts_on": on,
        "rxcui": OXYCODONE_5,
        "quantity": Decimal(4 * days) if days and days > 0 else None,
        "days_supply": days,
        "fill_number": 0,
        "prescriber_npi": JONES_NPI,
    }
    return FillFacts(**(facts | other))  # type: ignore[arg-type]


def order_facts(days: int, *, on: date = TODAY, identifier: str | None = None, **other: object) -> PrescriptionFacts:
    """Return a written order of oxycodone 5 mg, four a day."""
    facts: dict[str, object] = {
        "identifier": identifier or f"RX-{next(_numbers):05d}",
        "starts_on": on,
        "rxcui": OXYCODONE_5,
        "quantity": Decimal(4 * days),
        "days_supply": days,
        "prescriber_npi": JONES_NPI,
    }
    return PrescriptionFacts(**(facts | other))  # type: ignore[arg-type]


def fill(
    cast: Cast, patient: Patient, days: int | None, *, by: Actor | None = None, now: datetime = NOW, **other: object
) -> tuple[Fill, RecordOutcome]:
    """Record a dispensing of so many days."""
    facts = fill_facts(days, **other)  # type: ignore[arg-type]
    row, outcome = intake.record_fill(
        patient_id=PatientId(patient.public_id), facts=facts, by=by or cast.stella, now=now
    )
    assert isinstance(row, Fill)
    return row, outcome


def detected(cast: Cast) -> PriorAuth:
    """Return a request the service has just opened: ten days dispensed today."""
    patient = register(cast)
    fill(cast, patient, 10)
    return PriorAuth.objects.get(patient=patient)


ANSWERS: dict[str, str | bool] = {
    "ex.reason": "none",
    "dx.code": "M54.50",
    "pain.type": "post-surgical",
    "pain.why_longer": "Second operation on the same joint last week.",
    "pdmp.checked": True,
    "benzo.concurrent": False,
    "plan.followup": "2025-03-10",
}


def drafted(cast: Cast, *, now: datetime = NOW, prior_auth: PriorAuth | None = None) -> PriorAuth:
    """Return a request, of ten days unless one is given, that Stella has taken up and answered, and Dr Jones has
    attested, at that instant."""
    prior_auth = prior_auth or detected(cast)
    key = PriorAuthId(prior_auth.public_id)
    prior_auth = request.take_up(prior_auth_id=key, by=cast.stella, now=now)
    assert prior_auth.answers is not None
    known = dict(prior_auth.answers.answers.values_list("question", "value"))
    request.answer_questions(prior_auth_id=key, answers={**known, **ANSWERS}, by=cast.stella, now=now)
    request.ask_prescriber(prior_auth_id=key, question="Please attest.", by=cast.stella, now=now)
    return request.answer_prescriber(prior_auth_id=key, answers={"pr.attest": True}, by=cast.jones, now=now)


def queued(cast: Cast, *, now: datetime = NOW) -> PriorAuth:
    """Return a request that the insurer has received."""
    return request.submit(prior_auth_id=PriorAuthId(drafted(cast, now=now).public_id), by=cast.stella, now=now)


def with_document(cast: Cast) -> PriorAuth:
    """Return a request that the insurer has received with a document."""
    key = PriorAuthId(drafted(cast).public_id)
    note = files.inspect(content=b"Note of the visit.")
    documents.attach(prior_auth_id=key, file=note, title="Note", shows=["dx.code"], by=cast.stella, now=NOW)
    return request.submit(prior_auth_id=key, by=cast.stella, now=NOW)


def incomplete(cast: Cast) -> PriorAuth:
    """Return a request that Ivy has returned: something is missing, and its regime's clock waits for it."""
    cast.plan.regime = "california"
    cast.plan.save()
    key = PriorAuthId(queued(cast).public_id)
    return questions.return_incomplete(prior_auth_id=key, missing=["The chart note."], by=cast.ivy, now=NOW)


def approved(cast: Cast) -> PriorAuth:
    """Return a request that Rae has approved as asked."""
    return determinations.approve(prior_auth_id=PriorAuthId(in_review(cast).public_id), by=cast.rae, now=NOW)


def denied(cast: Cast) -> PriorAuth:
    """Return a request that Dr Patel has denied."""
    reason = Reason(code="not-necessary", text="Seven days are enough after this procedure.", criterion="Policy 3.2")
    key = PriorAuthId(in_clinical_review(cast).public_id)
    return determinations.deny(prior_auth_id=key, reason=reason, by=cast.patel, now=NOW)


def in_review(cast: Cast, *, now: datetime = NOW) -> PriorAuth:
    """Return a request that Rae has in hand."""
    return queue.claim(prior_auth_id=PriorAuthId(queued(cast, now=now).public_id), by=cast.rae, now=now)


def in_clinical_review(cast: Cast, *, now: datetime = NOW) -> PriorAuth:
    """Return a request that Rae has referred to a physician."""
    key = PriorAuthId(in_review(cast, now=now).public_id)
    return determinations.refer(prior_auth_id=key, reason="Cannot approve in full.", by=cast.rae, now=now)


def appeal_reviewer(cast: Cast, name: str = "uma") -> Actor:
    """Return Dr Uma Reyes, who joins Evergreen's appeal reviewers with a physician's licence when she is needed."""
    uma = access.create_person(email=f"{name}@example.org", full_name=f"Dr {name.title()}", password=PASSWORD)
    access.add_membership(person=uma, organization=cast.evergreen, role=Role.APPEAL_REVIEWER)
    cast.people[name] = uma
    access.record_licence(
        person=uma,
        number=f"MD-{name}",
        state="NY",
        specialty="Pain medicine",
        valid_from=date(2020, 1, 1),
        valid_until=date(2030, 12, 31),
    )
    return access_selectors.actor_for(person=uma, organization=cast.evergreen)


def appealed(cast: Cast, prior_auth: PriorAuth, *, now: datetime, urgency: Urgency = Urgency.STANDARD) -> Appeal:
    """Return the appeal that Stella files of the decision on a request."""
    said = "The course was planned by the surgeon."
    key = PriorAuthId(prior_auth.public_id)
    return appealing.file(prior_auth_id=key, urgency=urgency, reason=said, notices=(), by=cast.stella, now=now)


def appeal_in_review(cast: Cast, prior_auth: PriorAuth, *, by: Actor, now: datetime) -> Appeal:
    """Return an appeal that the appeal reviewer has in hand."""
    key = AppealId(appealed(cast, prior_auth, now=now).public_id)
    appealing.receive(appeal_id=key, by=cast.ivy, now=now)
    return appealing.take_in_hand(appeal_id=key, by=by, now=now)


def key_of(row: PriorAuth) -> PriorAuthId:
    """Return a request's public id, as the services take it."""
    return PriorAuthId(row.public_id)


def deactivate(cast: Cast, name: str) -> None:
    person = cast.people[name]
    person.is_active = False
    person.save()


def end_memberships(cast: Cast, name: str) -> None:
    cast.people[name].memberships.all().delete()


def later(hours: float) -> datetime:
    """Return an instant that many hours after the play begins."""
    return NOW + timedelta(hours=hours)


def unknown_id() -> UUID:
    """Return an id that nothing has."""
    return UUID(int=next(_numbers))


def with_role(person: Actor, *roles: Role) -> Actor:
    """Return the person in other roles; in none, unless some are named."""
    return replace(person, roles=frozenset(roles))


def machine_of(person: Actor) -> Actor:
    """Return a machine of the person's organization, in the same roles."""
    return Actor(name="A machine", roles=person.roles, organization_id=person.organization_id)
