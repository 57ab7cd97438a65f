"""The policies and regimes that ship with the product: one TOML file each, read once."""

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from authz.errors import NotFound
from authz.policies.regime import Regime
from authz.rules.policy import Policy


class UnknownPolicy(NotFound):
    """No policy of that code is in the catalog."""

    code = "unknown-policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogPolicy:
    """A policy with its name, version and source. `parameters` is what the rule reads."""

    code: str
    version: str
    title: str
    source: str
    confirmed: bool
    in_force_from: date
    parameters: Policy


def _read(folder: str, code: str) -> dict[str, Any]:
    file = resources.files("authz.policies").joinpath(folder, f"{code}.toml")
    if not file.is_file():
        raise UnknownPolicy(f"There is no {code!r} in the catalog.")
    return tomllib.loads(file.read_text(encoding="utf-8"))


@cache
def policy(code: str) -> CatalogPolicy:
    """Return the catalog's policy of that code.

    :raises UnknownPolicy: when there is none.
    """
    facts = _read("catalog", code)
    return CatalogPolicy(
        code=facts["code"],
        version=facts["version"],
        title=facts["title"],
        source=facts["source"],
        confirmed=facts["confirmed"],
        in_force_from=facts["in_force_from"],
        parameters=Policy.from_mapping(facts["parameters"]),
    )


@cache
def regime(code: str) -> Regime:
    """Return the catalog's regime of that code.

    :raises UnknownPolicy: when there is none.
    """
    facts = _read("regimes", code)
    return Regime(
        code=facts["code"],
        version=facts["version"],
        title=facts["title"],
        citation=facts["citation"],
        in_force_from=facts["in_force_from"],
        confirmed=facts["confirmed"],
        standard_hours=facts["decide_within"]["standard_hours"],
        expedited_hours=facts["decide_within"]["expedited_hours"],
        appeal_file_within_days=facts["appeal"]["file_within_days"],
    )
