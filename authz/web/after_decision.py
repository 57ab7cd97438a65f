"""What follows a decision as the request's page shows it: appeals and peer-to-peer calls, and what came of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from authz.access.roles import Actor
from authz.documentation.models import Attachment
from authz.ids import PriorAuthId
from authz.prior_auths import appeals, calls
from authz.prior_auths.appeal_lifecycle import AppealOutcome, AppealState, AppealStep
from authz.prior_auths.appeals import Onward
from authz.prior_auths.call_lifecycle import CallOutcome, CallState, CallStep
from authz.prior_auths.deadlines import Due
from authz.prior_auths.models import Appeal, AppealDecision, AppealEvent, Call, CallTime, PriorAuth
from authz.web import words
from authz.web.clinic_follow_up_forms import (
    APPEAL_STEPS,
    ASK_FOR_CALL,
    ASKING,
    CALL_STEPS,
    FILE,
    FILING,
    AfterForm,
    AfterStep,
)
from authz.web.words import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A step open to the reader, with its form. `is_open` when it was just refused."""

    place: str
    address: str
    label: str
    says: str
    form: AfterForm
    version: int | None
    is_open: bool


Refusals = Mapping[str, AfterForm]
"""Forms that were not taken, by their place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealRow:
    """One appeal. `documents` were sent in with it.

    `onward` is who can be asked next, in words, once it was decided against.
    """

    appeal: Appeal
    status: Status
    due: Due | None
    decision: AppealDecision | None
    onward: str
    documents: list[Attachment]
    events: list[AppealEvent]
    acts: list[Act]


def appeal_rows(prior_auth: PriorAuth, by: Actor, refused: Refusals) -> list[AppealRow]:
    """Return the appeals of a request, newest first; `refused` are forms that were not taken, by their place."""
    rows = appeals.appeals_of(by, PriorAuthId(prior_auth.public_id)).order_by("-pk")
    return [_row(appeal, by, refused) for appeal in rows]


def filing(prior_auth: PriorAuth, refused: Refusals) -> Act:
    """Return how an appeal is filed."""
    return _act(FILING, None, FILE, refused, reverse("appeal", args=[prior_auth.public_id]))


def asking(prior_auth: PriorAuth, by: Actor, refused: Refusals) -> Act | None:
    """Return how a peer-to-peer call is asked for; None where none can be now."""
    if not calls.can_be_asked_for(prior_auth, by):
        return None
    return _act(ASKING, None, ASK_FOR_CALL, refused, reverse("ask-for-call", args=[prior_auth.public_id]))


def place_of(step: AppealStep | CallStep, subject: Appeal | Call) -> str:
    """Return the place on the request's page where a step of an appeal or call is taken."""
    return f"{step.value.replace('_', '-')}-{subject.public_id}"


def _acts(
    table: Mapping[Any, AfterStep], allowed: Sequence[Any], subject: Appeal | Call, name: str, refused: Refusals
) -> list[Act]:
    found = []
    for step in (step for step in table if step in allowed):
        word = step.value.replace("_", "-")
        address = reverse(name, args=[subject.prior_auth.public_id, subject.public_id, word])
        found.append(_act(table[step], subject, place_of(step, subject), refused, address))
    return found


def _act(step: AfterStep, subject: Appeal | Call | None, place: str, refused: Refusals, address: str) -> Act:
    return Act(
        place=place,
        address=address,
        label=step.label,
        says=step.says,
        form=refused.get(place) or step.form(subject, place=place),
        version=subject.version if subject else None,
        is_open=place in refused,
    )


def _row(appeal: Appeal, by: Actor, refused: Refusals) -> AppealRow:
    decision = appeal.decision if hasattr(appeal, "decision") else None
    outcome = AppealOutcome(decision.outcome) if decision else None
    is_against = outcome is not None and outcome is not AppealOutcome.OVERTURNED
    return AppealRow(
        appeal=appeal,
        status=words.appeal_status(AppealState(appeal.state), outcome),
        due=appeals.due(appeal),
        decision=decision,
        onward=" ".join(_next(appeals.onward(appeal.prior_auth))) if is_against else "",
        documents=appeals.documents_of(appeal),
        events=list(appeal.events.all()),
        acts=_acts(APPEAL_STEPS, appeals.allowed_steps(appeal, by), appeal, "appeal-step", refused),
    )


def _next(onward: Onward | None) -> Iterator[str]:
    if onward is None:
        yield "The plan's regime names nobody who looks at it next."
        return
    yield f"Next: {words.ONWARD[onward.level]} ({onward.citation})."
    if not onward.confirmed:
        yield "That was not read in the rule itself: compare it with the rule's wording."


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """One peer-to-peer call, with the times to choose from now, and in words what came of it.

    `was_asked_for`: it was the clinic that began.
    """

    call: Call
    was_asked_for: bool
    status: Status
    times: list[CallTime]
    outcome: str
    acts: list[Act]


def call_rows(prior_auth: PriorAuth, by: Actor, refused: Refusals) -> list[CallRow]:
    """Return the peer-to-peer calls on a request, newest first."""
    return [
        CallRow(
            call=call,
            was_asked_for=call.events.all()[0].step == CallStep.PROPOSE_TIMES.value,
            status=words.CALL[CallState(call.state)],
            times=calls.times(call),
            outcome=words.CALL_OUTCOME[CallOutcome(call.outcome)] if call.outcome else "",
            acts=_acts(CALL_STEPS, calls.allowed_steps(call, by), call, "call-step", refused),
        )
        for call in calls.calls_of(by, PriorAuthId(prior_auth.public_id))
    ]
