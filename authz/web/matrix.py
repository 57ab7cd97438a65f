"""PURE: figures in rows and columns, each leading to what stands behind it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure; `beside` it a smaller one, and an address without which it leads nowhere."""

    said: str
    beside: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class MatrixRow:
    name: str
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A table. `corner` says what the rows are; a group without a name has no heading of its own."""

    id: str
    caption: str
    corner: str
    columns: Sequence[str]
    groups: Sequence[tuple[str, Sequence[MatrixRow]]]

    @property
    def width(self) -> int:
        """How many columns there are, the names of the rows included."""
        return 1 + len(self.columns)


def counted(number: int, address: str, *, beside: str = "") -> Cell:
    """Return a number of requests that leads to them; behind none there is nothing to see."""
    return Cell(str(number), beside, address if number else "")
