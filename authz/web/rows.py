"""Requests as a list shows them: whom, what, which day of use, where it is, who has the ball, and what to do next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet, Subquery, prefetch_related_objects

from authz.access.roles import Actor, Role
from authz.documentation.questionnaire import Question
from authz.formulary import selectors as formularies
from authz.prescriptions.models import PatientIdentifier
from authz.prior_auths import selectors
from authz.prior_auths.answer_sheet import standing_of
from authz.prior_auths.determination import Outcome
from authz.prior_auths.exempt_use import instead_of_asking
from authz.prior_auths.lifecycle import ACTIVE, BEFORE_SUBMISSION, ENDED, TABLE, UNDECIDED, State, Step
from authz.prior_auths.models import Determination, InformationRequest, PriorAuth, RequestedLine
from authz.prior_auths.review_queue import most_pressing_first
from authz.prior_auths.run_out import RunOut
from authz.prior_auths.wanted import Ball
from authz.rules.formulary import Formulary
from authz.web import words
from authz.web.next_action import NextAction, next_action
from authz.web.opioid_days import DayOfUse, day_of_use
from authz.web.patient_names import called
from authz.web.stages import Stage, stages
from authz.web.words import Status

ASSIGNABLE = TABLE[Step.ASSIGN].sources
"""States in which the clinic has something to do that a colleague could be given."""

_ACTIVE = sorted(state.value for state in ACTIVE)
_ENDED = sorted(state.value for state in ENDED - {State.VOIDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One request in a list. `run_out` and, once it is submitted, `due_at` are told until it is decided."""

    prior_auth: PriorAuth
    patient: str
    is_patient_known: bool
    product: str
    use: DayOfUse | None
    stages: list[Stage]
    status: Status
    ball: str
    assignee: str
    run_out: RunOut | None
    due_at: datetime | None
    action: NextAction | None

    @property
    def is_assignable(self) -> bool:
        """Whether it can be given to a colleague now."""
        return State(self.prior_auth.state) in ASSIGNABLE


def open_for_insurer(by: Actor) -> QuerySet[PriorAuth]:
    """Return the insurer's open requests, those due first at the top."""
    return most_pressing_first(selectors.prior_auths(by).filter(state__in=_ACTIVE))


def ended(by: Actor) -> QuerySet[PriorAuth]:
    """Return the requests that have come to an end, newest first; what was voided is hidden."""
    return selectors.prior_auths(by).filter(state__in=_ENDED).order_by("-pk")


def rows(requests: QuerySet[PriorAuth], by: Actor, *, today: date) -> list[Row]:
    """Return the rows of some requests that the reader may know, in their order; a slice is a page."""
    listed = list(_whole(requests, by))
    # Only the clinic answers, so once a request is submitted its answers are not looked up.
    answering = [row for row in listed if row.answers and State(row.state) in BEFORE_SUBMISSION]
    prefetch_related_objects([row.answers for row in answering], "answers", "attachments")
    versions = {row.evaluation.formulary_version for row in answering}
    held = {version: formularies.that_answered(version) for version in versions}
    return [_row(row, by, today, held.get(row.evaluation.formulary_version)) for row in listed]


def _whole(requests: QuerySet[PriorAuth], by: Actor) -> QuerySet[PriorAuth, Any]:
    """Return the requests with all that a row tells, in one statement; what is long and not told stays behind."""
    own = PatientIdentifier.objects.filter(assigner_id=by.organization, patient=OuterRef("patient")).order_by("-pk")
    lines = RequestedLine.objects.filter(prior_auth=OuterRef("pk")).order_by("line")
    newest = Determination.objects.filter(prior_auth=OuterRef("pk")).order_by("-pk")
    asked = InformationRequest.objects.filter(prior_auth=OuterRef("pk"), answered_at=None).order_by("owner")
    return (
        requests.prefetch_related(None)
        .select_related(None)
        .select_related(
            *("patient", "coverage", "clinic", "insurer", "prescriber", "reviewer", "assignee", "answers", "evaluation")
        )
        .annotate(
            # Each by itself: what is sealed is opened as a column is read.
            own_number=Subquery(own.values("value")[:1]),
            own_given_name=Subquery(own.values("given_name")[:1]),
            own_family_name=Subquery(own.values("family_name")[:1]),
            products=ArraySubquery(lines.values("product_name")),
            newest_outcome=Subquery(newest.values("outcome")[:1]),
            asked_owners=ArraySubquery(asked.values("owner").distinct()),
        )
        .defer("packet", "evaluation__inputs")
    )


