"""PURE: what every document of the catalogs has: a name, days in force, sources, and where a figure was read."""

import re
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, Final

from authz.policies.reading import Reading, join
from authz.policies.version import Mark

MARK: Final = ("source", "confirmed")
"""The keys that tell where a figure was read."""

_CODE = re.compile(r"[a-z][a-z0-9_]{0,59}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}")
_TITLE = re.compile(r".{1,200}")
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")


def read_name(reading: Reading, table: Mapping[str, Any]) -> dict[str, str]:
    """Return a document's code, version and title."""
    return {
        name: reading.text(table.get(name, "missing"), name, shape)
        for name, shape in (("code", _CODE), ("version", _VERSION), ("title", _TITLE))
    }


def read_validity(reading: Reading, table: Mapping[str, Any]) -> tuple[date, date | None]:
    """Return the first and the last day in force; None is open."""
    first = reading.day(table.get("in_force_from", date.min), "in_force_from") or date.min
    until = table.get("in_force_until")
    last = None if until is None else reading.day(until, "in_force_until")
    if last is not None and last < first:
        reading.refuse("in_force_until", "It lies before the first day in force.")
    return first, last


def read_sources(reading: Reading, value: object) -> dict[str, str]:
    """Return the sources by their keys."""
    found = {}
    for key, text in reading.named(value, "sources"):
        if not _SOURCE.fullmatch(key):
            reading.refuse("sources", f"The key of a source must have the form {_SOURCE.pattern}.")
        found[key] = reading.text(text, join("sources", key))
    return found


def read_notes(reading: Reading, value: object) -> tuple[str, ...]:
    """Return the sentences for operators."""
    return tuple(reading.text(note, path) for path, note in reading.rows(value, "notes"))


def read_mark(reading: Reading, stated: Mapping[str, Any], path: str, sources: Collection[str]) -> Mark:
    """Return where a figure was read, which must be one of the sources, and whether it is confirmed."""
    source = stated.get("source", "")
    if "source" in stated and (not isinstance(source, str) or source not in sources):
        reading.refuse(join(path, "source"), "It names none of the sources.")
    return Mark(str(source), reading.switch(stated.get("confirmed", False), join(path, "confirmed")))
