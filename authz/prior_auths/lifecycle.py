"""PURE: the life of a request as one table. A row is a step; nobody else compares states.

The permission matrix, the diagram in docs/lifecycle.md and /api/v1/meta/lifecycle/ are generated from it.
"""

from collections.abc import Collection
from enum import StrEnum

from authz.access.roles import Role
from authz.prior_auths.transition import Transition, open_steps


class State(StrEnum):
    DETECTED = "detected"
    DRAFT = "draft"
    AWAITING_PRESCRIBER = "awaiting_prescriber"
    QUEUED = "queued"
    INCOMPLETE = "incomplete"
    IN_REVIEW = "in_review"
    INFO_REQUESTED = "info_requested"
    CLINICAL_REVIEW = "clinical_review"
    DECIDED = "decided"
    WITHDRAWN = "withdrawn"
    DISMISSED = "dismissed"
    DUPLICATE = "duplicate"
    LAPSED = "lapsed"
    VOIDED = "voided"


class Step(StrEnum):
    OPEN = "open"
    OPEN_BY_HAND = "open_by_hand"
    RENEW = "renew"
    RETRACT = "retract"
    TAKE_UP = "take_up"
    ASSIGN = "assign"
    ASK_PRESCRIBER = "ask_prescriber"
    ANSWER_PRESCRIBER = "answer_prescriber"
    TAKE_BACK = "take_back"
    SUBMIT = "submit"
    RETURN = "return"
    COMPLETE = "complete"
    CLAIM = "claim"
    RELEASE = "release"
    TAKE_IN_HAND = "take_in_hand"
    GIVE_BACK = "give_back"
    REASSIGN = "reassign"
    ASK = "ask"
    ANSWER = "answer"
    ANSWER_IN_PART = "answer_in_part"
    ANSWER_LATE = "answer_late"
    RESUME = "resume"
    EXPEDITE = "expedite"
    REFUSE_EXPEDITED = "refuse_expedited"
    EXTEND = "extend"
    REFER = "refer"
    APPROVE = "approve"
    APPROVE_IN_PART = "approve_in_part"
    DENY = "deny"
    APPROVE_BY_RULE = "approve_by_rule"
    DEEM_APPROVED = "deem_approved"
    DEEM_ADVERSE = "deem_adverse"
    FORWARD = "forward"
    RECORD_INDEPENDENT_REVIEW = "record_independent_review"
    RECORD_EXEMPTION = "record_exemption"
    WITHDRAW = "withdraw"
    DISMISS = "dismiss"
    LINK_DUPLICATE = "link_duplicate"
    PROPOSE_VOID = "propose_void"
    VOID = "void"
    REOPEN = "reopen"
    OVERTURN = "overturn"
    OVERTURN_IN_PART = "overturn_in_part"


class DismissalReason(StrEnum):
    """Why something submitted is no valid request. Such an end decides nothing."""

    NOT_A_MEMBER = "not_a_member"
    NOT_ENTITLED_TO_ASK = "not_entitled_to_ask"
    NOT_THIS_BENEFIT = "not_this_benefit"
    NOT_REQUIRED = "not_required"


class ReopeningReason(StrEnum):
    """Why a decided request may be looked at again."""

    CLERICAL_ERROR = "clerical_error"
    NEW_MATERIAL_EVIDENCE = "new_material_evidence"
    FRAUD = "fraud"


_CLINIC = frozenset({Role.STAFF, Role.PRESCRIBER})
_REVIEW = frozenset({Role.REVIEWER, Role.PHYSICIAN})
_SYSTEM = frozenset({Role.SYSTEM})
_INTAKE = frozenset({Role.INTAKE})
_ADMIN = frozenset({Role.INSURER_ADMIN})
_STAFF = frozenset({Role.STAFF})
_APPEAL_REVIEW = frozenset({Role.APPEAL_REVIEWER})
_WITH_CLINIC = frozenset({State.DETECTED, State.DRAFT, State.AWAITING_PRESCRIBER})
_WITH_REVIEWER = frozenset({State.IN_REVIEW, State.CLINICAL_REVIEW})
_ANSWERED_LATE = _WITH_REVIEWER | {State.QUEUED}

BEFORE_SUBMISSION = _WITH_CLINIC
UNDECIDED = _WITH_REVIEWER | {State.QUEUED, State.INCOMPLETE, State.INFO_REQUESTED}
ACTIVE = BEFORE_SUBMISSION | UNDECIDED
ENDED = frozenset(State) - ACTIVE
ASKED_OF_CLINIC = frozenset({State.INCOMPLETE, State.INFO_REQUESTED})
"""The insurer waits for the clinic's answer."""
STANDING = ACTIVE | {State.DECIDED}
"""What is or will be decided."""
UNANSWERED = frozenset({State.LAPSED, State.DUPLICATE, State.VOIDED})
"""Ends that answer nothing: the use may still need a request."""


def _from(*sources: State | None) -> frozenset[State | None]:
    return frozenset(sources)


