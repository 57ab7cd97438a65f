"""PURE: what a paper says, and the same as JSON: it is kept, and the PDF is made of it when somebody first asks."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph; its line breaks are kept."""

    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with their values, one a line."""

    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table with a head; `widths` are shares of the line."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[float]


Block = Heading | Prose | Facts | Grid
_KINDS: Final[Mapping[str, type[Block]]] = {
    "heading": Heading,
    "prose": Prose,
    "facts": Facts,
    "grid": Grid,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperText:
    """A paper before it is drawn. Title and footer stand on every page and in the file's properties.

    So title and footer hold no patient's facts.
    """

    title: str
    blocks: Sequence[Block]
    footer: str

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values; `from_json` reads it back."""
        blocks = [{"kind": type(block).__name__.lower(), **asdict(block)} for block in self.blocks]
        return {"title": self.title, "blocks": blocks, "footer": self.footer}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "PaperText":
        """Return what `to_json` kept."""
        blocks = [_KINDS[block["kind"]](**{k: v for k, v in block.items() if k != "kind"}) for block in kept["blocks"]]
        return cls(title=kept["title"], blocks=blocks, footer=kept["footer"])