def _row(prior_auth: Any, by: Actor, today: date, formulary: Formulary | None) -> Row:
    state = State(prior_auth.state)
    outcome = Outcome(prior_auth.newest_outcome) if prior_auth.newest_outcome else None
    status = words.status(state, outcome)
    asked = frozenset(Role(owner) for owner in prior_auth.asked_owners)
    due_at = prior_auth.due_at if state in UNDECIDED and prior_auth.reopened_at is None else None
    return Row(
        prior_auth=prior_auth,
        patient=_patient(prior_auth, by),
        is_patient_known=prior_auth.own_number is not None,
        product=_products(prior_auth.products),
        use=day_of_use(prior_auth.evaluation.verdict, prior_auth.record_ids, on=today),
        stages=stages(state),
        status=status,
        ball=ball(prior_auth, status, asked=asked),
        assignee=_assignee(prior_auth, by),
        run_out=selectors.run_out_beside(prior_auth, due_at),
        due_at=due_at,
        action=action_for(prior_auth, by, asked=asked, today=today, formulary=formulary),
    )


def _patient(prior_auth: Any, by: Actor) -> str:
    """Return whom a request is about: failing any name of the reader's own, by the member's number."""
    if prior_auth.own_number is not None:
        given, family = prior_auth.own_given_name, prior_auth.own_family_name
        return called(value=prior_auth.own_number, given_name=given, family_name=family, by=by)
    return f"Member {prior_auth.coverage.member_id}" if prior_auth.coverage else "A patient not known here"


def _assignee(prior_auth: PriorAuth, by: Actor) -> str:
    """Return who works on it, to the clinic alone."""
    is_own = prior_auth.clinic_id == by.organization_id
    return prior_auth.assignee.full_name if is_own and prior_auth.assignee else ""


def outcome_of(prior_auth: PriorAuth) -> Outcome | None:
    """Return what holds of the determinations, which come newest first."""
    newest = next(iter(prior_auth.determinations.all()), None)
    return Outcome(newest.outcome) if newest else None


def asked_of(prior_auth: PriorAuth) -> frozenset[Role]:
    """Return whose the insurer's open questions are to answer."""
    return frozenset(Role(one.owner) for one in prior_auth.information_requests.all() if one.answered_at is None)


def ball(prior_auth: PriorAuth, status: Status, *, asked: frozenset[Role]) -> str:
    """Return who has the ball, by name where one person has it; `asked` is who is to answer the insurer."""
    state, prescriber = State(prior_auth.state), str(prior_auth.prescriber or "")
    if state is State.INFO_REQUESTED and Role.PRESCRIBER in asked:
        theirs = f"{words.BALL[Ball.PRESCRIBER]} ({prescriber})" if prescriber else words.BALL[Ball.PRESCRIBER]
        return f"{status.ball}, and {theirs[0].lower()}{theirs[1:]}" if Role.STAFF in asked else theirs
    person = {State.AWAITING_PRESCRIBER: prescriber, State.IN_REVIEW: str(prior_auth.reviewer or "")}.get(state, "")
    return f"{status.ball} ({person})" if person else status.ball


def action_for(
    prior_auth: PriorAuth, by: Actor, *, asked: frozenset[Role], today: date, formulary: Formulary | None = None
) -> NextAction | None:
    """Return what the reader should do next with a request; `today` is the day where they are.

    `formulary` is the one that the request was evaluated by, where it is at hand.
    """
    is_prescribers = asked == {Role.PRESCRIBER} and Role.PRESCRIBER not in by.roles
    open_steps = selectors.open_steps(prior_auth, by)
    return next_action(
        state=State(prior_auth.state),
        open_steps=[step for step in open_steps if step is not Step.ANSWER] if is_prescribers else open_steps,
        roles=by.roles,
        unanswered=_unanswered(prior_auth, today, formulary),
        instead=instead_of_asking(prior_auth) if Step.SUBMIT in open_steps else None,
    )


def _unanswered(prior_auth: PriorAuth, today: date, formulary: Formulary | None) -> list[Question]:
    """Return what the payer still needs. Only the clinic answers, so once it is submitted nothing is looked up."""
    if State(prior_auth.state) not in BEFORE_SUBMISSION:
        return []
    return [one.question for one in standing_of(prior_auth, on=today, formulary=formulary) if one.is_missing]


def _products(names_of_lines: Sequence[str]) -> str:
    first, *more = [*names_of_lines] or ["No line"]
    return f"{first} and {len(more)} more" if more else first
