"""PURE: what a table of steps is made of, whatever goes through it: a request, an appeal, a peer-to-peer call."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from authz.access.roles import Role

StateT = TypeVar("StateT", bound=StrEnum)
StepT = TypeVar("StepT", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Transition(Generic[StateT]):
    """From where, to where, by whom; `says` is the topic announced to others, empty when nobody needs to hear.

    Without a target what takes the step stays where it is. A source of None is what does not exist yet.
    `before_decision` keeps the step from what was decided once and is looked at again.
    """

    sources: frozenset[StateT | None]
    target: StateT | None
    by: frozenset[Role]
    says: str = ""
    before_decision: bool = False

    def is_open_to(self, roles: Collection[Role], *, state: StateT | None, is_reopened: bool = False) -> bool:
        """Say whether someone in these roles may take the step from this state."""
        is_too_late = self.before_decision and is_reopened
        return state in self.sources and not self.by.isdisjoint(roles) and not is_too_late


def open_steps(
    table: Mapping[StepT, Transition[StateT]],
    *,
    state: StateT | None,
    roles: Collection[Role],
    is_reopened: bool = False,
) -> list[StepT]:
    """Return the steps someone in these roles may take now, in the order of the table."""
    return [step for step, row in table.items() if row.is_open_to(roles, state=state, is_reopened=is_reopened)]
