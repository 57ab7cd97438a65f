"""PURE: the steps of a request's life as what its clocks heed."""

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, Protocol

from authz.policies.history import Happened, What
from authz.prior_auths.lifecycle import Step

# Every request carries the prescriber's own attestation, without which it cannot be submitted: that is the supporting
# statement. Questions go out in writing, item by item, which is the notice that stops a clock where one can be stopped.
HEEDED: Final[Mapping[Step, tuple[What, ...]]] = {
    Step.SUBMIT: (What.RECEIVED, What.STATEMENT_RECEIVED),
    Step.ASK: (What.INFO_ASKED,),
    Step.ANSWER: (What.INFO_ANSWERED,),
    Step.ANSWER_LATE: (What.INFO_ANSWERED,),
    Step.EXPEDITE: (What.EXPEDITED_ASKED,),
    Step.REFUSE_EXPEDITED: (What.EXPEDITED_REFUSED,),
    Step.EXTEND: (What.EXTENDED,),
    Step.APPROVE: (What.DECIDED,),
    Step.APPROVE_BY_RULE: (What.DECIDED,),
    Step.DEEM_APPROVED: (What.DECIDED,),
    Step.DEEM_ADVERSE: (What.DECIDED_ADVERSE,),
    Step.FORWARD: (What.FORWARDED,),
    Step.APPROVE_IN_PART: (What.DECIDED_ADVERSE,),
    Step.DENY: (What.DECIDED_ADVERSE,),
    # Even in part: what was decided on appeal is not appealed to the insurer again.
    Step.OVERTURN: (What.DECIDED,),
    Step.OVERTURN_IN_PART: (What.DECIDED,),
    # Whatever it says: what the independent reviewer decided is not appealed to the insurer.
    Step.RECORD_INDEPENDENT_REVIEW: (What.DECIDED,),
    Step.RETURN: (What.RETURNED_INCOMPLETE,),
    Step.COMPLETE: (What.COMPLETED,),
    Step.WITHDRAW: (What.CLOSED,),
    Step.DISMISS: (What.CLOSED,),
    Step.LINK_DUPLICATE: (What.CLOSED,),
    Step.VOID: (What.CLOSED,),
    Step.RETRACT: (What.CLOSED,),
}
_NOTICED: Final = frozenset({What.INFO_ASKED, What.RETURNED_INCOMPLETE})
UNHEEDED: Final[frozenset[Step]] = frozenset(
    {
        Step.OPEN,
        Step.OPEN_BY_HAND,
        Step.RENEW,
        Step.TAKE_UP,
        Step.ASSIGN,
        Step.ASK_PRESCRIBER,
        Step.ANSWER_PRESCRIBER,
        Step.RECORD_EXEMPTION,
        Step.TAKE_BACK,
        Step.ANSWER_IN_PART,
        Step.CLAIM,
        Step.RELEASE,
        Step.TAKE_IN_HAND,
        Step.GIVE_BACK,
        Step.REASSIGN,
        Step.REFER,
        # The regime itself says when its clock goes on without an answer.
        Step.RESUME,
        Step.PROPOSE_VOID,
        Step.REOPEN,
    }
)
"""Steps that no clock heeds. Every step is either here or above."""

DECISIONS: Final = frozenset(
    step for step, heeded in HEEDED.items() if {What.DECIDED, What.DECIDED_ADVERSE}.intersection(heeded)
)
"""The steps that make a determination."""


class Taken(Protocol):
    """A step that was taken, as the rows of events have it."""

    @property
    def step(self) -> str: ...
    @property
    def at(self) -> datetime: ...


def history_of(events: Iterable[Taken], *, replies: Mapping[datetime, datetime] | None = None) -> list[Happened]:
    """Return what a request's clocks heed of its events, which come oldest first.

    `replies` is by when the insurer wants the answers to what it asked, by the instant of the question.
    """
    wanted = replies or {}
    return [
        Happened(what, at, with_notice=what in _NOTICED, reply_by=wanted.get(event.at))
        for event, at in in_sequence(events, HEEDED)
        for what in HEEDED[Step(event.step)]
    ]


def in_sequence(events: Iterable[Taken], heeded: Container[str]) -> Iterator[tuple[Taken, datetime]]:
    """Yield the events that are heeded, oldest first, each at its instant but at none before the one ahead of it.

    An instant is read before the case is locked: of two people who act at once, the one who gets the lock second may
    have come first. In the order of the events they were, and a clock never runs backwards.
    """
    latest = datetime.min.replace(tzinfo=UTC)
    for event in events:
        if event.step in heeded:
            latest = max(latest, event.at)
            yield event, latest
