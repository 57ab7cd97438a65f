"""Requests as a list shows them: whom, what, which day of use, where it is, who has the ball, and what to do next."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Prefetch, QuerySet

from authz.access.roles import Actor
from authz.documentation.questionnaire import Question
from authz.prior_auths import selectors
from authz.prior_auths.answer_sheet import standing_of
from authz.prior_auths.deadlines import Due
from authz.prior_auths.determination import Outcome
from authz.prior_auths.lifecycle import ACTIVE, BEFORE_SUBMISSION, ENDED, State
from authz.prior_auths.models import Determination, PriorAuth
from authz.prior_auths.review_queue import MOST_PRESSING
from authz.prior_auths.run_out import RunOut
from authz.web import words
from authz.web.next_action import NextAction, next_action
from authz.web.opioid_days import DayOfUse, day_of_use
from authz.web.patient_names import name_in_case, names
from authz.web.words import Status

_ACTIVE = sorted(state.value for state in ACTIVE)
_ENDED = sorted(state.value for state in ENDED - {State.VOIDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One request in a list. `run_out` and, once it is submitted, `due` are told until it is decided."""

    prior_auth: PriorAuth
    patient: str
    is_patient_known: bool
    product: str
    use: DayOfUse | None
    status: Status
    ball: str
    run_out: RunOut | None
    due: Due | None
    action: NextAction | None


def open_for_clinic(by: Actor) -> QuerySet[PriorAuth]:
    """Return the clinic's open requests, those whose supply runs out first at the top."""
    return selectors.prior_auths(by).filter(state__in=_ACTIVE).order_by("runs_out_on", "pk")


def open_for_insurer(by: Actor) -> QuerySet[PriorAuth]:
    """Return the insurer's open requests, those due first at the top."""
    return selectors.prior_auths(by).filter(state__in=_ACTIVE).order_by(*MOST_PRESSING)


def ended(by: Actor) -> QuerySet[PriorAuth]:
    """Return the requests that have come to an end, newest first; what was voided is hidden."""
    return selectors.prior_auths(by).filter(state__in=_ENDED).order_by("-pk")


def rows(page: Iterable[PriorAuth], by: Actor, *, today: date) -> list[Row]:
    """Return the rows of one page of requests, in its order."""
    listed = _whole(page, by)
    known = names(by, [row.patient_id for row in listed])
    return [_row(prior_auth, by, known, today) for prior_auth in listed]


def _whole(page: Iterable[PriorAuth], by: Actor) -> list[PriorAuth]:
    determinations = Determination.objects.order_by("-pk")
    fetched = (
        selectors.prior_auths(by)
        .select_related("evaluation")
        .prefetch_related(
            "lines", "answers__answers", "answers__attachments", Prefetch("determinations", queryset=determinations)
        )
    )
    keys = [row.pk for row in page]
    found = {row.pk: row for row in fetched.filter(pk__in=keys)}
    return [found[key] for key in keys if key in found]


def _row(prior_auth: PriorAuth, by: Actor, known: dict[int, str], today: date) -> Row:
    state = State(prior_auth.state)
    status = words.status(state, outcome_of(prior_auth))
    return Row(
        prior_auth=prior_auth,
        patient=name_in_case(prior_auth, known),
        is_patient_known=prior_auth.patient_id in known,
        product=_products([line.product_name for line in prior_auth.lines.all()]),
        use=day_of_use(prior_auth.evaluation.verdict, prior_auth.record_ids, on=today),
        status=status,
        ball=ball(prior_auth, status),
        run_out=selectors.run_out_of(prior_auth),
        due=selectors.due(prior_auth),
        action=action_for(prior_auth, by, today=today),
    )


def outcome_of(prior_auth: PriorAuth) -> Outcome | None:
    """Return what holds of the determinations, which come newest first."""
    newest = next(iter(prior_auth.determinations.all()), None)
    return Outcome(newest.outcome) if newest else None


def ball(prior_auth: PriorAuth, status: Status) -> str:
    """Return who has the ball, by name where one person has it."""
    person = {
        State.AWAITING_PRESCRIBER: str(prior_auth.prescriber or ""),
        State.IN_REVIEW: str(prior_auth.reviewer or ""),
    }.get(State(prior_auth.state), "")
    return f"{status.ball} ({person})" if person else status.ball


def action_for(prior_auth: PriorAuth, by: Actor, *, today: date) -> NextAction | None:
    """Return what the reader should do next with a request; `today` is the day where they are."""
    return next_action(
        state=State(prior_auth.state),
        allowed=selectors.allowed_steps(prior_auth, by),
        roles=by.roles,
        unanswered=_unanswered(prior_auth, today),
    )


def _unanswered(prior_auth: PriorAuth, today: date) -> list[Question]:
    """Return what the payer still needs. Only the clinic answers, so once it is submitted nothing is looked up."""
    if State(prior_auth.state) not in BEFORE_SUBMISSION:
        return []
    return [one.question for one in standing_of(prior_auth, on=today) if one.is_missing]


def _products(names_of_lines: Iterable[str]) -> str:
    first, *more = [*names_of_lines] or ["No line"]
    return f"{first} and {len(more)} more" if more else first
