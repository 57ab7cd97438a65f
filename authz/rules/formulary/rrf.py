"""RxNorm's files as the National Library of Medicine issues them ("Rich Release Format"), read line by line.

Cells end with a bar, lines with a line feed, text is UTF-8; there is no header and no quoting. The columns are those of
NLM's RxNorm Technical Documentation, sections 12.4 (RXNCONSO) and 12.5 (RXNSAT). A full release has over a million
lines of names and over seven million of attributes; no more is held than what is kept of them.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from authz.rules.formulary.names import without_brand

Complain = Callable[[int, str], None]
"""Is told the number of a line that cannot be read, from 1, and why. The line is passed over."""

DRUGS: Final = frozenset({"SCD", "SBD", "GPCK", "BPCK"})
"""Term types of what is dispensed: clinical drug, branded drug, generic pack, branded pack."""

NDC: Final = "NDC"
ANIMAL: Final = "RXN_VET_DRUG"
HUMAN: Final = "RXN_HUMAN_DRUG"

_RXCUI = re.compile(r"[1-9][0-9]{0,7}")
_ELEVEN_DIGITS = re.compile(r"[0-9]{11}")
_CURRENT, _OBSOLETE = "N", "O"


class NotRrf(ValueError):
    """The file is not the one it should be, or was cut off; the sentence says what is wrong."""


@dataclass(frozen=True, slots=True)
class _Layout:
    name: str
    columns: int


_NAMES = _Layout("RXNCONSO.RRF", 18)
_ATTRIBUTES = _Layout("RXNSAT.RRF", 13)
_SOURCES = _Layout("RXNSAB.RRF", 25)


@dataclass(frozen=True, slots=True)
class Drug:
    """A clinical drug, branded drug or pack. An obsolete one is no longer marketed, but may have been dispensed."""

    rxcui: str
    name: str
    is_obsolete: bool


@dataclass(slots=True)
class Concepts:
    """What is kept of the names: the drugs that name one of the substances, and the substances' own codes by name."""

    drugs: dict[str, Drug] = field(default_factory=dict)
    ingredients: dict[str, str] = field(default_factory=dict)


class Attribute(NamedTuple):
    """An attribute of a concept that RxNorm itself asserts: `NDC`, `ANIMAL` or `HUMAN`, and its value."""

    rxcui: str
    name: str
    value: str


def read_concepts(lines: Iterable[bytes], substances: Iterable[str], complain: Complain) -> Concepts:
    """Return the drugs of RXNCONSO that name one of the substances (in lower case) as a word of its own.

    Of RxNorm's own names (SAB=RXNORM) the current and the obsolete ones are read; suppressed ones are not.

    :raises NotRrf: when it is not that file, or it was cut off.
    """
    wanted = frozenset(substances)
    named = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(wanted)))})\b")
    found = Concepts()
    for number, row in _rows(lines, _NAMES, (b"|RXNORM|",), complain):
        rxcui, source, kind, name, suppress = row[0], row[11], row[12], row[14], row[16]
        if source != "RXNORM" or suppress not in (_CURRENT, _OBSOLETE):
            continue
        if kind == "IN" and name.casefold() in wanted:
            found.ingredients.setdefault(name.casefold(), rxcui)
        elif kind in DRUGS and named.search(without_brand(name)):
            if _RXCUI.fullmatch(rxcui):
                _keep(Drug(rxcui, name, suppress == _OBSOLETE), found.drugs)
            else:
                complain(number, "The first cell is no RxNorm code.")
    return found


def _keep(drug: Drug, drugs: dict[str, Drug]) -> None:
    known = drugs.get(drug.rxcui)
    if known is None or (known.is_obsolete and not drug.is_obsolete):
        drugs[drug.rxcui] = drug


def read_attributes(lines: Iterable[bytes], complain: Complain) -> Iterator[Attribute]:
    """Yield RxNorm's own NDCs of RXNSAT, eleven digits each, and which concepts are drugs for people or for animals.

    :raises NotRrf: when it is not that file, or it was cut off.
    """
    marks = tuple(f"|{name}|RXNORM|".encode() for name in (NDC, ANIMAL, HUMAN))
    for number, row in _rows(lines, _ATTRIBUTES, marks, complain):
        rxcui, name, value, suppress = row[0], row[8], row[10], row[11]
        if suppress != _CURRENT:
            continue
        if name == NDC and not _ELEVEN_DIGITS.fullmatch(value):
            complain(number, "An NDC of eleven digits is needed.")
        elif not _RXCUI.fullmatch(rxcui):
            complain(number, "The first cell is no RxNorm code.")
        else:
            yield Attribute(rxcui, name, value)


def release_day(lines: Iterable[bytes]) -> str | None:
    """Return the day of the release that RXNSAB tells, such as 2026-11-03, or None where it tells none.

    :raises NotRrf: when it is not that file, or it was cut off.
    """
    for _, row in _rows(lines, _SOURCES, (b"|RXNORM|",), lambda _number, _reason: None):
        told = re.fullmatch(r"\w+_(\d\d)(\d\d)(\d\d)[A-Z]?", row[6])
        if row[3] == "RXNORM" and told:
            return f"20{told[1]}-{told[2]}-{told[3]}"
    return None


def _rows(
    lines: Iterable[bytes], layout: _Layout, marks: tuple[bytes, ...], complain: Complain
) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each line that holds one of the marks, with its number."""
    is_wanted = re.compile(b"|".join(map(re.escape, marks))).search
    number, line = 0, b""
    for number, line in enumerate(lines, start=1):
        bars = line.count(b"|")
        if bars != layout.columns:
            sentence = f"{layout.name} has {layout.columns} cells in a line; this one has {bars}."
            if number == 1:
                raise NotRrf(f"Line 1: {sentence} It is not that file.")
            complain(number, sentence)
        elif is_wanted(line):
            try:
                yield number, line.decode().split("|")
            except UnicodeDecodeError:
                complain(number, "The line is not UTF-8 text.")
    if not line:
        raise NotRrf(f"{layout.name} is empty.")
    if not line.endswith(b"\n"):
        raise NotRrf(f"{layout.name} stops in the middle of line {number}.")
