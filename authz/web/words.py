"""PURE: what the pages call things. Status is told in words, never by colour alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from authz.access.roles import Role
from authz.documentation.questionnaire import Source
from authz.policies.automation import Mark
from authz.policies.clause import Standing
from authz.policies.history import Kind
from authz.policies.regime import NextLevel
from authz.prior_auths import authorization
from authz.prior_auths.appeal_lifecycle import AppealDismissal, AppealOutcome, AppealState, AppealStep
from authz.prior_auths.call_lifecycle import CallOutcome, CallState, CallStep
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.determination import Outcome
from authz.prior_auths.lifecycle import DismissalReason, ReopeningReason, State, Step
from authz.prior_auths.moments import Happening
from authz.prior_auths.wanted import Ball, Due, Show
from authz.rules.selection import Ignored
from authz.rules.verdict import Look


class Tone(StrEnum):
    """How a status is underlined, besides being told in words."""

    WAITS = "waits"
    RUNS = "runs"
    GOOD = "good"
    BAD = "bad"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Status:
    """Where a request is, and who has the ball; empty when nobody has."""

    words: str
    tone: Tone
    ball: str = ""


OWNER: Mapping[Role, str] = {Role.STAFF: "The clinic's staff", Role.PRESCRIBER: "The prescriber"}
"""Whose a question of the insurer is to answer."""

STATUS: Mapping[State, Status] = {
    State.DETECTED: Status("Needed, not taken up yet", Tone.WAITS, "The clinic"),
    State.DRAFT: Status("Being completed", Tone.WAITS, "The clinic"),
    State.AWAITING_PRESCRIBER: Status("Waiting for the prescriber", Tone.WAITS, "The prescriber"),
    State.QUEUED: Status("Waiting for a reviewer", Tone.RUNS, "The insurer"),
    State.INCOMPLETE: Status("Returned: something is missing", Tone.WAITS, "The clinic"),
    State.IN_REVIEW: Status("In review", Tone.RUNS, "The insurer"),
    State.INFO_REQUESTED: Status("Waiting for the clinic's answers", Tone.WAITS, "The clinic"),
    State.CLINICAL_REVIEW: Status("With a physician", Tone.RUNS, "The insurer's physician"),
    State.DECIDED: Status("Decided", Tone.OVER),
    State.WITHDRAWN: Status("Withdrawn", Tone.OVER),
    State.DISMISSED: Status("Dismissed: no valid request", Tone.OVER),
    State.DUPLICATE: Status("Linked to another request", Tone.OVER),
    State.LAPSED: Status("No longer needed", Tone.OVER),
    State.VOIDED: Status("Voided: created in error", Tone.OVER),
}
HAPPENED: Mapping[Happening, str] = {
    Happening.ORDER: "Order",
    Happening.FILL: "Fill",
    Happening.REVERSAL: "Reversal",
    Happening.CANCELLATION: "Cancellation",
    Happening.ENTERED_IN_ERROR: "Entered in error",
    Happening.EXEMPTION: "Exemption",
    Happening.EXEMPTION_WITHDRAWN: "Exemption withdrawn",
    Happening.PAIN_SCORE: "Pain score",
    Happening.SURGERY: "Surgery",
    Happening.REQUEST: "Request",
    Happening.DETERMINATION: "Decision",
    Happening.APPEAL: "Appeal",
}
OUTCOME: Mapping[Outcome, Status] = {
    Outcome.APPROVED: Status("Approved", Tone.GOOD),
    Outcome.PARTIALLY_APPROVED: Status("Approved in part", Tone.BAD),
    Outcome.DENIED: Status("Denied", Tone.BAD),
    Outcome.DEEMED_APPROVED: Status("Approved by law: not decided in time", Tone.GOOD),
    Outcome.DEEMED_ADVERSE: Status("Adverse by law: not decided in time", Tone.BAD),
}
RIGHT: Mapping[authorization.Standing, Status] = {
    authorization.Standing.ACTIVE: Status("In force", Tone.GOOD),
    authorization.Standing.IN_RENEWAL_WINDOW: Status("In force, ends soon", Tone.RUNS),
    authorization.Standing.EXHAUSTED: Status("Used up", Tone.OVER),
    authorization.Standing.EXPIRED: Status("Ended", Tone.OVER),
    authorization.Standing.REVOKED: Status("Revoked", Tone.BAD),
    authorization.Standing.SUPERSEDED: Status("Superseded by a later decision", Tone.OVER),
}
"""How an authorization stands."""

ACTION: Mapping[Step, str] = {
    Step.TAKE_UP: "Take up",
    Step.ASSIGN: "Assign to a colleague",
    Step.ASK_PRESCRIBER: "Ask the prescriber",
    Step.ANSWER_PRESCRIBER: "Answer as the prescriber",
    Step.RECORD_EXEMPTION: "Record the exemption",
    Step.TAKE_BACK: "Take it back from the prescriber",
    Step.SUBMIT: "Submit to the insurer",
    Step.RETURN: "Return as incomplete",
    Step.COMPLETE: "Complete",
    Step.CLAIM: "Claim",
    Step.RELEASE: "Put back into the queue",
    Step.TAKE_IN_HAND: "Take in hand",
    Step.GIVE_BACK: "Give back to the physicians",
    Step.REASSIGN: "Hand to a colleague",
    Step.ASK: "Ask the clinic",
    Step.ANSWER: "Answer the insurer",
    Step.ANSWER_IN_PART: "Answer the insurer in part",
    Step.ANSWER_LATE: "Answer the insurer late",
    Step.EXPEDITE: "Expedite",
    Step.REFUSE_EXPEDITED: "Refuse to expedite",
    Step.EXTEND: "Extend the time",
    Step.REFER: "Refer to a physician",
    Step.APPROVE: "Approve as asked",
    Step.APPROVE_IN_PART: "Approve in part",
    Step.DENY: "Deny",
    Step.WITHDRAW: "Withdraw",
    Step.FORWARD: "Note as forwarded",
    Step.RECORD_INDEPENDENT_REVIEW: "Record the independent review",
    Step.DISMISS: "Dismiss",
    Step.LINK_DUPLICATE: "Link to another request",
    Step.PROPOSE_VOID: "Propose to void",
    Step.VOID: "Void",
    Step.REOPEN: "Reopen",
}
"""What the button of a step says; a test demands one for every step a person can take."""

DONE: Mapping[Step, str] = {
    Step.OPEN: "Opened",
    Step.OPEN_BY_HAND: "Opened by hand",
    Step.RENEW: "Renewal opened",
    Step.RETRACT: "Closed: no longer needed",
    Step.TAKE_UP: "Taken up",
    Step.ASSIGN: "Assigned",
    Step.ASK_PRESCRIBER: "Prescriber asked",
    Step.ANSWER_PRESCRIBER: "Prescriber answered",
    Step.RECORD_EXEMPTION: "Exemption recorded",
    Step.TAKE_BACK: "Taken back from the prescriber",
    Step.SUBMIT: "Submitted to the insurer",
    Step.RETURN: "Returned as incomplete",
    Step.COMPLETE: "Completed",
    Step.CLAIM: "Claimed by a reviewer",
    Step.RELEASE: "Put back into the queue",
    Step.TAKE_IN_HAND: "Taken in hand by a physician",
    Step.GIVE_BACK: "Given back to the physicians",
    Step.REASSIGN: "Handed to a colleague",
    Step.ASK: "Clinic asked",
    Step.ANSWER: "Clinic answered",
    Step.ANSWER_IN_PART: "Clinic answered in part",
    Step.ANSWER_LATE: "Clinic answered late",
    Step.RESUME: "Taken on without an answer",
    Step.EXPEDITE: "Asked to be expedited",
    Step.REFUSE_EXPEDITED: "Not expedited",
    Step.EXTEND: "Time extended",
    Step.REFER: "Referred to a physician",
    Step.APPROVE: "Approved",
    Step.APPROVE_IN_PART: "Approved in part",
    Step.DENY: "Denied",
    Step.APPROVE_BY_RULE: "Approved by rule",
    Step.DEEM_APPROVED: "Approved by law",
    Step.DEEM_ADVERSE: "Adverse by law",
    Step.FORWARD: "Forwarded to the independent reviewer",
    Step.RECORD_INDEPENDENT_REVIEW: "Decided by the independent reviewer",
    Step.WITHDRAW: "Withdrawn",
    Step.DISMISS: "Dismissed",
    Step.LINK_DUPLICATE: "Linked to another request",
    Step.PROPOSE_VOID: "Proposed to be voided",
    Step.VOID: "Voided",
    Step.REOPEN: "Reopened",
    Step.OVERTURN: "Overturned on appeal",
    Step.OVERTURN_IN_PART: "Overturned in part on appeal",
}

APPEAL: Mapping[AppealState, Status] = {
    AppealState.FILED: Status("Filed", Tone.RUNS, "The insurer's intake"),
    AppealState.RECEIVED: Status("Waiting for an appeal reviewer", Tone.RUNS, "The insurer's appeal reviewers"),
    AppealState.IN_REVIEW: Status("In review", Tone.RUNS, "The insurer's appeal reviewer"),
    AppealState.DECIDED: Status("Decided", Tone.OVER),
    AppealState.DISMISSED: Status("Dismissed: no valid appeal", Tone.OVER),
    AppealState.WITHDRAWN: Status("Withdrawn", Tone.OVER),
    AppealState.EXTERNAL: Status("With the independent reviewer", Tone.WAITS, "The independent reviewer"),
}
APPEAL_OUTCOME: Mapping[AppealOutcome, Status] = {
    AppealOutcome.UPHELD: Status("Upheld: the decision stands", Tone.BAD),
    AppealOutcome.OVERTURNED: Status("Overturned: approved as asked", Tone.GOOD),
    AppealOutcome.PARTLY_OVERTURNED: Status("Overturned in part", Tone.BAD),
}
"""What was decided on an appeal, by the insurer or by the independent reviewer."""
APPEAL_DONE: Mapping[AppealStep, str] = {
    AppealStep.FILE: "Appeal filed",
    AppealStep.RECEIVE: "Appeal acknowledged",
    AppealStep.TAKE_IN_HAND: "Appeal taken in hand",
    AppealStep.RELEASE: "Appeal put back",
    AppealStep.ADD_DOCUMENT: "Document sent in with the appeal",
    AppealStep.UPHOLD: "Decision upheld on appeal",
    AppealStep.OVERTURN: "Decision overturned on appeal",
    AppealStep.OVERTURN_IN_PART: "Decision overturned in part on appeal",
    AppealStep.DISMISS: "Appeal dismissed",
    AppealStep.WITHDRAW: "Appeal withdrawn",
    AppealStep.FORWARD: "Appeal forwarded to the independent reviewer",
}
APPEAL_ACTION: Mapping[AppealStep, str] = {
    AppealStep.RECEIVE: "Acknowledge the appeal",
    AppealStep.TAKE_IN_HAND: "Take the appeal in hand",
    AppealStep.RELEASE: "Put the appeal back",
    AppealStep.UPHOLD: "Uphold the decision",
    AppealStep.OVERTURN: "Overturn: approve as asked",
    AppealStep.OVERTURN_IN_PART: "Overturn in part",
    AppealStep.DISMISS: "Dismiss the appeal",
    AppealStep.FORWARD: "Note the appeal as forwarded",
}
"""What the insurer's buttons for an appeal say."""
APPEAL_DISMISSAL: Mapping[AppealDismissal, str] = {
    AppealDismissal.NOT_A_PARTY: "Who appeals is not entitled to",
    AppealDismissal.NO_GOOD_CAUSE: "It is late, and there is no good cause",
    AppealDismissal.NOTHING_LEFT_TO_DECIDE: "Nothing is left to decide",
}
CALL: Mapping[CallState, Status] = {
    CallState.OFFERED: Status("Offered by the insurer", Tone.WAITS, "The clinic"),
    CallState.PROPOSED: Status("The clinic proposes times", Tone.RUNS, "The insurer"),
    CallState.AGREED: Status("A time is agreed on", Tone.RUNS),
    CallState.CONCLUDED: Status("Concluded", Tone.OVER),
    CallState.DECLINED: Status("The clinic does without it", Tone.OVER),
    CallState.CANCELLED: Status("Not held: the request has ended or is approved", Tone.OVER),
}
CALL_ACTION: Mapping[CallStep, str] = {
    CallStep.OFFER: "Offer a peer-to-peer call",
    CallStep.OFFER_TIMES: "Offer other times for the call",
    CallStep.CONFIRM: "Confirm a time for the call",
    CallStep.CONCLUDE: "Keep what came of the call",
}
"""What the insurer's buttons for a peer-to-peer call say."""
CALL_OUTCOME: Mapping[CallOutcome, str] = {
    CallOutcome.WILL_APPROVE: "The insurer will approve: the request is to be reopened",
    CallOutcome.WILL_STAND: "The insurer's view stands",
    CallOutcome.NEW_INFORMATION: "There is new information",
    CallOutcome.NOT_HELD: "It was not held",
}
ONWARD: Mapping[NextLevel, str] = {
    NextLevel.INDEPENDENT_REVIEWER: "the independent reviewer",
    NextLevel.FAIR_HEARING: "a State fair hearing",
}

