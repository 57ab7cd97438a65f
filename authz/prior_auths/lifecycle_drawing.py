"""PURE: the table of the lifecycle as a person reads it: the diagram and the tables in docs/lifecycle.md."""

from collections.abc import Iterable, Iterator

from authz.access.roles import Role
from authz.prior_auths.lifecycle import ACTIVE, TABLE, State, Step, steps_for
from authz.prior_auths.transition import Transition

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
    """Return the diagram (mermaid), the steps and who may take them (Markdown), as the table has them now."""
    return "\n".join(
        ["## Diagram\n", *_diagram(), "\n## Steps\n", *_steps(), "\n## Who may take which step\n", *_matrix(), ""]
    )


def _diagram() -> Iterator[str]:
    yield from ("```mermaid", "stateDiagram-v2")
    for step, row in TABLE.items():
        if row.target is not None:
            for source in _in_order(row.sources):
                yield f"    {source.value if source else '[*]'} --> {row.target.value}: {_words(step)}"
    last = [state for state in State if not steps_for(state=state, roles=set(Role))]
    yield from (f"    {state.value} --> [*]" for state in last)
    yield "```"


def _steps() -> Iterator[str]:
    yield from ("| Step | From | To | Others are told |", "|---|---|---|---|")
    for step, row in TABLE.items():
        sources = ", ".join(f"`{source.value}`" if source else "nothing" for source in _in_order(row.sources))
        told = f"`{row.says}`" if row.says else "–"
        target = f"`{row.target.value}`" if row.target else "the same"
        yield f"| {_words(step)} | {_as_group(row) or sources} | {target} | {told} |"


def _matrix() -> Iterator[str]:
    roles = [role for role in Role if any(role in row.by for row in TABLE.values())]
    yield f"| Step | {' | '.join(role.value.replace('_', ' ') for role in roles)} |"
    yield "|---" * (len(roles) + 1) + "|"
    for step, row in TABLE.items():
        yield f"| {_words(step)} | {' | '.join('yes' if role in row.by else '–' for role in roles)} |"


def _as_group(row: Transition[State]) -> str:
    if row.sources == ACTIVE:
        return "any that is not ended"
    return "any but `voided`" if row.sources == frozenset(State) - {State.VOIDED} else ""


def _words(step: Step) -> str:
    return step.value.replace("_", " ")


def _in_order(sources: Iterable[State | None]) -> list[State | None]:
    known = set(sources)
    return [state for state in (None, *State) if state in known]
