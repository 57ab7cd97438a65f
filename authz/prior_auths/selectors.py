"""Requests, their deadlines and steps, and a patient's opioid use, as the actor's organization may see them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Prefetch, QuerySet

from authz import clock
from authz.access.models import Organization
from authz.access.roles import Action, Actor, OrganizationKind, must_be_allowed
from authz.access.selectors import organization
from authz.documentation import selectors as documentation
from authz.documentation.models import Attachment, StoredFile
from authz.documentation.standing import Sheet, Standing, standing
from authz.errors import Forbidden, InvalidInput, NotFound
from authz.formulary import selectors as formularies
from authz.ids import PatientId, PriorAuthId
from authz.policies.history import Happened, Kind
from authz.policies.version import PolicyVersion
from authz.prescriptions import selectors as prescriptions
from authz.prescriptions.emergency import selectors as emergency
from authz.prescriptions.emergency.models import EmergencyAccess
from authz.prescriptions.models import Patient
from authz.prior_auths import deadlines, lifecycle
from authz.prior_auths import needs as needs_of
from authz.prior_auths.answer_seen import AnswerSeen, answer_seen, submitted_answers
from authz.prior_auths.answer_sheet import sheet_of
from authz.prior_auths.clock_history import history_of
from authz.prior_auths.deadlines import Clock, Clocks, Due
from authz.prior_auths.evaluations import case_from
from authz.prior_auths.heard import history, is_always_refused, regime_of, rules
from authz.prior_auths.lifecycle import State, Step
from authz.prior_auths.models import Determination, Event, PriorAuth, Skip
from authz.prior_auths.needs import PatientCase, PayerVerdict
from authz.prior_auths.packet import sent
from authz.prior_auths.run_out import RunOut, run_out
from authz.prior_auths.visibility import roles_in_case, visible_to
from authz.rules.changes import Changes, Known, changes
from authz.rules.counterfactual import counterfactual
from authz.rules.evaluate import evaluate
from authz.rules.explain_changes import change_sentences
from authz.rules.formulary import Formulary, Product
from authz.rules.records import Case, Record
from authz.rules.verdict import Episode


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRecord:
    """An order or fill as any of the patient's organizations may see it: what and when, never whose.

    `ignored_because` is empty when the record counts; `is_own` says that the reader's organization recorded it;
    `is_part2` that it is under 42 CFR Part 2.
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
    is_part2: bool


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
class UseChanges:
    """A patient's use as known on two days: the payer's verdict on either, and what became other, in words too."""

    patient: Patient
    since: date
    until: date
    before: PayerVerdict
    after: PayerVerdict
    differences: Changes
    sentences: list[str]


class Calendar(NamedTuple):
    """The calendar of the organization that asks."""

    zone: str
    today: date


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPatient:
    """A patient whose use `by` may see: what the rule reads of them, fetched once, and the calendar to see it in.

    `emergency` is the one for which alone they may; then of nothing but the use.
    """

    by: Actor
    case: PatientCase
    calendar: Calendar
    emergency: EmergencyAccess | None = None


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
    return (
        PriorAuth.objects.filter(visible_to(by))
        .select_related(
            "patient",
            "coverage__plan",
            "clinic",
            "insurer",
            "prescriber",
            "reviewer",
            "assignee",
            "answers",
            "duplicate_of",
        )
        .prefetch_related("events")
    )


