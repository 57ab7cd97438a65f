"""PURE: what a request says in the words of other systems: X12 278, Da Vinci PAS and NCPDP SCRIPT.

X12 tells the whole in HCR01 (data element 306, the action of a 278 response). PAS tells it item by item, in the same
list (https://hl7.org/fhir/us/davinci-pas/StructureDefinition-extension-reviewActionCode.html, 2.2.1): what is granted
in place of an item comes as an `addItem`, and of an item not certified a reason of X12's list 886 goes with it
(…/StructureDefinition-extension-reviewAction.html). NCPDP SCRIPT (2017071, 2023011) answers a request with a
PAResponse, and ends one that its prescriber takes back with a PACancelRequest. The names of codes were read in the
examples of PAS and in lists by others; X12's and NCPDP's own guides are sold and were not read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from authz.prior_auths.determination import DecidedLine, Outcome, outcome_of
from authz.prior_auths.lifecycle import ACTIVE, State


class Answer(StrEnum):
    """What a request, or an evaluation, says to whoever asked: as finely as the three tell it."""

    APPROVED = "approved"
    LINES_DIFFER = "lines_differ"
    MODIFIED = "modified"
    DENIED = "denied"
    OPEN = "open"
    CANCELLED = "cancelled"
    CLOSED = "closed"
    NOT_REQUIRED = "not_required"


class ReviewAction(StrEnum):
    """HCR01 of X12 278, and `reviewActionCode` of Da Vinci PAS."""

    CERTIFIED_IN_TOTAL = "A1"
    CERTIFIED_IN_PART = "A2"
    NOT_CERTIFIED = "A3"
    PENDED = "A4"
    MODIFIED = "A6"
    CANCELLED = "C"
    NO_ACTION_REQUIRED = "NA"


class PasStatus(StrEnum):
    """The status of the ClaimResponse; `no-auth` is what CRD's coverage information says, and there is no response."""

    ACTIVE = "active"
    CANCELLED = "cancelled"
    NO_AUTH = "no-auth"


