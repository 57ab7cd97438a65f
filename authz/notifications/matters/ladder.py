"""PURE: who is told next, and when, while a notice to act on stays open. One table."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from authz.notifications.waiting import NEAR


class Rung(StrEnum):
    """Kept in the database as these strings."""

    REMINDER = "reminder"
    DELEGATE = "delegate"
    TEAM = "team"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Row:
    """Who is told on a rung, what is announced then, and how long the one before has for it at most."""

    whom: str
    says: str
    at_most: timedelta


# A day each: whoever is at work that day has seen it. The administrator has two days of grace more than anybody, since
# without a clock nothing is lost meanwhile; with one, the shares below bring it forward.
LADDER: Final[Mapping[Rung, Row]] = {
    Rung.REMINDER: Row("those who were told, once more", "notice.reminder", timedelta(days=1)),
    Rung.DELEGATE: Row("their delegates", "notice.delegated", timedelta(days=1)),
    Rung.TEAM: Row("the clinic's staff; at an insurer, all of their role", "notice.to-team", timedelta(days=1)),
    Rung.ADMINISTRATOR: Row("the organization's administrators", "notice.to-administrator", timedelta(days=2)),
}

SHARE: Final = 4
"""A rung has a quarter of the time that is left when it is reached, so each later one still has time to act."""

AT_LEAST: Final = timedelta(minutes=30)
"""No rung follows on another's heels, however late it is: nobody answers in less."""


@dataclass(frozen=True, slots=True)
class Next:
    """The rung to take, and the earliest instant for it."""

    rung: Rung
    at: datetime


def rungs_left(taken: Collection[Rung]) -> list[Rung]:
    """Return the rungs above the highest that was taken: what was passed because nobody stood there stays passed."""
    ladder = list(LADDER)
    highest = max((ladder.index(rung) for rung in taken), default=-1)
    return ladder[highest + 1 :]


def next_rung(
    taken: Collection[Rung], *, since: datetime, goes_out: bool, presses_at: datetime | None = None
) -> Next | None:
    """Return what comes next; None when the ladder ends, or when nothing presses somebody to look into their queue.

    `since` is when the last rung was taken, or the notice was told; `presses_at` the first clock or run-out behind it.
    What did not go out in the first place lies in a queue that people work off: its ladder begins a day before.
    """
    left = rungs_left(taken)
    if not left:
        return None
    if not goes_out and not taken:
        if presses_at is None:
            return None
        since = max(since, presses_at - NEAR)
    wait = LADDER[left[0]].at_most
    if presses_at is not None:
        wait = min(wait, max((presses_at - since) / SHARE, AT_LEAST))
    return Next(left[0], since + wait)
