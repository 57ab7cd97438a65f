"""Requests, their deadlines and steps, and a patient's opioid use, as the actor's organization may see them."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Prefetch, QuerySet

from authz import clock
from authz.access.roles import Action, Actor, OrganizationKind, must_be_allowed
from authz.access.selectors import organization
from authz.documentation import selectors as documentation
from authz.documentation.models import Attachment, StoredFile
from authz.documentation.paper_kinds import PaperKind
from authz.documentation.standing import Sheet, Standing, standing
from authz.errors import Forbidden, NotFound
from authz.ids import PatientId, PriorAuthId
from authz.policies import catalog
from authz.prescriptions import selectors as prescriptions
from authz.prescriptions.models import Fill, Patient, Prescription
from authz.prior_auths import deadlines, lifecycle
from authz.prior_auths import needs as needs_of
from authz.prior_auths.answer_seen import AnswerSeen, answer_seen, submitted_answers
from authz.prior_auths.answer_sheet import sheet_of
from authz.prior_auths.deadlines import Due, Urgency
from authz.prior_auths.lifecycle import State, Step
from authz.prior_auths.models import Determination, Event, PriorAuth
from authz.prior_auths.needs import PatientCase, PayerVerdict
from authz.prior_auths.packet import packet_attachment_ids
from authz.prior_auths.services.steps import roles_in_case, visible_to
from authz.rules.counterfactual import counterfactual
from authz.rules.formulary import packaged
from authz.rules.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRecord:
    """An order or fill as any of the patient's organizations may see it: what and when, never whose.

    `ignored_because` is empty when the record counts; `is_own` says that the reader's organization recorded it.
    """

    record_id: UUID
    kind: str
    starts_on: date
    rxcui: str
    product_name: str
    quantity: Decimal | None
    days_supply: int | None
    ignored_because: str
    attention: tuple[str, ...]
    is_own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OpioidUse:
    """A patient's use as known on a day: one payer's verdict, in words and as data, and the records behind it.

    `ways_out` says, for the latest use that needs authorization, the smallest changes that would avoid the need.
    """

    patient: Patient
    as_of: date
    payer: PayerVerdict
    sentences: list[str]
    ways_out: list[str]
    records: list[SeenRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionsSeen:
    """A request's questions as its clinic works on them."""

    prior_auth: PriorAuth
    sheet: Sheet
    standings: list[Standing]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersSeen:
    """A request's answers as its reader may see them."""

    prior_auth: PriorAuth
    answers: list[AnswerSeen]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """A file with the name that a reader saves it under: a request's number, and no patient's facts."""

    file: StoredFile
    name: str


def prior_auths(by: Actor) -> QuerySet[PriorAuth]:
    """Return the requests the organization may know: a clinic its own, an insurer those submitted to it."""
    must_be_allowed(by, Action.READ_REQUESTS)
    return PriorAuth.objects.filter(visible_to(by)).select_related(
        "patient", "coverage__plan", "clinic", "insurer", "prescriber", "reviewer", "answers"
    )


def prior_auth(by: Actor, prior_auth_id: PriorAuthId) -> PriorAuth:
    """Return one request with its lines, questions, determinations and authorizations.

    :raises NotFound: when the organization may know no such request.
    """
    determinations = Determination.objects.select_related("decided_by").prefetch_related("lines").order_by("-pk")
    found = (
        prior_auths(by)
        .prefetch_related(
            "lines", "information_requests", "authorizations", Prefetch("determinations", queryset=determinations)
        )
        .filter(public_id=prior_auth_id)
        .first()
    )
    if found is None:
        raise NotFound("There is no such request.")
    return found


def questions(by: Actor, prior_auth_id: PriorAuthId, *, now: datetime) -> QuestionsSeen:
    """Return what is asked of the clinic, and where its answers stand.

    :raises NotFound: when the organization may know no such request, or it is not taken up yet.
    :raises Forbidden: when the organization is not the clinic.
    """
    found = prior_auth(by, prior_auth_id)
    if by.organization_id != found.clinic_id:
        raise Forbidden("The questionnaire is the clinic's work; read the answers that were submitted.")
    if found.answers is None:
        raise NotFound("The request has no answers yet: take it up first.")
    sheet = sheet_of(found, found.answers, on=clock.day_in(found.clinic.time_zone, at=now))
    return QuestionsSeen(prior_auth=found, sheet=sheet, standings=standing(sheet))


def answers(by: Actor, prior_auth_id: PriorAuthId, *, now: datetime) -> AnswersSeen:
    """Return the answers of a request: those so far to its clinic, and once it is submitted those to both.

    :raises NotFound: when the organization may know no such request, or it is not taken up yet.
    """
    found = prior_auth(by, prior_auth_id)
    if found.packet is not None:
        return AnswersSeen(prior_auth=found, answers=submitted_answers(found.packet))
    seen = questions(by, prior_auth_id, now=now)
    return AnswersSeen(prior_auth=found, answers=[answer_seen(one) for one in seen.standings])


def attachments(by: Actor, found: PriorAuth) -> list[Attachment]:
    """Return the documents of a request that the reader found: to its clinic all, to the insurer those submitted."""
    if found.answers is None:
        return []
    rows = documentation.attachments(found.answers)
    if by.organization_id != found.clinic_id:
        rows = rows.filter(public_id__in=packet_attachment_ids(found.packet or {}))
    return list(rows)


def attachment_file(by: Actor, prior_auth_id: PriorAuthId, attachment_id: UUID) -> KeptFile:
    """Return one of the documents that `attachments` lists, with its bytes.

    :raises NotFound: when there is none such to the organization.
    """
    found = prior_auth(by, prior_auth_id)
    row = next((row for row in attachments(by, found) if row.public_id == attachment_id), None)
    if row is None:
        raise NotFound("The request has no such document.")
    return KeptFile(file=row.file, name=f"{found.number}-attachment-{row.number}")