CLOCK: Mapping[Kind, tuple[str, str]] = {
    Kind.DECIDE_BY: ("Decision", "The clinic waits for the insurer"),
    Kind.NOTIFY_BY: ("Notice of the decision", "The clinic waits for the insurer"),
    Kind.INFORMATION_REPLY_BY: ("Answers to the insurer", "The insurer waits for the clinic"),
    Kind.FORWARD_BY: ("Forwarding to the independent reviewer", "The clinic waits for the insurer"),
    Kind.APPEAL_FILE_BY: ("Filing an appeal", "It is the clinic's to do"),
    Kind.APPEAL_DECIDE_BY: ("Decision on the appeal", "The clinic waits for the insurer"),
    Kind.REOPEN_BY: ("Reopening", "It is the insurer's to do"),
}
"""What a clock is about, and who waits for whom while it runs."""
MARK: Mapping[Mark, Status] = {
    Mark.MET: Status("Met", Tone.GOOD),
    Mark.NOT_MET: Status("Not met", Tone.BAD),
    Mark.NOT_DOCUMENTED: Status("Not documented", Tone.WAITS),
}

SHOW: Mapping[Show, str] = {
    Show.OPEN: "All open",
    Show.NEEDS_ANSWER: "Needs your answer",
    Show.DUE_TODAY: "Due today",
    Show.WITH_INSURER: "With the insurer",
    Show.DECIDED: "Decided in 24 hours",
    Show.ENDED: "Ended",
    Show.ALL: "All requests",
}
BALL: Mapping[Ball, str] = {
    Ball.CLINIC: "The clinic",
    Ball.PRESCRIBER: "The prescriber",
    Ball.INSURER: "The insurer",
}
DUE: Mapping[Due, str] = {Due.OVERDUE: "Overdue", Due.TODAY: "Today or overdue", Due.WEEK: "Within seven days"}