TABLE: dict[Step, Transition[State]] = {
    Step.OPEN: Transition(_from(None), State.DETECTED, _SYSTEM, "prior-auth.opened"),
    Step.OPEN_BY_HAND: Transition(_from(None), State.DRAFT, _CLINIC, "prior-auth.opened"),
    Step.RENEW: Transition(_from(None), State.DRAFT, _SYSTEM, "prior-auth.renewal-opened"),
    Step.RETRACT: Transition(_from(State.DETECTED, State.DRAFT), State.LAPSED, _SYSTEM, "prior-auth.lapsed"),
    Step.TAKE_UP: Transition(_from(State.DETECTED), State.DRAFT, _CLINIC),
    # Only while the clinic has something to do: whoever decides must not find another version meanwhile.
    Step.ASSIGN: Transition(frozenset(_WITH_CLINIC | ASKED_OF_CLINIC), None, _CLINIC),
    Step.ASK_PRESCRIBER: Transition(
        _from(State.DRAFT), State.AWAITING_PRESCRIBER, _CLINIC, "prior-auth.prescriber-asked"
    ),
    Step.ANSWER_PRESCRIBER: Transition(
        _from(State.AWAITING_PRESCRIBER), State.DRAFT, frozenset({Role.PRESCRIBER}), "prior-auth.prescriber-answered"
    ),
    # Where the exemption leaves nothing to ask for, the request lapses in the same breath.
    Step.RECORD_EXEMPTION: Transition(_from(State.DRAFT), None, _CLINIC),
    Step.TAKE_BACK: Transition(_from(State.AWAITING_PRESCRIBER), State.DRAFT, _CLINIC),
    Step.SUBMIT: Transition(_from(State.DRAFT), State.QUEUED, _CLINIC, "prior-auth.submitted"),
    Step.RETURN: Transition(
        _from(State.QUEUED), State.INCOMPLETE, _INTAKE, "prior-auth.returned", before_decision=True
    ),
    Step.COMPLETE: Transition(_from(State.INCOMPLETE), State.QUEUED, _CLINIC, "prior-auth.completed"),
    Step.CLAIM: Transition(_from(State.QUEUED), State.IN_REVIEW, _REVIEW),
    Step.RELEASE: Transition(_from(State.IN_REVIEW), State.QUEUED, _REVIEW | _SYSTEM),
    Step.TAKE_IN_HAND: Transition(_from(State.CLINICAL_REVIEW), None, frozenset({Role.PHYSICIAN})),
    Step.GIVE_BACK: Transition(_from(State.CLINICAL_REVIEW), None, frozenset({Role.PHYSICIAN}) | _SYSTEM),
    Step.REASSIGN: Transition(frozenset(_WITH_REVIEWER), None, _REVIEW | _ADMIN, "prior-auth.reassigned"),
    Step.ASK: Transition(frozenset(_WITH_REVIEWER), State.INFO_REQUESTED, _REVIEW, "prior-auth.information-requested"),
    Step.ANSWER: Transition(_from(State.INFO_REQUESTED), State.IN_REVIEW, _CLINIC, "prior-auth.answered"),
    # In time or late, while something stays open: a clock that waits, waits for all that was asked.
    Step.ANSWER_IN_PART: Transition(
        frozenset(_ANSWERED_LATE | {State.INFO_REQUESTED}), None, _CLINIC, "prior-auth.answered-in-part"
    ),
    # What comes after its time helps all the same, and the last of it can start a clock that waits.
    Step.ANSWER_LATE: Transition(frozenset(_ANSWERED_LATE), None, _CLINIC, "prior-auth.answered-late"),
    Step.RESUME: Transition(_from(State.INFO_REQUESTED), State.IN_REVIEW, _SYSTEM, "prior-auth.unanswered"),
    # The clinic asks for speed, or the insurer sees the need by itself; until it is refused, asked for is had.
    # No law gives what was reopened a time that any of these could change.
    Step.EXPEDITE: Transition(
        frozenset(UNDECIDED), None, _CLINIC | _REVIEW | _INTAKE, "prior-auth.expedited", before_decision=True
    ),
    Step.REFUSE_EXPEDITED: Transition(
        frozenset(UNDECIDED), None, _REVIEW | _INTAKE, "prior-auth.expedited-refused", before_decision=True
    ),
    Step.EXTEND: Transition(frozenset(UNDECIDED), None, _REVIEW | _INTAKE, "prior-auth.extended", before_decision=True),
    # A physician too: an answered question puts the request back into review, from where nobody denies.
    Step.REFER: Transition(_from(State.IN_REVIEW), State.CLINICAL_REVIEW, _REVIEW, "prior-auth.referred"),
    Step.APPROVE: Transition(frozenset(_WITH_REVIEWER), State.DECIDED, _REVIEW, "prior-auth.approved"),
    Step.APPROVE_IN_PART: Transition(
        _from(State.CLINICAL_REVIEW), State.DECIDED, frozenset({Role.PHYSICIAN}), "prior-auth.approved-in-part"
    ),
    Step.DENY: Transition(
        _from(State.CLINICAL_REVIEW), State.DECIDED, frozenset({Role.PHYSICIAN}), "prior-auth.denied"
    ),
    Step.APPROVE_BY_RULE: Transition(_from(State.QUEUED), State.DECIDED, _SYSTEM, "prior-auth.approved"),
    # By law, when the due instant has passed without a determination, whoever has the request then.
    Step.DEEM_APPROVED: Transition(frozenset(UNDECIDED), State.DECIDED, _SYSTEM, "prior-auth.deemed-approved"),
    Step.DEEM_ADVERSE: Transition(frozenset(UNDECIDED), State.DECIDED, _SYSTEM, "prior-auth.deemed-adverse"),
    Step.FORWARD: Transition(_from(State.DECIDED), None, _INTAKE | _ADMIN, "prior-auth.forwarded"),
    # What was forwarded, itself or on appeal, is decided elsewhere; that supersedes what the insurer decided.
    Step.RECORD_INDEPENDENT_REVIEW: Transition(
        _from(State.DECIDED), None, _INTAKE | _ADMIN, "prior-auth.independently-reviewed"
    ),
    Step.WITHDRAW: Transition(
        frozenset(ACTIVE), State.WITHDRAWN, _CLINIC, "prior-auth.withdrawn", before_decision=True
    ),
    Step.DISMISS: Transition(
        _from(State.QUEUED, State.IN_REVIEW),
        State.DISMISSED,
        _INTAKE | {Role.REVIEWER},
        "prior-auth.dismissed",
        before_decision=True,
    ),
    Step.LINK_DUPLICATE: Transition(
        frozenset(ACTIVE), State.DUPLICATE, _STAFF | _INTAKE, "prior-auth.linked-as-duplicate", before_decision=True
    ),
    # Voiding takes one of the staff and a second person of the clinic, or an insurer's administrator.
    Step.PROPOSE_VOID: Transition(frozenset(State) - {State.VOIDED}, None, _STAFF),
    Step.VOID: Transition(frozenset(State) - {State.VOIDED}, State.VOIDED, _CLINIC | _ADMIN, "prior-auth.voided"),
    Step.REOPEN: Transition(
        _from(State.DECIDED), State.IN_REVIEW, frozenset({Role.PHYSICIAN}) | _ADMIN, "prior-auth.reopened"
    ),
    # A decision on an appeal supersedes the request's; the appeal's own step tells of it.
    Step.OVERTURN: Transition(_from(State.DECIDED), None, _APPEAL_REVIEW),
    Step.OVERTURN_IN_PART: Transition(_from(State.DECIDED), None, _APPEAL_REVIEW),
}