def packet_file(by: Actor, prior_auth_id: PriorAuthId) -> KeptFile:
    """Return the packet of a submitted request on paper.

    :raises NotFound: when the organization may know no such request, or it has no such paper.
    """
    found = prior_auth(by, prior_auth_id)
    return _paper(PaperKind.PACKET, found.public_id, f"{found.number}-packet")


def letter_file(by: Actor, prior_auth_id: PriorAuthId, determination_id: UUID) -> KeptFile:
    """Return the letter of one of a request's determinations.

    :raises NotFound: when the organization may know no such request or determination, or it has no such paper.
    """
    found = prior_auth(by, prior_auth_id)
    if all(row.public_id != determination_id for row in found.determinations.all()):
        raise NotFound("The request has no such determination.")
    return _paper(PaperKind.DETERMINATION_LETTER, determination_id, f"{found.number}-letter")


def _paper(kind: PaperKind, subject_id: UUID, name: str) -> KeptFile:
    kept = documentation.paper(kind, subject_id)
    if kept is None:
        raise NotFound("There is no such paper.")
    return KeptFile(file=kept.file, name=name)


def events(by: Actor, prior_auth_id: PriorAuthId) -> QuerySet[Event]:
    """Return what happened to a request, oldest first. An insurer sees nothing from before it was submitted.

    :raises NotFound: when the organization may know no such request.
    """
    found = prior_auth(by, prior_auth_id)
    told = Event.objects.filter(prior_auth=found)
    if by.organization_id != found.clinic_id:
        told = told.filter(at__gte=found.submitted_at)
    return told.order_by("sequence")


def due(prior_auth: PriorAuth) -> Due | None:
    """Return when the decision is due and why; None before submission and once there is an end."""
    if prior_auth.submitted_at is None or State(prior_auth.state) in lifecycle.ENDED:
        return None
    return deadlines.decide_by(
        regime=catalog.regime(prior_auth.regime),
        urgency=Urgency(prior_auth.urgency),
        received_at=prior_auth.submitted_at,
    )


def allowed_steps(prior_auth: PriorAuth, by: Actor) -> list[Step]:
    """Return the steps this actor may take now, in the order of the table."""
    return lifecycle.steps_for(state=State(prior_auth.state), roles=roles_in_case(prior_auth, by))


def opioid_use(by: Actor, patient_id: PatientId, *, now: datetime, as_of: date | None = None) -> OpioidUse:
    """Return a patient's use as known on a day; without one, today in the organization's calendar.

    Of several payers the one whose coverage is in force on that day answers. An insurer sees a member's use once a
    request of theirs has been submitted to it: until then it has no question that the answer would serve.

    :raises NotFound: when the organization does not know the patient.
    :raises Forbidden: when an insurer has received no request of theirs.
    """
    patient = prescriptions.patient(by, patient_id)
    reader = organization(by)
    is_clinic = reader.kind == OrganizationKind.CLINIC.value
    if not is_clinic and not PriorAuth.objects.filter(visible_to(by), patient=patient).exists():
        raise Forbidden("You see a member's opioid use once a request of theirs has been submitted to you.")
    day = as_of or clock.day_in(reader.time_zone, at=now)
    known = needs_of.case_of(patient)
    payer = _payer_on(known, day)
    return OpioidUse(
        patient=patient,
        as_of=day,
        payer=payer,
        sentences=payer.sentences,
        ways_out=_ways_out(payer),
        records=_seen(known, payer, by),
    )


def _ways_out(payer: PayerVerdict) -> list[str]:
    needing = [episode for episode in payer.verdict.episodes if episode.pa_required_from]
    found = [counterfactual(payer.case, episode) for episode in needing[-1:]]
    return [way.sentence for way in found if way is not None]


def _payer_on(known: PatientCase, day: date) -> PayerVerdict:
    payers = needs_of.answers(known, as_of=day)
    coverage = prescriptions.coverage_on(known.coverages, day)
    key = coverage.plan_id if coverage else None
    return next((payer for payer in payers if (payer.plan.pk if payer.plan else None) == key), payers[0])


def _seen(known: PatientCase, payer: PayerVerdict, by: Actor) -> list[SeenRecord]:
    ignored = {item.record_id: item.reason.value for item in payer.verdict.ignored}
    attention: dict[str, list[str]] = {}
    for item in payer.verdict.attention:
        attention.setdefault(item.record_id, []).append(item.reason.value)
    own = _own_records(known.patient, by)
    visible = known.newest_on(payer.verdict.as_of).values()
    return [
        _seen_one(record, ignored.get(record.id, ""), tuple(attention.get(record.id, ())), record.id in own)
        for record in sorted(visible, key=lambda r: (r.start, r.id))
    ]


def _own_records(patient: Patient, by: Actor) -> set[str]:
    fills = Fill.objects.filter(patient=patient, organization_id=by.organization).values_list("public_id", flat=True)
    orders = Prescription.objects.filter(patient=patient, organization_id=by.organization)
    return {str(key) for key in [*fills, *orders.values_list("public_id", flat=True)]}


def _seen_one(record: Record, ignored_because: str, attention: tuple[str, ...], is_own: bool) -> SeenRecord:
    product = packaged().product(record.rxcui)
    return SeenRecord(
        record_id=UUID(record.id),
        kind=record.kind.value,
        starts_on=record.start,
        rxcui=record.rxcui,
        product_name=product.name if product else record.rxcui,
        quantity=record.quantity,
        days_supply=record.days_supply,
        ignored_because=ignored_because,
        attention=attention,
        is_own=is_own,
    )
