"""PURE: the policies that the demonstration's insurers hold themselves, as policies.toml tells them."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A policy and the two people behind it. The days count back from today; the document lacks its first day."""

    document: dict[str, Any]
    drafted_by: str
    activated_by: str
    drafted_ago: int
    activated_ago: int
    in_force_ago: int


@cache
def held() -> tuple[Held, ...]:
    """Return every policy that an insurer holds itself."""
    text = resources.files("authz.demonstration").joinpath("policies.toml").read_text("utf-8")
    return tuple(Held(**row) for row in tomllib.loads(text)["policy"])
