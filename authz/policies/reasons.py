"""PURE: the library of reasons for deciding against what was asked; what ships is in reasons.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryReason:
    """A coded reason: one plain sentence the patient can read, the criterion's clause, and what would change it."""

    code: str
    text: str
    criterion: str
    would_change: str


@cache
def shipped() -> Mapping[str, LibraryReason]:
    """Return the reasons that ship with the product, by code."""
    rows = tomllib.loads(resources.files("authz.policies").joinpath("reasons.toml").read_text(encoding="utf-8"))
    return {code: LibraryReason(code=code, **row) for code, row in rows.items()}
