"""The policies that ship with the product: one TOML file for each version of each, read once."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from authz.errors import NotFound
from authz.policies.folder import read_versions
from authz.policies.schema import read_policy
from authz.policies.version import PolicyVersion

DEFAULT = "default"
"""The policy that holds where no payer's rule is known. It is in force on every day."""


class UnknownPolicy(NotFound):
    """No policy of that code is in the catalog, or no version of it is in force on that day."""

    code = "unknown-policy"


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


def text_of(version: PolicyVersion) -> str:
    """Return the file that a version of the catalog was read from, to begin a draft with."""
    name = f"{version.code}-{version.version}.toml"
    return resources.files(__name__).joinpath(name).read_text(encoding="utf-8")


@cache
def policies() -> Mapping[str, tuple[PolicyVersion, ...]]:
    """Return the catalog's policies by code, each with its versions, oldest first."""
    return read_folder(resources.files(__name__))


def read_folder(folder: Traversable) -> dict[str, tuple[PolicyVersion, ...]]:
    """Return the policies of a folder of TOML files by code, each with its versions, oldest first.

    :raises CatalogError: naming the file, when one cannot be read, is not named <code>-<version>.toml, or when two
        versions of one code are in force on one day.
    """
    return read_versions(folder, read_policy)
