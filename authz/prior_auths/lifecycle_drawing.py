"""PURE: the tables of the lifecycle as a person reads them: the diagrams and the tables in docs/lifecycle.md."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic

from authz.access.roles import Role
from authz.prior_auths.appeal_lifecycle import TABLE as APPEALS
from authz.prior_auths.appeal_lifecycle import UNDECIDED as UNDECIDED_APPEALS
from authz.prior_auths.appeal_lifecycle import AppealState
from authz.prior_auths.call_lifecycle import OPEN as OPEN_CALLS
from authz.prior_auths.call_lifecycle import TABLE as CALLS
from authz.prior_auths.call_lifecycle import CallState
from authz.prior_auths.code_maps import CODES, WHEN, Item, ReviewAction
from authz.prior_auths.lifecycle import ACTIVE, TABLE, State
from authz.prior_auths.transition import StateT, StepT, Transition

BEGIN = "<!-- drawn by: manage.py lifecycle_doc -->"
END = "<!-- to here -->"


class NoPlaceForDrawing(ValueError):
    """The page lacks the two marks between which the drawing belongs."""


def redrawn(page: str) -> str:
    """Return the page with everything between the marks drawn anew.

    :raises NoPlaceForDrawing: when it lacks the marks.
    """
    return between_marks(page, BEGIN, drawing())


def between_marks(page: str, mark: str, drawn: str) -> str:
    """Return the page with what was drawn between the mark and the end mark below it.

    :raises NoPlaceForDrawing: when it lacks one of them.
    """
    before, begin, rest = page.partition(mark)
    _old, end, after = rest.partition(END)
    if not begin or not end:
        raise NoPlaceForDrawing(f"The page needs the line {mark} and, below it, {END}.")
    return f"{before}{mark}\n\n{drawn}\n{END}{after}"


def drawing() -> str:
    """Return the diagrams (mermaid), the steps and who may take them (Markdown), of requests, appeals and calls.

    Below them are the codes that other systems know.
    """
    requests = _Drawn(State, TABLE, {ACTIVE: "any that is not ended", _STANDING: "any but `voided`"})
    appeals = _Drawn(AppealState, APPEALS, {UNDECIDED_APPEALS: "any that is not ended"})
    calls = _Drawn(CallState, CALLS, {OPEN_CALLS: "any that is not ended"})
    parts = (*requests.sections(""), *appeals.sections(" of an appeal"), *calls.sections(" of a peer-to-peer call"))
    return "\n".join([*parts, "## Codes for other systems\n", *_codes(), ""])


def _codes() -> Iterator[str]:
    yield from ("| What is said | X12 278 HCR01 | Da Vinci PAS | NCPDP ePA |", "|---|---|---|---|")
    for answer, codes in CODES.items():
        items = ", ".join(_item(action) for action in codes.pas_items)
        pas = f"{codes.pas.value}; of an item {items}" if items else codes.pas.value
        yield f"| {_words(answer)}: {WHEN[answer]} | `{codes.x12_278.value}` | {pas} | {codes.ncpdp_epa.value} |"


def _item(action: ReviewAction) -> str:
    item = Item(1, action)
    added = " with an `addItem`" if item.has_add_item else ""
    return f"`{action.value}`{added}" + (f" with a reason of list {item.reason_list}" if item.reason_list else "")


_STANDING = frozenset(State) - {State.VOIDED}


@dataclass(frozen=True)
class _Drawn(Generic[StateT, StepT]):
    """A table with its states, and groups of states that a person would rather read by a name."""

    states: type[StateT]
    table: Mapping[StepT, Transition[StateT]]
    groups: Mapping[frozenset[StateT], str]

    def sections(self, of: str) -> Iterator[str]:
        yield from (f"## Diagram{of}\n", *self.diagram())
        yield from (f"\n## Steps{of}\n", *self.steps())
        yield from (f"\n## Who may take which step{of}\n", *self.matrix(), "")

    def diagram(self) -> Iterator[str]:
        yield from ("```mermaid", "stateDiagram-v2")
        for step, row in self.table.items():
            if row.target is not None:
                for source in self.in_order(row.sources):
                    yield f"    {source.value if source else '[*]'} --> {row.target.value}: {_words(step)}"
        left = {state for row in self.table.values() for state in row.sources if row.target not in {None, state}}
        yield from (f"    {state.value} --> [*]" for state in self.states if state not in left)
        yield "```"

    def steps(self) -> Iterator[str]:
        yield from ("| Step | From | To | Others are told |", "|---|---|---|---|")
        for step, row in self.table.items():
            named = ", ".join(f"`{source.value}`" if source else "nothing" for source in self.in_order(row.sources))
            sources = next((name for group, name in self.groups.items() if group == row.sources), named)
            told = f"`{row.says}`" if row.says else "–"
            target = f"`{row.target.value}`" if row.target else "the same"
            yield f"| {_words(step)} | {sources}{', unless reopened' * row.before_decision} | {target} | {told} |"

    def matrix(self) -> Iterator[str]:
        roles = [role for role in Role if any(role in row.by for row in self.table.values())]
        yield f"| Step | {' | '.join(role.value.replace('_', ' ') for role in roles)} |"
        yield "|---" * (len(roles) + 1) + "|"
        for step, row in self.table.items():
            yield f"| {_words(step)} | {' | '.join('yes' if role in row.by else '–' for role in roles)} |"

    def in_order(self, sources: Collection[StateT | None]) -> list[StateT | None]:
        return [state for state in (None, *self.states) if state in sources]


def _words(step: StrEnum) -> str:
    return step.value.replace("_", " ")
