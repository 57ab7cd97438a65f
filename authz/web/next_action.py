"""PURE: the one thing a reader should do next with a request, if the ball is with them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from authz.access.roles import Role
from authz.documentation.questionnaire import Question
from authz.prior_auths.exempt_reasons import NAMES_EXEMPTION
from authz.prior_auths.lifecycle import NEVER_AWAITED, State, Step
from authz.web import formats, words

ANSWER_QUESTIONS: Final = "answers"
"""The place of the questionnaire on the request's page; a step's place is its value."""

_DECISIONS: Final = frozenset({Step.APPROVE, Step.APPROVE_IN_PART, Step.DENY})


@dataclass(frozen=True, slots=True)
class NextAction:
    """What to do, and where on the request's page it is done."""

    words: str
    place: str


def next_action(
    *,
    state: State,
    open_steps: Sequence[Step],
    roles: Collection[Role],
    unanswered: Sequence[Question],
    instead: Step | None = None,
) -> NextAction | None:
    """Return what the reader should do next; None when the request waits for somebody else or has ended.

    `open_steps` are those open to the reader; `unanswered` the questions without a confirmed answer; `instead` is the
    step to take instead of submitting, where the answers say that the use needs no authorization.
    """
    awaited = [step for step in open_steps if step not in NEVER_AWAITED]
    if not awaited or (state is State.CLINICAL_REVIEW and Role.PHYSICIAN not in roles):
        return None
    if Step.SUBMIT in awaited:
        return _towards_submission(roles, unanswered, instead)
    step = Step.APPROVE if Step.APPROVE in awaited else awaited[0]
    return NextAction("Decide" if step in _DECISIONS else words.ACTION[step], step.value)


def _towards_submission(roles: Collection[Role], unanswered: Sequence[Question], instead: Step | None) -> NextAction:
    if instead and not any(question.link_id in NAMES_EXEMPTION for question in unanswered):
        return NextAction(words.ACTION[instead], instead.value)
    is_prescriber = Role.PRESCRIBER in roles
    mine = [question for question in unanswered if is_prescriber or not question.only_prescriber]
    if mine:
        return NextAction(f"Answer {formats.counted(len(mine), 'question')}", ANSWER_QUESTIONS)
    step = Step.ASK_PRESCRIBER if unanswered else Step.SUBMIT
    return NextAction(words.ACTION[step], step.value)
