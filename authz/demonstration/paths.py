"""How far people can take a request: a path is the steps in their order, each one call of the service that takes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from authz.access.roles import Actor, Role
from authz.demonstration.patients import Story
from authz.documentation.paper_text import PaperText, Prose
from authz.documentation.rendering import render
from authz.documentation.services import files
from authz.ids import DeterminationId, PriorAuthId
from authz.prior_auths import selectors
from authz.prior_auths.determination import Grant, Reason, SecondFinding
from authz.prior_auths.lifecycle import DismissalReason
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import (
    automation,
    deeming,
    determinations,
    documents,
    endings,
    questions,
    queue,
    request,
    second_readings,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Players:
    """Who acts in one patient's story; `at_insurer` finds whoever has another role there."""

    staff: Actor
    prescriber: Actor
    reviewer: Actor
    physician: Actor
    at_insurer: Callable[[Role], Actor]


Taken = Callable[[PriorAuth, Story, Players, datetime], PriorAuth]


def _key(prior_auth: PriorAuth) -> PriorAuthId:
    return PriorAuthId(prior_auth.public_id)


def _take_up(prior_auth: PriorAuth, _story: Story, players: Players, now: datetime) -> PriorAuth:
    return request.take_up(prior_auth_id=_key(prior_auth), by=players.staff, now=now)


def _answer_questions(prior_auth: PriorAuth, story: Story, players: Players, now: datetime) -> PriorAuth:
    offered = selectors.answers(players.staff, _key(prior_auth), now=now).answers
    answers = {
        **{one.question: one.value for one in offered if one.source is not None},
        "dx.code": story.says.dx,
        "pain.type": story.says.pain,
        "pain.why_longer": story.says.why,
        "pdmp.checked": True,
        "benzo.concurrent": False,
        "plan.followup": (now + timedelta(days=7)).date().isoformat(),
    }
    answered = request.answer_questions(prior_auth_id=_key(prior_auth), answers=answers, by=players.staff, now=now)
    if story.says.note:
        note = render(PaperText(title="Note of the visit", blocks=[Prose(story.says.note)], footer=story.number))
        _attach(answered, note.content, "Note of the visit", players, now, shows=["dx.code", "pain.why_longer"])
    return answered


def _attach(prior_auth: PriorAuth, content: bytes, title: str, players: Players, now: datetime, **proves: Any) -> None:
    file = files.inspect(content=content)
    documents.attach(prior_auth_id=_key(prior_auth), file=file, title=title, by=players.staff, now=now, **proves)


def _ask_prescriber(prior_auth: PriorAuth, _story: Story, players: Players, now: datetime) -> PriorAuth:
    question = "Please read the answers and attest that they are right."
    return request.ask_prescriber(prior_auth_id=_key(prior_auth), question=question, by=players.staff, now=now)


def _attest(prior_auth: PriorAuth, _story: Story, players: Players, now: datetime) -> PriorAuth:
    answers = {"pr.attest": True}
    return request.answer_prescriber(prior_auth_id=_key(prior_auth), answers=answers, by=players.prescriber, now=now)


def _submit(prior_auth: PriorAuth, story: Story, players: Players, now: datetime) -> PriorAuth:
    """Submit, and let the software look at once, as the worker does: where the plan's policy says so, it approves."""
    request.submit(prior_auth_id=_key(prior_auth), urgency=story.urgency, by=players.staff, now=now)
    automation.approve_by_rule(now=now)
    return PriorAuth.objects.get(pk=prior_auth.pk)


def _withdraw(prior_auth: PriorAuth, story: Story, players: Players, now: datetime) -> PriorAuth:
    return request.withdraw(prior_auth_id=_key(prior_auth), reason=story.says.because, by=players.staff, now=now)


def _claim(prior_auth: PriorAuth, _story: Story, players: Players, now: datetime) -> PriorAuth:
    return queue.claim(prior_auth_id=_key(prior_auth), by=players.reviewer, now=now)


def _ask(prior_auth: PriorAuth, story: Story, players: Players, now: datetime) -> PriorAuth:
    return questions.ask(prior_auth_id=_key(prior_auth), questions=[story.says.asked], by=players.reviewer, now=now)


def _answer(prior_auth: PriorAuth, story: Story, players: Players, now: datetime) -> PriorAuth:
    answers = {row.public_id: story.says.answered for row in prior_auth.information_requests.all()}
    if story.says.report:
        _attach(prior_auth, story.says.report.encode(), "Report", players, now, answers=list(answers))
    return questions.answer(prior_auth_id=_key(prior_auth), answers=answers, by=players.staff, now=now)


def _refer(prior_auth: PriorAuth, story: Story, players: Players, now: datetime) -> PriorAuth:
    return determinations.refer(
        prior_auth_id=_key(prior_auth), reason=story.says.referred, by=players.reviewer, now=now
    )


def _approve(prior_auth: PriorAuth, _story: Story, players: Players, now: datetime) -> PriorAuth:
    return determinations.approve(prior_auth_id=_key(prior_auth), by=players.reviewer, now=now)


