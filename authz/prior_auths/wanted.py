"""PURE: what a reader can want to see of a clinic's worklist."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final
from uuid import UUID

from authz.prior_auths.lifecycle import ASKED_OF_CLINIC, UNDECIDED, State


class Show(StrEnum):
    """Which part of the clinic's requests is shown: what is open, a card of it, what has ended, or all."""

    OPEN = "open"
    NEEDS_ANSWER = "needs-answer"
    DUE_TODAY = "due-today"
    WITH_INSURER = "with-insurer"
    DECIDED = "decided"
    ENDED = "ended"
    ALL = "all"


class Ball(StrEnum):
    """Who has something to do."""

    CLINIC = "clinic"
    PRESCRIBER = "prescriber"
    INSURER = "insurer"


class Due(StrEnum):
    """By when the decision is due or the supply ends, whichever comes first."""

    OVERDUE = "overdue"
    TODAY = "today"
    WEEK = "week"


BALL: Final[Mapping[Ball, frozenset[State]]] = {
    Ball.CLINIC: frozenset({State.DETECTED, State.DRAFT}) | ASKED_OF_CLINIC,
    Ball.PRESCRIBER: frozenset({State.AWAITING_PRESCRIBER}),
    Ball.INSURER: UNDECIDED - ASKED_OF_CLINIC,
}
NOBODY: Final = "nobody"
"""As an assignee: on what nobody works yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the reader wants to see. `assignee` is a person's id or NOBODY; `search` is what they typed."""

    show: Show = Show.OPEN
    state: State | None = None
    ball: Ball | None = None
    due: Due | None = None
    prescriber: UUID | None = None
    payer: UUID | None = None
    assignee: str = ""
    search: str = ""

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the part shown is asked for."""
        return any(getattr(self, field.name) for field in fields(self) if field.name != "show")
