"""PURE: a peer-to-peer call as one table: it is offered or asked for, both sides find a time, what came of it is kept.

A call is a record of its own on a request. It changes neither the request's state nor its decision.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Final

from authz.access.roles import Role
from authz.prior_auths.transition import Transition, open_steps

MOST_TIMES: Final = 5
"""So many times can be offered or proposed at once: the product's choice, no law's."""


class CallState(StrEnum):
    OFFERED = "offered"
    PROPOSED = "proposed"
    AGREED = "agreed"
    CONCLUDED = "concluded"
    DECLINED = "declined"
    CANCELLED = "cancelled"


class CallStep(StrEnum):
    OFFER = "offer"
    OFFER_TIMES = "offer_times"
    PROPOSE_TIMES = "propose_times"
    ACCEPT = "accept"
    CONFIRM = "confirm"
    DECLINE = "decline"
    CONCLUDE = "conclude"
    CANCEL = "cancel"


class CallOutcome(StrEnum):
    """What came of a call. None of these decides anything: the request is then reopened, appealed, or let be."""

    WILL_APPROVE = "will_approve"
    WILL_STAND = "will_stand"
    NEW_INFORMATION = "new_information"
    NOT_HELD = "not_held"


_CLINIC = frozenset({Role.STAFF, Role.PRESCRIBER})
_REVIEW = frozenset({Role.REVIEWER, Role.PHYSICIAN})
_OFFERED = frozenset({CallState.OFFERED, CallState.PROPOSED})

OPEN = _OFFERED | {CallState.AGREED}
ENDED = frozenset(CallState) - OPEN


def _from(*sources: CallState | None) -> frozenset[CallState | None]:
    return frozenset(sources)


TABLE: dict[CallStep, Transition[CallState]] = {
    # The system itself at a denial, where the regime requires the offer.
    CallStep.OFFER: Transition(_from(None), CallState.OFFERED, _REVIEW | {Role.SYSTEM}, "peer-to-peer.offered"),
    CallStep.OFFER_TIMES: Transition(frozenset(OPEN), CallState.OFFERED, _REVIEW, "peer-to-peer.times-offered"),
    # Of a call that nobody has offered: so the clinic asks for one.
    CallStep.PROPOSE_TIMES: Transition(OPEN | _from(None), CallState.PROPOSED, _CLINIC, "peer-to-peer.times-proposed"),
    CallStep.ACCEPT: Transition(_from(CallState.OFFERED), CallState.AGREED, _CLINIC, "peer-to-peer.agreed"),
    CallStep.CONFIRM: Transition(_from(CallState.PROPOSED), CallState.AGREED, _REVIEW, "peer-to-peer.agreed"),
    CallStep.DECLINE: Transition(frozenset(OPEN), CallState.DECLINED, _CLINIC, "peer-to-peer.declined"),
    CallStep.CONCLUDE: Transition(frozenset(OPEN), CallState.CONCLUDED, _REVIEW, "peer-to-peer.concluded"),
    # Once the request has ended or is approved, nothing is left to talk about.
    CallStep.CANCEL: Transition(
        frozenset(OPEN), CallState.CANCELLED, frozenset({Role.SYSTEM}), "peer-to-peer.cancelled"
    ),
}


def steps_for(*, state: CallState, roles: Collection[Role]) -> list[CallStep]:
    """Return the steps someone in these roles may take now, in the order of the table."""
    return open_steps(TABLE, state=state, roles=roles)
