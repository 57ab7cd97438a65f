"""What follows a decision as the request's page shows it: appeals and peer-to-peer calls, and what came of them."""

from collections.abc import Iterator
from dataclasses import dataclass

from authz.access.roles import Actor
from authz.ids import PriorAuthId
from authz.notifications.selectors import decision_notices
from authz.policies.history import Kind
from authz.prior_auths import appeals, calls, selectors
from authz.prior_auths.appeal_lifecycle import AppealOutcome, AppealState
from authz.prior_auths.appeals import Onward
from authz.prior_auths.call_lifecycle import CallOutcome, CallState
from authz.prior_auths.deadlines import Clock, Due
from authz.prior_auths.models import Appeal, AppealDecision, AppealEvent, Call, CallTime, PriorAuth
from authz.web import words
from authz.web.words import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealRow:
    """One appeal. `onward` is who can be asked next, in words, once it was decided against."""

    appeal: Appeal
    status: Status
    due: Due | None
    decision: AppealDecision | None
    onward: str
    events: list[AppealEvent]


def appeal_rows(prior_auth: PriorAuth, by: Actor) -> list[AppealRow]:
    """Return the appeals of a request, newest first."""
    rows = appeals.appeals_of(by, PriorAuthId(prior_auth.public_id)).order_by("-pk")
    return [_row(appeal) for appeal in rows]


def to_appeal(prior_auth: PriorAuth) -> Clock | None:
    """Return until when an adverse decision can be appealed; None once it is, or where there is none."""
    notices = [*decision_notices(prior_auth), *appeals.happened(prior_auth)]
    clock = selectors.clocks_of(prior_auth, notices=notices).get(Kind.APPEAL_FILE_BY)
    return clock if clock and clock.stopped_at is None else None


def _row(appeal: Appeal) -> AppealRow:
    decision = appeal.decision if hasattr(appeal, "decision") else None
    outcome = AppealOutcome(decision.outcome) if decision else None
    is_against = outcome is not None and outcome is not AppealOutcome.OVERTURNED
    return AppealRow(
        appeal=appeal,
        status=words.appeal_status(AppealState(appeal.state), outcome),
        due=appeals.due(appeal),
        decision=decision,
        onward=" ".join(_next(appeals.onward(appeal.prior_auth))) if is_against else "",
        events=list(appeal.events.all()),
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
    """One peer-to-peer call, with the times to choose from now, and in words what came of it."""

    call: Call
    status: Status
    times: list[CallTime]
    outcome: str


def call_rows(prior_auth: PriorAuth, by: Actor) -> list[CallRow]:
    """Return the peer-to-peer calls on a request, newest first."""
    return [
        CallRow(
            call=call,
            status=words.CALL[CallState(call.state)],
            times=calls.times(call),
            outcome=words.CALL_OUTCOME[CallOutcome(call.outcome)] if call.outcome else "",
        )
        for call in calls.calls_of(by, PriorAuthId(prior_auth.public_id))
    ]
