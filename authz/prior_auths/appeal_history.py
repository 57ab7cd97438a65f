"""PURE: the steps of an appeal's life as what its clocks heed."""

from collections.abc import Iterable, Mapping
from typing import Final

from authz.policies.history import Happened, What
from authz.prior_auths.appeal_lifecycle import AppealStep
from authz.prior_auths.clock_history import Taken, in_sequence
from authz.prior_auths.deadlines import Urgency

# What is filed here reaches the insurer in the same instant: that is the receipt from which its time counts.
HEEDED: Final[Mapping[AppealStep, What]] = {
    AppealStep.FILE: What.APPEAL_FILED,
    AppealStep.UPHOLD: What.APPEAL_DECIDED,
    AppealStep.OVERTURN: What.APPEAL_DECIDED,
    AppealStep.OVERTURN_IN_PART: What.APPEAL_DECIDED,
    AppealStep.DISMISS: What.APPEAL_CLOSED,
    AppealStep.WITHDRAW: What.APPEAL_CLOSED,
    AppealStep.FORWARD: What.FORWARDED,
}
UNHEEDED: Final[frozenset[AppealStep]] = frozenset(
    {AppealStep.RECEIVE, AppealStep.TAKE_IN_HAND, AppealStep.RELEASE, AppealStep.ADD_DOCUMENT}
)
"""Steps that no clock heeds. Every step is either here or above."""


def history_of_appeal(events: Iterable[Taken], *, urgency: Urgency) -> list[Happened]:
    """Return what the clocks heed of an appeal's events, which come oldest first."""
    history: list[Happened] = []
    for event, at in in_sequence(events, HEEDED):
        history.append(Happened(HEEDED[AppealStep(event.step)], at))
        if event.step == AppealStep.FILE and urgency is Urgency.EXPEDITED:
            history.append(Happened(What.APPEAL_EXPEDITED_ASKED, at))
        if event.step == AppealStep.FORWARD:  # the insurer decides it no more, in time or late
            history.append(Happened(What.APPEAL_CLOSED, at))
    return history