def prior_auth(by: Actor, prior_auth_id: PriorAuthId) -> PriorAuth:
    """Return one request with its lines, questions and determinations.

    :raises NotFound: when the organization may know no such request.
    """
    determinations = Determination.objects.select_related("decided_by").prefetch_related("lines").order_by("-pk")
    # What a reviewer says on passing over is for colleagues.
    skips = Skip.objects.filter(prior_auth__insurer=by.organization).select_related("person").order_by("pk")
    found = (
        prior_auths(by)
        .prefetch_related("lines", "information_requests")
        .prefetch_related(Prefetch("determinations", queryset=determinations), Prefetch("skips", queryset=skips))
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
    """Return the documents of a request that the reader found: to its clinic all, to the insurer those it was sent."""
    if found.answers is None:
        return []
    is_own = by.organization_id == found.clinic_id
    rows = documentation.attachments(found.answers) if is_own else sent(found)
    return list(rows.prefetch_related("information_requests", "appeals"))


def attachment_file(by: Actor, prior_auth_id: PriorAuthId, attachment_id: UUID) -> KeptFile:
    """Return one of the documents that `attachments` lists, with its bytes.

    :raises NotFound: when there is none such to the organization.
    """
    found = prior_auth(by, prior_auth_id)
    row = next((row for row in attachments(by, found) if row.public_id == attachment_id), None)
    if row is None:
        raise NotFound("The request has no such document.")
    return KeptFile(file=row.file, name=f"{found.number}-attachment-{row.number}")


def events(by: Actor, prior_auth_id: PriorAuthId) -> QuerySet[Event]:
    """Return what happened to a request, oldest first. An insurer sees nothing from before it was submitted.

    :raises NotFound: when the organization may know no such request.
    """
    found = prior_auth(by, prior_auth_id)
    told = Event.objects.filter(prior_auth=found)
    if by.organization_id != found.clinic_id:
        # Nor how the clinic shares out its work.
        told = told.filter(at__gte=found.submitted_at).exclude(step=Step.ASSIGN.value)
    return told.order_by("sequence")


def open_by_state() -> dict[str, int]:
    """Return how many requests of all organizations are open in each state; for whoever operates the service."""
    active = PriorAuth.objects.filter(state__in=[state.value for state in lifecycle.ACTIVE])
    return dict(active.order_by().values_list("state").annotate(Count("pk")))


def overdue(*, now: datetime) -> QuerySet[PriorAuth]:
    """Return the undecided requests of all organizations whose legal time is over."""
    undecided = [state.value for state in lifecycle.UNDECIDED]
    return PriorAuth.objects.filter(state__in=undecided, due_at__lt=now)


def due(prior_auth: PriorAuth) -> Due | None:
    """Return when the decision is due and why; None before submission, while it waits, and once there was an end."""
    clock = decide_by(prior_auth)
    return Due(clock.due_at, clock.why) if clock and clock.due_at else None


def decide_by(prior_auth: PriorAuth) -> Clock | None:
    """Return the clock of the decision; None before submission, and once there was an end."""
    is_undecided = State(prior_auth.state) in lifecycle.UNDECIDED and prior_auth.reopened_at is None
    if prior_auth.submitted_at is None or not is_undecided:
        return None
    # By when answers are wanted does not move the decision: it is not looked up for every line of a list.
    return deadlines.clocks(history_of(prior_auth.events.all()), **rules(prior_auth)).get(Kind.DECIDE_BY)


def clocks_of(prior_auth: PriorAuth, *, notices: Iterable[Happened] = ()) -> Clocks:
    """Return all clocks of a request, from its events and the regime it is under; none before it is submitted.

    `notices` is when notice of the decision was sent and delivered, which this room does not know; and what happened
    to its appeals, where their clocks are wanted too.
    """
    return deadlines.clocks([*history(prior_auth), *notices], **rules(prior_auth))


def run_out_of(prior_auth: PriorAuth) -> RunOut | None:
    """Return when the patient's supply ends, beside the deadline; None once the request was decided or ended."""
    decision = due(prior_auth)
    return run_out_beside(prior_auth, decision.at if decision else None)


def run_out_beside(prior_auth: PriorAuth, due_at: datetime | None) -> RunOut | None:
    """Return the same for a deadline that is known already, such as the one that is kept to order lists by."""
    if State(prior_auth.state) not in lifecycle.ACTIVE:
        return None
    return run_out(
        last_covered_on=prior_auth.runs_out_on,
        is_dispensed=prior_auth.is_dispensed,
        due_at=due_at,
        zone=ZoneInfo(prior_auth.clinic.time_zone),
        regime=regime_of(prior_auth),
    )


def allowed_steps(prior_auth: PriorAuth, by: Actor) -> list[Step]:
    """Return the steps this actor may take now, in the order of the table, without those that it always refuses."""
    is_reopened = prior_auth.reopened_at is not None
    open_now = lifecycle.steps_for(
        state=State(prior_auth.state), roles=roles_in_case(prior_auth, by), is_reopened=is_reopened
    )
    return [step for step in open_now if not is_always_refused(prior_auth, step)]


def opioid_use(by: Actor, patient_id: PatientId, *, now: datetime, as_of: date | None = None) -> OpioidUse:
    """Return a patient's use as known on a day; without one, today in the organization's calendar.

    Of several payers the one whose coverage is in force on that day answers. An insurer sees a member's use once a
    request of theirs has been submitted to it: until then it has no question that the answer would serve.

    :raises NotFound: when the organization does not know the patient.
    :raises Forbidden: when an insurer has received no request of theirs.
    """
    return use_of(known_patient(by, patient_id, now=now), as_of=as_of)


def use_of(known: KnownPatient, *, as_of: date | None = None) -> OpioidUse:
    """Return the same of a patient who was fetched already."""
    day = as_of or known.calendar.today
    payer = payer_on(known.case, day, known.calendar)
    return OpioidUse(
        patient=known.case.patient,
        as_of=day,
        payer=payer,
        sentences=payer.sentences,
        ways_out=ways_out_of(payer.case, payer.verdict.episodes, payer.formulary),
        records=_seen(known.case, payer, known.by),
    )


def opioid_use_changes(
    by: Actor, patient_id: PatientId, *, now: datetime, since: date, until: date | None = None
) -> UseChanges:
    """Return what is known of a patient's use on a day, today without one, otherwise than on an earlier day.

    :raises NotFound: when the organization does not know the patient.
    :raises Forbidden: when an insurer has received no request of theirs.
    :raises InvalidInput: when the days are the wrong way round.
    """
    return changes_of(known_patient(by, patient_id, now=now), since=since, until=until)


def changes_of(known: KnownPatient, *, since: date, until: date | None = None) -> UseChanges:
    """Return the same of a patient who was fetched already.

    :raises InvalidInput: when the days are the wrong way round.
    """
    last = until or known.calendar.today
    if since > last:
        raise InvalidInput({"from": [f"The day must not be after {last}, the one to compare with."]})
    before, after = (payer_on(known.case, day, known.calendar) for day in (since, last))
    then, now_known = Known(before.case, before.verdict), Known(after.case, after.verdict)
    told = changes(then, now_known)
    return UseChanges(
        patient=known.case.patient,
        since=since,
        until=last,
        before=before,
        after=after,
        differences=told,
        sentences=[*_other_policy(before.policy, after.policy), *change_sentences(told, then, now_known)],
    )


def _other_policy(before: PolicyVersion, after: PolicyVersion) -> Iterator[str]:
    if before.key != after.key:
        then, now = (f"{policy.title} ({policy.code}, version {policy.version})" for policy in (before, after))
        yield f"Another policy answers: {then} before, {now} since."


def ways_out(prior_auth: PriorAuth) -> list[str]:
    """Return the smallest changes that would avoid an active request's need, by what its evaluation rests on."""
    inputs, is_active = prior_auth.evaluation.inputs, State(prior_auth.state) in lifecycle.ACTIVE
    if not is_active or prior_auth.need_in_doubt_at is not None or not inputs:
        return []
    case, asked = case_from(inputs), {str(record_id) for record_id in prior_auth.record_ids}
    formulary = formularies.by_version(prior_auth.evaluation.formulary_version) or formularies.current()
    episodes = evaluate(case, formulary).episodes
    return ways_out_of(case, [episode for episode in episodes if not asked.isdisjoint(episode.records)], formulary)


def ways_out_of(case: Case, episodes: Iterable[Episode], formulary: Formulary) -> list[str]:
    """Return the smallest changes that would avoid the need of the last of these episodes, in words."""
    needing = [episode for episode in episodes if episode.pa_required_from]
    found = [counterfactual(case, episode, formulary) for episode in needing[-1:]]
    return [way.sentence for way in found if way is not None]


def patient_with_use(by: Actor, patient_id: PatientId, *, reader: Organization | None = None) -> Patient:
    """Return a patient whose opioid use the actor may see; `reader` is their organization, where it is at hand.

    :raises NotFound: when the organization does not know the patient.
    :raises Forbidden: when an insurer has received no request of theirs.
    """
    patient = prescriptions.patient(by, patient_id)
    is_clinic = (reader or organization(by)).kind == OrganizationKind.CLINIC.value
    if not is_clinic and not PriorAuth.objects.filter(visible_to(by), patient=patient).exists():
        raise Forbidden("You see a member's opioid use once a request of theirs has been submitted to you.")
    return patient


def known_patient(
    by: Actor, patient_id: PatientId, *, now: datetime, reader: Organization | None = None
) -> KnownPatient:
    """Fetch once what the rule reads of a patient whose use the actor may see.

    `reader` is the actor's organization, where it is at hand already.

    :raises NotFound: when the organization does not know the patient.
    :raises Forbidden: when an insurer has received no request of theirs.
    """
    whose = reader or organization(by)
    calendar = Calendar(zone=whose.time_zone, today=clock.day_in(whose.time_zone, at=now))
    try:
        patient, opened = patient_with_use(by, patient_id, reader=whose), None
    except NotFound:
        # Asked second: hardly anybody comes for an emergency.
        opened = emergency.opened(by, patient_id, now=now)
        if opened is None:
            raise
        patient = opened.patient
    return KnownPatient(by=by, case=needs_of.case_of(patient), calendar=calendar, emergency=opened)


def payer_on(known: PatientCase, day: date, calendar: Calendar) -> PayerVerdict:
    """Return the answer, on a day, of the payer whose coverage is in force then."""
    known_at = clock.end_of_day(calendar.zone, on=day) if day < calendar.today else None
    payers = needs_of.answers(known, as_of=day, known_at=known_at)
    coverage = prescriptions.coverage_on(known.coverages, day)
    key = coverage.plan_id if coverage else None
    return next((payer for payer in payers if (payer.plan.pk if payer.plan else None) == key), payers[0])


def _seen(known: PatientCase, payer: PayerVerdict, by: Actor) -> list[SeenRecord]:
    ignored = {item.record_id: item.reason.value for item in payer.verdict.ignored}
    attention: dict[str, list[str]] = {}
    for item in payer.verdict.attention:
        attention.setdefault(item.record_id, []).append(item.reason.value)
    own = known.recorded_by(by.organization_id)
    visible = known.newest_on(payer.verdict.as_of).values()
    return [
        _seen_one(
            record,
            payer.formulary.product(record.rxcui),
            ignored.get(record.id, ""),
            tuple(attention.get(record.id, ())),
            is_own=record.id in own,
            is_part2=record.id in known.part2,
        )
        for record in sorted(visible, key=lambda r: (r.start, r.id))
    ]


def _seen_one(
    record: Record,
    product: Product | None,
    ignored_because: str,
    attention: tuple[str, ...],
    *,
    is_own: bool,
    is_part2: bool,
) -> SeenRecord:
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
        is_part2=is_part2,
    )