class EpaStatus(StrEnum):
    """What NCPDP SCRIPT answers a request for prior authorization."""

    APPROVED = "Approved"
    PARTIALLY_DENIED = "PartiallyDenied"
    DENIED = "Denied"
    OPEN = "Open"
    CANCEL = "PACancel"
    CLOSED = "Closed"


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes of one answer. `pas_items` are those that its items can have."""

    x12_278: ReviewAction
    pas: PasStatus
    ncpdp_epa: EpaStatus
    pas_items: tuple[ReviewAction, ...] = ()


_TOTAL, _PART, _NOT = ReviewAction.CERTIFIED_IN_TOTAL, ReviewAction.CERTIFIED_IN_PART, ReviewAction.NOT_CERTIFIED
_PENDED, _MODIFIED, _CANCELLED = ReviewAction.PENDED, ReviewAction.MODIFIED, ReviewAction.CANCELLED

CODES: Final[Mapping[Answer, Codes]] = {
    Answer.APPROVED: Codes(_TOTAL, PasStatus.ACTIVE, EpaStatus.APPROVED, (_TOTAL,)),
    Answer.LINES_DIFFER: Codes(_PART, PasStatus.ACTIVE, EpaStatus.PARTIALLY_DENIED, (_TOTAL, _MODIFIED, _NOT)),
    Answer.MODIFIED: Codes(_MODIFIED, PasStatus.ACTIVE, EpaStatus.PARTIALLY_DENIED, (_TOTAL, _MODIFIED)),
    Answer.DENIED: Codes(_NOT, PasStatus.ACTIVE, EpaStatus.DENIED, (_NOT,)),
    Answer.OPEN: Codes(_PENDED, PasStatus.ACTIVE, EpaStatus.OPEN, (_PENDED,)),
    Answer.CANCELLED: Codes(_CANCELLED, PasStatus.CANCELLED, EpaStatus.CANCEL),
    Answer.CLOSED: Codes(_CANCELLED, PasStatus.CANCELLED, EpaStatus.CLOSED),
    Answer.NOT_REQUIRED: Codes(ReviewAction.NO_ACTION_REQUIRED, PasStatus.NO_AUTH, EpaStatus.CLOSED),
}
WHEN: Final[Mapping[Answer, str]] = {
    Answer.APPROVED: "approved as asked, also by law",
    Answer.LINES_DIFFER: "some lines are granted, others are not",
    Answer.MODIFIED: "every line is granted, with less of it or another product",
    Answer.DENIED: "denied, also by law",
    Answer.OPEN: "nothing is decided yet",
    Answer.CANCELLED: "who asked took it back, or it was created in error",
    Answer.CLOSED: "ended without a decision, and not by who asked",
    Answer.NOT_REQUIRED: "no authorization is needed",
}
OF_OUTCOME: Final[Mapping[Outcome, tuple[Answer, ...]]] = {
    Outcome.APPROVED: (Answer.APPROVED,),
    Outcome.DEEMED_APPROVED: (Answer.APPROVED,),
    Outcome.PARTIALLY_APPROVED: (Answer.MODIFIED, Answer.LINES_DIFFER),
    Outcome.DENIED: (Answer.DENIED,),
    Outcome.DEEMED_ADVERSE: (Answer.DENIED,),
}
"""Which of two a partial approval is, its lines tell."""
_ACTIONS: Final[Mapping[Outcome, ReviewAction]] = {
    Outcome.APPROVED: _TOTAL,
    Outcome.PARTIALLY_APPROVED: _MODIFIED,
    Outcome.DENIED: _NOT,
}

# No end but a decision is an adverse one, so none is A3. What lapsed was never sent: a late fact made it needless. What
# was dismissed was no valid request, and what is a duplicate is answered in the one that stands; nobody took it back.
OF_STATE: Final[Mapping[State, Answer]] = {
    **dict.fromkeys(sorted(ACTIVE), Answer.OPEN),
    State.WITHDRAWN: Answer.CANCELLED,
    State.VOIDED: Answer.CANCELLED,
    State.DISMISSED: Answer.CLOSED,
    State.DUPLICATE: Answer.CLOSED,
    State.LAPSED: Answer.NOT_REQUIRED,
}
"""What each state says where no decision is in force; a decided request has one."""


@dataclass(frozen=True, slots=True)
class Item:
    """What PAS says of one line. What is granted in its place is an `addItem`; `reason_list` is of which X12 list a
    reason goes with it, or empty."""

    line: int
    review_action: ReviewAction

    @property
    def has_add_item(self) -> bool:
        return self.review_action is ReviewAction.MODIFIED

    @property
    def reason_list(self) -> str:
        return "886" if self.review_action is ReviewAction.NOT_CERTIFIED else ""


@dataclass(frozen=True, slots=True)
class Told:
    """What is said, and of each line by itself where PAS does so."""

    answer: Answer
    items: tuple[Item, ...] = ()

    @property
    def codes(self) -> Codes:
        return CODES[self.answer]


NOT_REQUIRED: Final = Told(Answer.NOT_REQUIRED)
"""What an evaluation says by which nothing needs authorization: it opens no request."""


def told_by_determination(outcome: Outcome, lines: Iterable[DecidedLine]) -> Told:
    """Return what a determination says: of the two that a partial approval can be, its lines tell which."""
    items = tuple(Item(line.line, _ACTIONS[outcome_of(line)]) for line in lines)
    whole, *differing = OF_OUTCOME[outcome]
    is_any_refused = any(item.review_action is ReviewAction.NOT_CERTIFIED for item in items)
    return Told(differing[0] if differing and is_any_refused else whole, items)


def told_by_request(state: State, *, in_force: Told | None, asked: Iterable[int]) -> Told:
    """Return what a request says. `in_force` is what its determination says, `asked` are the numbers of its lines.

    A determination stands until another one supersedes it, so a reopened request goes on saying what was decided. Only
    voiding takes that away.
    """
    if in_force is not None and state is not State.VOIDED:
        return in_force
    answer = OF_STATE[state]
    items = (Item(line, ReviewAction.PENDED) for line in asked) if answer is Answer.OPEN else ()
    return Told(answer, tuple(items))
