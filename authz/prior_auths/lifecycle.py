"""PURE: the life of a request as one table. A row is a step; nobody else compares states.

The permission matrix, the diagram in docs/lifecycle.md and /api/v1/meta/lifecycle/ are generated from it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from authz.access.roles import Role


class State(StrEnum):
    DETECTED = "detected"
    DRAFT = "draft"
    AWAITING_PRESCRIBER = "awaiting_prescriber"
    QUEUED = "queued"
    IN_REVIEW = "in_review"
    INFO_REQUESTED = "info_requested"
    CLINICAL_REVIEW = "clinical_review"
    DECIDED = "decided"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class Step(StrEnum):
    OPEN = "open"
    RETRACT = "retract"
    TAKE_UP = "take_up"
    ASK_PRESCRIBER = "ask_prescriber"
    ANSWER_PRESCRIBER = "answer_prescriber"
    SUBMIT = "submit"
    CLAIM = "claim"
    RELEASE = "release"
    ASK = "ask"
    ANSWER = "answer"
    REFER = "refer"
    APPROVE = "approve"
    APPROVE_IN_PART = "approve_in_part"
    DENY = "deny"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class Transition:
    """From where, to where, by whom; `says` is the topic announced to others, empty when nobody needs to hear."""

    sources: frozenset[State | None]
    target: State
    by: frozenset[Role]
    says: str = ""


_CLINIC = frozenset({Role.STAFF, Role.PRESCRIBER})
_REVIEW = frozenset({Role.REVIEWER, Role.PHYSICIAN})
_SYSTEM = frozenset({Role.SYSTEM})
_WITH_CLINIC = frozenset({State.DETECTED, State.DRAFT, State.AWAITING_PRESCRIBER})
_WITH_REVIEWER = frozenset({State.IN_REVIEW, State.CLINICAL_REVIEW})

ACTIVE = _WITH_CLINIC | _WITH_REVIEWER | {State.QUEUED, State.INFO_REQUESTED}
BEFORE_SUBMISSION = _WITH_CLINIC
ENDED = frozenset(State) - ACTIVE


def _from(*sources: State | None) -> frozenset[State | None]:
    return frozenset(sources)


TABLE: dict[Step, Transition] = {
    Step.OPEN: Transition(_from(None), State.DETECTED, _SYSTEM, "prior-auth.opened"),
    Step.RETRACT: Transition(_from(State.DETECTED, State.DRAFT), State.LAPSED, _SYSTEM, "prior-auth.lapsed"),
    Step.TAKE_UP: Transition(_from(State.DETECTED), State.DRAFT, _CLINIC),
    Step.ASK_PRESCRIBER: Transition(
        _from(State.DRAFT), State.AWAITING_PRESCRIBER, _CLINIC, "prior-auth.prescriber-asked"
    ),
    Step.ANSWER_PRESCRIBER: Transition(
        _from(State.AWAITING_PRESCRIBER), State.DRAFT, frozenset({Role.PRESCRIBER}), "prior-auth.prescriber-answered"
    ),
    Step.SUBMIT: Transition(_from(State.DRAFT), State.QUEUED, _CLINIC, "prior-auth.submitted"),
    Step.CLAIM: Transition(_from(State.QUEUED), State.IN_REVIEW, _REVIEW),
    Step.RELEASE: Transition(_from(State.IN_REVIEW), State.QUEUED, _REVIEW | _SYSTEM),
    Step.ASK: Transition(frozenset(_WITH_REVIEWER), State.INFO_REQUESTED, _REVIEW, "prior-auth.information-requested"),
    Step.ANSWER: Transition(_from(State.INFO_REQUESTED), State.IN_REVIEW, _CLINIC, "prior-auth.answered"),
    # A physician too: an answered question puts the request back into review, from where nobody denies.
    Step.REFER: Transition(_from(State.IN_REVIEW), State.CLINICAL_REVIEW, _REVIEW, "prior-auth.referred"),
    Step.APPROVE: Transition(frozenset(_WITH_REVIEWER), State.DECIDED, _REVIEW, "prior-auth.approved"),
    Step.APPROVE_IN_PART: Transition(
        _from(State.CLINICAL_REVIEW), State.DECIDED, frozenset({Role.PHYSICIAN}), "prior-auth.approved-in-part"
    ),
    Step.DENY: Transition(
        _from(State.CLINICAL_REVIEW), State.DECIDED, frozenset({Role.PHYSICIAN}), "prior-auth.denied"
    ),
    Step.WITHDRAW: Transition(frozenset(ACTIVE), State.WITHDRAWN, _CLINIC, "prior-auth.withdrawn"),
}


def is_allowed(step: Step, *, state: State | None, roles: Collection[Role]) -> bool:
    """Say whether someone in these roles may take the step from this state."""
    row = TABLE[step]
    return state in row.sources and not row.by.isdisjoint(roles)


def steps_for(*, state: State, roles: Collection[Role]) -> list[Step]:
    """Return the steps someone in these roles may take now, in the order of the table."""
    return [step for step in TABLE if is_allowed(step, state=state, roles=roles)]