def _approve_in_part(prior_auth: PriorAuth, story: Story, players: Players, now: datetime) -> PriorAuth:
    line = prior_auth.lines.get(line=1)
    days = story.says.granted
    share = line.quantity * days / line.days_supply if line.quantity is not None else None
    grant = Grant(
        days=days,
        quantity=None if share is None else share.quantize(Decimal(1)),
        starts_on=line.starts_on,
        ends_on=line.starts_on + timedelta(days=days - 1),
    )
    reason = Reason(code="quantity-reduced", text=story.says.because, criterion=story.says.criterion)
    return determinations.approve_in_part(
        prior_auth_id=_key(prior_auth), grants={1: grant}, reason=reason, by=players.physician, now=now
    )


def _deny(prior_auth: PriorAuth, story: Story, players: Players, now: datetime) -> PriorAuth:
    reason = Reason(code="criteria-not-met", text=story.says.because, criterion=story.says.criterion)
    return determinations.deny(prior_auth_id=_key(prior_auth), reason=reason, by=players.physician, now=now)


def _agree(prior_auth: PriorAuth, _story: Story, players: Players, now: datetime) -> PriorAuth:
    return _read_again(prior_auth, SecondFinding.AGREES, players, now)


def _disagree(prior_auth: PriorAuth, story: Story, players: Players, now: datetime) -> PriorAuth:
    return _read_again(prior_auth, SecondFinding.DISAGREES, players, now, note=story.says.because)


def _read_again(
    prior_auth: PriorAuth, finding: SecondFinding, players: Players, now: datetime, note: str = ""
) -> PriorAuth:
    key = DeterminationId(prior_auth.determinations.get().public_id)
    read = second_readings.read(determination_id=key, finding=finding, note=note, by=players.reviewer, now=now)
    return read.prior_auth


def _return(prior_auth: PriorAuth, story: Story, players: Players, now: datetime) -> PriorAuth:
    missing = [story.says.asked]
    return questions.return_incomplete(
        prior_auth_id=_key(prior_auth), missing=missing, by=players.at_insurer(Role.INTAKE), now=now
    )


def _dismiss(prior_auth: PriorAuth, story: Story, players: Players, now: datetime) -> PriorAuth:
    code, reason = DismissalReason.NOT_THIS_BENEFIT, story.says.because
    return endings.dismiss(
        prior_auth_id=_key(prior_auth), code=code, reason=reason, by=players.at_insurer(Role.INTAKE), now=now
    )


def _begin_another(prior_auth: PriorAuth, story: Story, players: Players, now: datetime) -> PriorAuth:
    """Complete the patient's newest request, too: nobody knows yet that both are about one use."""
    newest = selectors.prior_auths(players.staff).filter(patient=prior_auth.patient).latest("pk")
    return _answer_questions(_take_up(newest, story, players, now), story, players, now)


def _link_duplicate(prior_auth: PriorAuth, _story: Story, players: Players, now: datetime) -> PriorAuth:
    """Link it to the one that the service proposes, since a fill it was told of late has made both uses one."""
    return endings.link_duplicate(prior_auth_id=_key(prior_auth), survivor_id=None, by=players.staff, now=now)


def _void(prior_auth: PriorAuth, story: Story, players: Players, now: datetime) -> PriorAuth:
    return endings.void(
        prior_auth_id=_key(prior_auth), reason=story.says.because, by=players.at_insurer(Role.INSURER_ADMIN), now=now
    )


def _let_time_run_out(prior_auth: PriorAuth, _story: Story, _players: Players, now: datetime) -> PriorAuth:
    deeming.deem_due(now=now)
    return PriorAuth.objects.get(pk=prior_auth.pk)


_DRAFT = (_take_up, _answer_questions)
_QUEUED = (*_DRAFT, _ask_prescriber, _attest, _submit)
_REVIEW = (*_QUEUED, _claim)

PATHS: Mapping[str, tuple[Taken, ...]] = {
    "draft": _DRAFT,
    "awaiting_prescriber": (*_DRAFT, _ask_prescriber),
    "queued": _QUEUED,
    "in_review": _REVIEW,
    "info_requested": (*_REVIEW, _ask),
    "answered": (*_REVIEW, _ask, _answer),
    "clinical_review": (*_REVIEW, _refer),
    "approved": (*_REVIEW, _approve),
    "approved_in_part": (*_REVIEW, _refer, _approve_in_part),
    "denied": (*_REVIEW, _refer, _deny),
    # Nobody does more than submit it; that the rule approves it is the plan's policy and what the answers say.
    "approved_by_rule": _QUEUED,
    "approval_agreed_with": (*_QUEUED, _agree),
    "approval_disagreed_with": (*_QUEUED, _disagree),
    "withdrawn": (_take_up, _withdraw),
    "incomplete": (*_QUEUED, _return),
    "dismissed": (*_QUEUED, _dismiss),
    "duplicate": (*_DRAFT, _begin_another, _link_duplicate),
    "voided": (*_QUEUED, _void),
    "deemed": (*_QUEUED, _let_time_run_out),
}