SETTING: Mapping[Standing, Status] = {
    Standing.CONFIRMED: Status("Confirmed", Tone.GOOD),
    Standing.UNCONFIRMED: Status("Not confirmed", Tone.WAITS),
    Standing.PRODUCT_DEFAULT: Status("Product's default", Tone.OVER),
}
ROLE: Mapping[Role, str] = {
    Role.STAFF: "clinic staff",
    Role.PRESCRIBER: "prescriber",
    Role.CLINIC_ADMIN: "clinic administrator",
    Role.INTAKE: "insurer intake",
    Role.REVIEWER: "reviewer",
    Role.PHYSICIAN: "physician",
    Role.APPEAL_REVIEWER: "appeal reviewer",
    Role.INSURER_ADMIN: "insurer administrator",
    Role.SYSTEM: "the system",
}
SOURCE: Mapping[Source, str] = {
    Source.CHART: "the chart",
    Source.STAFF: "clinic staff",
    Source.PRESCRIBER: "the prescriber",
    Source.PRIOR_REQUEST: "an earlier request",
    Source.COMPUTED: "computed from the records",
    Source.PAYER: "the payer",
}
URGENCY: Mapping[Urgency, str] = {
    Urgency.STANDARD: "Standard",
    Urgency.EXPEDITED: "Expedited: waiting could do serious harm",
}
IGNORED: Mapping[Ignored, str] = {
    Ignored.REVERSED: "Not counted: reversed",
    Ignored.CANCELLED: "Not counted: cancelled",
    Ignored.ENTERED_IN_ERROR: "Not counted: entered in error",
    Ignored.FUTURE_DATED: "Not counted: dated in the future",
    Ignored.UNKNOWN_PRODUCT: "Not counted: unknown product code",
    Ignored.EXCLUDED_PRODUCT: "Not counted: not opioid use for pain",
    Ignored.NO_DAYS_SUPPLY: "Not counted: no days' supply",
    Ignored.IMPLAUSIBLE_DAYS_SUPPLY: "Not counted: days' supply not plausible",
    Ignored.DUPLICATE: "Not counted: same dispensing as another record",
    Ignored.WRITTEN_NOT_COUNTED: "Not counted: this policy counts no written orders",
    Ignored.RX_FILLED: "Not counted: dispensed, its fills count instead",
    Ignored.RX_UNFILLED_EXPIRED: "Not counted: not dispensed in time",
}
LOOK: Mapping[Look, str] = {
    Look.UNKNOWN_PRODUCT: "find out which product it is",
    Look.NO_DAYS_SUPPLY: "find out how many days it lasts",
    Look.IMPLAUSIBLE_DAYS_SUPPLY: "check the days' supply",
    Look.PATCH_DAYS_NOT_THREE_EACH: "check the days: a patch is worn for three",
    Look.NO_QUANTITY: "quantity missing, so no MME",
    Look.NO_MME_FACTOR: "no conversion factor, so no MME",
    Look.UNCONFIRMED_FACTOR: "conversion factor not confirmed",
    Look.HISTORY_INCOMPLETE: "earlier history not fully known",
}
DISMISSAL: Mapping[DismissalReason, str] = {
    DismissalReason.NOT_A_MEMBER: "The patient is not our member",
    DismissalReason.NOT_ENTITLED_TO_ASK: "Who asks is not entitled to",
    DismissalReason.NOT_THIS_BENEFIT: "The drug is not under this benefit",
    DismissalReason.NOT_REQUIRED: "No authorization is required",
}
REOPENING: Mapping[ReopeningReason, str] = {
    ReopeningReason.CLERICAL_ERROR: "A clerical error",
    ReopeningReason.NEW_MATERIAL_EVIDENCE: "New material evidence",
    ReopeningReason.FRAUD: "Fraud",
}


def status(state: State, outcome: Outcome | None = None) -> Status:
    """Return where a request is; for a decided one, what was decided."""
    return OUTCOME[outcome] if state is State.DECIDED and outcome else STATUS[state]


def appeal_status(state: AppealState, outcome: AppealOutcome | None) -> Status:
    """Return where an appeal is; of a decided one, what was decided."""
    return APPEAL_OUTCOME[outcome] if state is AppealState.DECIDED and outcome else APPEAL[state]
