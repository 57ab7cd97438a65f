"""PURE: whether a chain of audit entries is whole. Needs no database: an export and a root kept elsewhere are enough.

Each entry has its organization's next number, and a hash of its own words together with the hash before. Whoever
alters, drops, adds or moves one breaks every later hash, and a root that was kept elsewhere tells the true ones.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

BEFORE_THE_FIRST: Final = "0" * 64


class What(StrEnum):
    """What is wrong with an entry."""

    ALTERED = "altered"
    MISSING = "missing"
    MOVED = "reordered"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Fault:
    """The first entry with which something is wrong, by its sequence."""

    sequence: int
    what: What

    def __str__(self) -> str:
        return f"Entry {self.sequence} is {self.what.value}."


@dataclass(frozen=True, slots=True)
class Root:
    """The number and the hash of an entry: of the last one at some instant, or of the one before a part of a chain."""

    sequence: int
    hash: str


BEGINNING: Final = Root(0, BEFORE_THE_FIRST)


@dataclass(frozen=True, slots=True)
class Sealed:
    """An entry as it was exported, and the hash that goes with it. What cannot be read has no words."""

    entry: Mapping[str, Any]
    hash: str

    @property
    def sequence(self) -> int | None:
        number = self.entry.get("sequence")
        return number if type(number) is int else None


def words_of(entry: Mapping[str, Any]) -> bytes:
    """Return what is hashed of an entry: JSON with the names in their order and no spaces, in UTF-8."""
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", errors="surrogatepass")


def hash_of(entry: Mapping[str, Any], *, before: str) -> str:
    """Return the hash of an entry in hex, given that of the one before it."""
    return sha256(bytes.fromhex(before) + words_of(entry)).hexdigest()


def first_fault(
    chain: Iterable[Sealed],
    *,
    organization: str | None,
    follows: Root = BEGINNING,
    roots: Iterable[Root] = (),
    ends: int | None = None,
) -> Fault | None:
    """Return what is wrong first with an organization's chain that goes on from an entry; None when it is whole.

    The chain must pass through the roots, as far as the last of them, and not go beyond `ends`. It is read once and
    not kept.
    """
    known = {root.sequence: root.hash for root in roots}
    if known.get(follows.sequence, follows.hash) != follows.hash:
        return Fault(follows.sequence, What.ALTERED)
    rest, last = iter(chain), follows
    for sealed in rest:
        awaited = last.sequence + 1
        if sealed.sequence is not None and sealed.sequence != awaited:
            return _out_of_place(sealed.sequence, awaited, rest)
        if ends is not None and awaited > ends:
            return Fault(awaited, What.ADDED)
        is_true = sealed.hash == hash_of(sealed.entry, before=last.hash) == known.get(awaited, sealed.hash)
        if not is_true or sealed.entry.get("organization") != organization:
            return Fault(awaited, What.ALTERED)
        last = Root(awaited, sealed.hash)
    return Fault(last.sequence + 1, What.MISSING) if last.sequence < max(known, default=0) else None


def _out_of_place(found: int, awaited: int, rest: Iterator[Sealed]) -> Fault:
    if found < awaited:
        return Fault(found, What.ADDED)
    is_later = any(sealed.sequence == awaited for sealed in rest)
    return Fault(awaited, What.MOVED if is_later else What.MISSING)
