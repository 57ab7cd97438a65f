"""PURE: the course of one request, as far as figures are drawn from it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final

from authz.policies.history import Happened, What
from authz.prior_auths.clock_facts import facts_of
from authz.prior_auths.clock_history import Taken, history_of
from authz.prior_auths.determination import Basis, Outcome
from authz.prior_auths.lifecycle import TABLE, UNANSWERED, State, Step

GIVEN_UP: Final = frozenset({State.WITHDRAWN, State.DISMISSED})
"""Ends without a determination that are counted. Other such ends take a request out of every figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """One determination. `on_appeal` says that it supersedes an adverse one because of an appeal against that, to
    the insurer or, forwarded, to the independent reviewer."""

    outcome: Outcome
    basis: Basis
    at: datetime
    was_late: bool = False
    on_appeal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A request that was received. Its `rulings` come oldest first.

    `is_expedited` and `is_extended` are as it counted when it was first decided, or counts now. `is_notified_late` says
    that the clinic did not hear of the first determination in time. `given_up` is how it ended without one.
    """

    received_at: datetime
    is_expedited: bool = False
    is_extended: bool = False
    rulings: tuple[Ruling, ...] = ()
    is_notified_late: bool = False
    given_up: State | None = None
    given_up_at: datetime | None = None

    @property
    def first_ruling(self) -> Ruling | None:
        """The determination that ended the time to decide; None before there is one."""
        return self.rulings[0] if self.rulings else None

    @property
    def time_to_decision(self) -> timedelta | None:
        """From receipt to the first determination."""
        return self.rulings[0].at - self.received_at if self.rulings else None


def course_of(taken: Sequence[Taken], *, rulings: Iterable[Ruling], is_notified_late: bool = False) -> Course | None:
    """Return the course of a request from its steps, oldest first; None when no figure counts it.

    That is one that was never received, was voided or lapsed, or is a duplicate.
    """
    if any(TABLE[Step(event.step)].target in UNANSWERED for event in taken):
        return None
    facts = facts_of(takewhile(_is_undecided, history_of(taken)))
    if facts is None:
        return None
    ruled = tuple(rulings)
    given_up, given_up_at = (None, None) if ruled else _given_up(taken)
    return Course(
        received_at=facts.received_at,
        is_expedited=facts.expedited_since is not None,
        is_extended=facts.extension is not None,
        rulings=ruled,
        is_notified_late=is_notified_late,
        given_up=given_up,
        given_up_at=given_up_at,
    )


def _is_undecided(happened: Happened) -> bool:
    return happened.what not in {What.DECIDED, What.DECIDED_ADVERSE}


def _given_up(taken: Sequence[Taken]) -> tuple[State | None, datetime | None]:
    for event in taken:
        target = TABLE[Step(event.step)].target
        if target in GIVEN_UP:
            return target, event.at
    return None, None
