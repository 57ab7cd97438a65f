"""PURE: the three stages of every request, as all lists and pages show them: needed, documented, decided."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from authz.prior_auths.lifecycle import ASKED_OF_CLINIC, BEFORE_SUBMISSION, UNDECIDED, State


class Reached(StrEnum):
    """How far a stage is; the words are those of the page."""

    DONE = "done"
    NOW = "now"
    AHEAD = "ahead"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: its name, how far it is, and the same in a word for whoever does not see the shape."""

    name: str
    reached: Reached

    @property
    def said(self) -> str:
        return _SAID[self.reached]


_SAID: Final = {
    Reached.DONE: "done",
    Reached.NOW: "under way",
    Reached.AHEAD: "to come",
    Reached.NEVER: "not reached",
}
_NAMES: Final = ("Needed", "Documented", "Decided")


def stages(state: State) -> list[Stage]:
    """Return where a request is in the three stages. What ended without a decision never reaches the last."""
    return [Stage(name, reached) for name, reached in zip(_NAMES, _reached(state), strict=True)]


def _reached(state: State) -> tuple[Reached, Reached, Reached]:
    done, now, ahead = Reached.DONE, Reached.NOW, Reached.AHEAD
    if state is State.DETECTED:
        return now, ahead, ahead
    if state in BEFORE_SUBMISSION or state in ASKED_OF_CLINIC:
        return done, now, ahead
    if state in UNDECIDED:
        return done, done, now
    if state is State.DECIDED:
        return done, done, done
    return done, Reached.NEVER, Reached.NEVER
