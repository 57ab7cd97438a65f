"""Requests, their deadlines and steps, as the actor's organization may see them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Prefetch, QuerySet

from authz import clock
from authz.access.roles import Action, Actor, must_be_allowed
from authz.documentation import selectors as documentation
from authz.documentation.models import Answer, Attachment, StoredFile
from authz.documentation.standing import Sheet, Standing, standing
from authz.errors import Forbidden, NotFound
from authz.formulary import selectors as formularies
from authz.ids import PriorAuthId
from authz.policies.history import Happened, Kind
from authz.prior_auths import deadlines, lifecycle
from authz.prior_auths.answer_seen import AnswerSeen, answer_seen, submitted_answers
from authz.prior_auths.answer_sheet import sheet_of
from authz.prior_auths.clock_history import history_of
from authz.prior_auths.deadlines import Clock, Clocks, Due
from authz.prior_auths.evaluations import case_from
from authz.prior_auths.heard import history, is_of_no_use, regime_of, rules
from authz.prior_auths.lifecycle import AGAINST, State, Step
from authz.prior_auths.models import Determination, Event, PriorAuth, Skip
from authz.prior_auths.named_specialties import lacks_specialty
from authz.prior_auths.opioid_use import ways_out_of
from authz.prior_auths.packet import sent
from authz.prior_auths.run_out import RunOut, run_out
from authz.prior_auths.visibility import roles_in_case, visible_to
from authz.prior_auths.voiding import may_void
from authz.rules.evaluate import evaluate


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


def listed(by: Actor) -> QuerySet[PriorAuth]:
    """Return the same for a list, with what the steps allowed go by; of the answers those on an exemption alone."""
    on_exemption = Answer.objects.filter(question__startswith="ex.")
    return prior_auths(by).prefetch_related("information_requests", Prefetch("answers__answers", queryset=on_exemption))


def prior_auth(by: Actor, prior_auth_id: PriorAuthId) -> PriorAuth:
    """Return one request with its lines, questions and determinations.

    :raises NotFound: when the organization may know no such request.
    """
    determinations = Determination.objects.select_related("decided_by").prefetch_related("lines").order_by("-pk")
    # What a reviewer says on passing over is for colleagues.
    skips = Skip.objects.filter(prior_auth__insurer=by.organization).select_related("person").order_by("pk")
    found = (
        prior_auths(by)
        .select_related("independent_review__determination")
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
    """Return the steps this actor may take now, in the order of the table, without those of no use to it.

    To void is among them once somebody else has proposed it.
    """
    useful = [step for step in open_steps(prior_auth, by) if not is_of_no_use(prior_auth, step)]
    return [step for step in useful if step is not Step.VOID or may_void(prior_auth, by)]


def open_steps(prior_auth: PriorAuth, by: Actor) -> list[Step]:
    """Return the steps that the table opens to this actor now, in its order, of use or not.

    Without those against a request for which their licence is of another specialty than its policy names.
    """
    is_reopened = prior_auth.reopened_at is not None
    roles = roles_in_case(prior_auth, by)
    steps = lifecycle.steps_for(state=State(prior_auth.state), roles=roles, is_reopened=is_reopened)
    if AGAINST.isdisjoint(steps) or not lacks_specialty(prior_auth, by.person_id):
        return steps
    return [step for step in steps if step not in AGAINST]


def ways_out(prior_auth: PriorAuth) -> list[str]:
    """Return the smallest changes that would avoid an active request's need, by what its evaluation rests on."""
    inputs, is_active = prior_auth.evaluation.inputs, State(prior_auth.state) in lifecycle.ACTIVE
    if not is_active or prior_auth.need_in_doubt_at is not None or not inputs:
        return []
    case, asked = case_from(inputs), {str(record_id) for record_id in prior_auth.record_ids}
    formulary = formularies.that_answered(prior_auth.evaluation.formulary_version)
    episodes = evaluate(case, formulary).episodes
    return ways_out_of(case, [episode for episode in episodes if not asked.isdisjoint(episode.records)], formulary)
