"""PURE: the life of an appeal as one table; an appeal is a child case of the request whose decision it is against.

Read with the request's own table in `authz.prior_auths.lifecycle`: the two are drawn, served and tested alike.
"""

from collections.abc import Collection
from enum import StrEnum

from authz.access.roles import Role
from authz.prior_auths.transition import Transition, open_steps


class AppealState(StrEnum):
    FILED = "filed"
    RECEIVED = "received"
    IN_REVIEW = "in_review"
    DECIDED = "decided"
    DISMISSED = "dismissed"
    WITHDRAWN = "withdrawn"
    EXTERNAL = "external"


class AppealStep(StrEnum):
    FILE = "file"
    RECEIVE = "receive"
    TAKE_IN_HAND = "take_in_hand"
    RELEASE = "release"
    ADD_DOCUMENT = "add_document"
    UPHOLD = "uphold"
    OVERTURN = "overturn"
    OVERTURN_IN_PART = "overturn_in_part"
    DISMISS = "dismiss"
    WITHDRAW = "withdraw"
    FORWARD = "forward"


class AppealOutcome(StrEnum):
    UPHELD = "upheld"
    OVERTURNED = "overturned"
    PARTLY_OVERTURNED = "partly_overturned"


AGAINST = frozenset({AppealOutcome.UPHELD, AppealOutcome.PARTLY_OVERTURNED})
"""Outcomes that leave less than was asked: only a licensed physician comes to them."""


class AppealDismissal(StrEnum):
    """Why something filed is no valid appeal. Such an end decides nothing."""

    NOT_A_PARTY = "not_a_party"
    NO_GOOD_CAUSE = "no_good_cause"
    NOTHING_LEFT_TO_DECIDE = "nothing_left_to_decide"
    REQUEST_VOIDED = "request_voided"


_CLINIC = frozenset({Role.STAFF, Role.PRESCRIBER})
_INTAKE = frozenset({Role.INTAKE})
_APPEAL_REVIEW = frozenset({Role.APPEAL_REVIEWER})

UPHOLDING = frozenset({AppealStep.UPHOLD, AppealStep.OVERTURN_IN_PART})
"""Steps that leave less than was asked."""

UNDECIDED = frozenset({AppealState.FILED, AppealState.RECEIVED, AppealState.IN_REVIEW})
ENDED = frozenset(AppealState) - UNDECIDED
UNHEARD = frozenset({AppealState.DISMISSED, AppealState.WITHDRAWN})
"""Ends that decided nothing: within its time the same decision can be appealed again."""


def _from(*sources: AppealState | None) -> frozenset[AppealState | None]:
    return frozenset(sources)


TABLE: dict[AppealStep, Transition[AppealState]] = {
    AppealStep.FILE: Transition(_from(None), AppealState.FILED, _CLINIC, "appeal.filed"),
    AppealStep.RECEIVE: Transition(
        _from(AppealState.FILED), AppealState.RECEIVED, _INTAKE | _APPEAL_REVIEW, "appeal.received"
    ),
    # From a lease that ran out, too: then it is another's, and the appeal stays in review.
    AppealStep.TAKE_IN_HAND: Transition(
        _from(AppealState.RECEIVED, AppealState.IN_REVIEW), AppealState.IN_REVIEW, _APPEAL_REVIEW
    ),
    AppealStep.RELEASE: Transition(_from(AppealState.IN_REVIEW), AppealState.RECEIVED, _APPEAL_REVIEW),
    # What the clinic sends in is in the insurer's hands at once; it changes the version that a decision names.
    AppealStep.ADD_DOCUMENT: Transition(frozenset(UNDECIDED), None, _CLINIC, "appeal.document-added"),
    AppealStep.UPHOLD: Transition(_from(AppealState.IN_REVIEW), AppealState.DECIDED, _APPEAL_REVIEW, "appeal.upheld"),
    AppealStep.OVERTURN: Transition(
        _from(AppealState.IN_REVIEW), AppealState.DECIDED, _APPEAL_REVIEW, "appeal.overturned"
    ),
    AppealStep.OVERTURN_IN_PART: Transition(
        _from(AppealState.IN_REVIEW), AppealState.DECIDED, _APPEAL_REVIEW, "appeal.overturned-in-part"
    ),
    # The system itself when the request is voided.
    AppealStep.DISMISS: Transition(
        frozenset(UNDECIDED), AppealState.DISMISSED, _INTAKE | _APPEAL_REVIEW | {Role.SYSTEM}, "appeal.dismissed"
    ),
    AppealStep.WITHDRAW: Transition(frozenset(UNDECIDED), AppealState.WITHDRAWN, _CLINIC, "appeal.withdrawn"),
    # What was decided against, or not in time; the service asks the regime.
    AppealStep.FORWARD: Transition(
        frozenset(UNDECIDED | {AppealState.DECIDED}),
        AppealState.EXTERNAL,
        _INTAKE | {Role.INSURER_ADMIN},
        "appeal.forwarded",
    ),
}


def steps_for(*, state: AppealState, roles: Collection[Role]) -> list[AppealStep]:
    """Return the steps someone in these roles may take now, in the order of the table."""
    return open_steps(TABLE, state=state, roles=roles)
