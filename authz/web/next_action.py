"""PURE: the one thing a reader should do next with a request, if the ball is with them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from authz.access.roles import Role
from authz.documentation.questionnaire import Question
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
    *, state: State, allowed: Sequence[Step], roles: Collection[Role], unanswered: Sequence[Question]
) -> NextAction | None:
    """Return what the reader should do next; None when the request waits for somebody else or has ended.

    `allowed` are the steps the reader may take now; `unanswered` the questions without a confirmed answer.
    """
    open_steps = [step for step in allowed if step not in NEVER_AWAITED]
    if not open_steps or (state is State.CLINICAL_REVIEW and Role.PHYSICIAN not in roles):
        return None
    if Step.SUBMIT in open_steps:
        return _towards_submission(roles, unanswered)
    step = Step.APPROVE if Step.APPROVE in open_steps else open_steps[0]
    return NextAction("Decide" if step in _DECISIONS else words.ACTION[step], step.value)


def _towards_submission(roles: Collection[Role], unanswered: Sequence[Question]) -> NextAction:
    is_prescriber = Role.PRESCRIBER in roles
    mine = [question for question in unanswered if is_prescriber or not question.only_prescriber]
    if mine:
        return NextAction(f"Answer {formats.counted(len(mine), 'question')}", ANSWER_QUESTIONS)
    step = Step.ASK_PRESCRIBER if unanswered else Step.SUBMIT
    return NextAction(words.ACTION[step], step.value)
