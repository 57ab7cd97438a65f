"""The policies and regimes that ship with the product: one TOML file for each version of each, read once."""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import pairwise
from typing import Any

from authz.errors import InvalidInput, NotFound
from authz.policies.regime import Regime
from authz.policies.schema import read_policy
from authz.policies.version import PolicyVersion

DEFAULT = "default"
"""The policy that holds where no payer's rule is known. It is in force on every day."""


class UnknownPolicy(NotFound):
    """No policy or regime of that code is in the catalog, or no version of it is in force on that day."""

    code = "unknown-policy"


class CatalogError(ValueError):
    """A file of the catalog cannot be read, or two contradict each other; the sentences name file and place."""


def policy(code: str, on: date) -> PolicyVersion:
    """Return the version of the catalog's policy that is in force on a day.

    :raises UnknownPolicy: when there is none.
    """
    for version in versions(code):
        if version.is_in_force(on):
            return version
    raise UnknownPolicy(f"No version of {code!r} is in force on {on}.")


def versions(code: str) -> tuple[PolicyVersion, ...]:
    """Return every version of a policy of the catalog, oldest first.

    :raises UnknownPolicy: when there is none.
    """
    found = policies().get(code)
    if found is None:
        raise UnknownPolicy(f"There is no policy {code!r} in the catalog.")
    return found


def version_named(code: str, version: str) -> PolicyVersion:
    """Return one version of a policy of the catalog.

    :raises UnknownPolicy: when there is none.
    """
    for found in versions(code):
        if found.version == version:
            return found
    raise UnknownPolicy(f"There is no version {version!r} of {code!r} in the catalog.")


@cache
def policies() -> Mapping[str, tuple[PolicyVersion, ...]]:
    """Return the catalog's policies by code, each with its versions, oldest first."""
    return read_folder(resources.files(__name__))


def read_folder(folder: Traversable) -> dict[str, tuple[PolicyVersion, ...]]:
    """Return the policies of a folder of TOML files by code, each with its versions, oldest first.

    :raises CatalogError: naming the file, when one cannot be read, is not named <code>-<version>.toml, or when two
        versions of one code are in force on one day.
    """
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    by_code: dict[str, list[PolicyVersion]] = {}
    for file in files:
        version = _read(file)
        by_code.setdefault(version.code, []).append(version)
    return {code: _in_order(found) for code, found in by_code.items()}


def _read(file: Traversable) -> PolicyVersion:
    try:
        version = read_policy(tomllib.loads(file.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(f"{file.name} is no TOML: {error}.") from error
    except InvalidInput as error:
        places = "; ".join(f"{path}: {' '.join(sentences)}" for path, sentences in error.fields.items())
        raise CatalogError(f"{file.name}: {places}") from error
    if file.name != f"{version.code}-{version.version}.toml":
        raise CatalogError(f"{file.name} holds version {version.version!r} of {version.code!r}: name it so.")
    return version


def _in_order(found: list[PolicyVersion]) -> tuple[PolicyVersion, ...]:
    ordered = sorted(found, key=lambda version: version.in_force_from)
    for earlier, later in pairwise(ordered):
        if earlier.is_in_force(later.in_force_from):
            both = f"versions {earlier.version!r} and {later.version!r} of {earlier.code!r}"
            raise CatalogError(f"On {later.in_force_from} {both} are both in force.")
    return tuple(ordered)


@cache
def regime(code: str) -> Regime:
    """Return the catalog's regime of that code.

    :raises UnknownPolicy: when there is none.
    """
    facts = _regime_facts(code)
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


def _regime_facts(code: str) -> dict[str, Any]:
    file = resources.files("authz.policies").joinpath("regimes", f"{code}.toml")
    if not file.is_file():
        raise UnknownPolicy(f"There is no regime {code!r} in the catalog.")
    return tomllib.loads(file.read_text(encoding="utf-8"))