AGAINST = frozenset({Step.DENY, Step.APPROVE_IN_PART})
"""Steps that decide against what was asked, wholly or in part."""

ON_APPEAL = frozenset({Step.OVERTURN, Step.OVERTURN_IN_PART})
"""Steps that deciding an appeal takes; nobody takes them on the request itself."""


OVERTAKEN = AGAINST | {Step.DISMISS, Step.LINK_DUPLICATE, Step.RETURN, Step.ASK}
"""Steps against what was asked, or that ask for more: they come too late once the law has decided. A full approval is
favourable to the patient, and may come until the law's decision is recorded."""

NEVER_AWAITED = frozenset(
    {
        Step.ASSIGN,
        Step.RECORD_EXEMPTION,
        Step.TAKE_BACK,
        Step.ANSWER_IN_PART,
        Step.ANSWER_LATE,
        Step.WITHDRAW,
        Step.RELEASE,
        Step.RETURN,
        Step.TAKE_IN_HAND,
        Step.GIVE_BACK,
        Step.REASSIGN,
        Step.EXPEDITE,
        Step.REFUSE_EXPEDITED,
        Step.EXTEND,
        Step.DISMISS,
        Step.LINK_DUPLICATE,
        Step.PROPOSE_VOID,
        Step.VOID,
        Step.REOPEN,
        Step.FORWARD,
        Step.RECORD_INDEPENDENT_REVIEW,
    }
)
"""Steps that are open to whoever may take them, but that a request never waits for."""


def is_allowed(step: Step, *, state: State | None, roles: Collection[Role], is_reopened: bool = False) -> bool:
    """Say whether someone in these roles may take the step from this state."""
    return TABLE[step].is_open_to(roles, state=state, is_reopened=is_reopened)


def awaited_of(roles: Collection[Role]) -> frozenset[State]:
    """Return the states in which a request waits for a step that someone in these roles may take."""
    return frozenset(state for state in State if not NEVER_AWAITED.issuperset(steps_for(state=state, roles=roles)))


def steps_for(*, state: State, roles: Collection[Role], is_reopened: bool = False) -> list[Step]:
    """Return the steps someone in these roles may take on the request now, in the order of the table."""
    open_now = open_steps(TABLE, state=state, roles=roles, is_reopened=is_reopened)
    return [step for step in open_now if step not in ON_APPEAL]
