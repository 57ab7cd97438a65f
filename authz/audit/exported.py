"""PURE: an export of a chain: a head, which says what it is a part of, and a line of JSON for each entry."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from authz.audit.chain import BEGINNING, Fault, Root, Sealed, first_fault

FORMAT: Final = "authz-audit-1"


class NotAnExport(ValueError):
    """The file does not begin as an export of the audit trail does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Whose chain it is (None: the system's own), after which entry it begins, with which it ends, and its roots."""

    organization: str | None
    follows: Root = BEGINNING
    ends: Root = BEGINNING
    roots: tuple[Root, ...] = ()

    def to_line(self) -> str:
        """Return it as the first line."""
        return json.dumps(
            {
                "format": FORMAT,
                "organization": self.organization,
                "follows": _told(self.follows),
                "ends": _told(self.ends),
                "roots": [_told(root) for root in self.roots],
            }
        )


def to_line(words: str, digest: str) -> str:
    """Return an entry's line; `words` are its JSON as it was hashed."""
    return f'{{"entry":{words},"hash":"{digest}"}}'


def first_fault_in(lines: Iterable[str], *, roots: Iterable[Root] = ()) -> Fault | None:
    """Return what is wrong first with an export; None when it is whole. `roots` are those that were kept elsewhere.

    :raises NotAnExport: when it has no head.
    """
    rest = iter(lines)
    head = _head(next(rest, ""))
    return first_fault(
        (_sealed(line) for line in rest),
        organization=head.organization,
        follows=head.follows,
        # Last, so that what was kept elsewhere is believed more than what the export says.
        roots=(head.ends, *head.roots, *roots),
        ends=head.ends.sequence,
    )


def _told(root: Root) -> dict[str, Any]:
    return {"sequence": root.sequence, "hash": root.hash}


def _head(line: str) -> Head:
    try:
        told = json.loads(line)
        if told["format"] != FORMAT:
            raise ValueError(told["format"])
        return Head(
            organization=told["organization"],
            follows=_root(told["follows"]),
            ends=_root(told["ends"]),
            roots=tuple(_root(root) for root in told["roots"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        raise NotAnExport("This is no export of an audit trail: its first line is not the head of one.") from None


def _root(told: Mapping[str, Any]) -> Root:
    if type(told["sequence"]) is not int or len(bytes.fromhex(told["hash"])) != len(bytes.fromhex(BEGINNING.hash)):
        raise ValueError(told)
    return Root(told["sequence"], told["hash"])


def _sealed(line: str) -> Sealed:
    try:
        told = json.loads(line)
        entry, digest = told["entry"], told["hash"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return Sealed({}, "")
    return Sealed(entry, digest) if isinstance(entry, dict) and isinstance(digest, str) else Sealed({}, "")


def lines_of(head: Head, entries: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield an export's lines, given each entry's words and hash."""
    yield head.to_line()
    for words, digest in entries:
        yield to_line(words, digest)
