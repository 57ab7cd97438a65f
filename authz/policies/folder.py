"""Reads a folder of TOML files: one for each version of each code, named <code>-<version>.toml."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from importlib.resources.abc import Traversable
from itertools import pairwise
from typing import Any, Protocol, TypeVar

from authz.errors import InvalidInput


class CatalogError(ValueError):
    """A file of a catalog cannot be read, or two contradict each other; the sentences name file and place."""


class Named(Protocol):
    """What has a code and a version."""

    @property
    def code(self) -> str: ...
    @property
    def version(self) -> str: ...


class Dated(Named, Protocol):
    """What is in force on some days."""

    @property
    def in_force_from(self) -> date: ...
    def is_in_force(self, on: date) -> bool: ...


_Named = TypeVar("_Named", bound=Named)
_Dated = TypeVar("_Dated", bound=Dated)


def read_each(folder: Traversable, read: Callable[[Mapping[str, Any]], _Named]) -> Iterator[_Named]:
    """Yield what the folder's files hold, by name.

    :raises CatalogError: naming the file, when one cannot be read or is not named <code>-<version>.toml.
    """
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            yield _read(file, read)


def read_versions(folder: Traversable, read: Callable[[Mapping[str, Any]], _Dated]) -> dict[str, tuple[_Dated, ...]]:
    """Return what the folder's files hold by code, each with its versions, oldest first.

    :raises CatalogError: as above, and when two versions of one code are in force on one day.
    """
    by_code: dict[str, list[_Dated]] = {}
    for version in read_each(folder, read):
        by_code.setdefault(version.code, []).append(version)
    return {code: _in_order(found) for code, found in by_code.items()}


def _read(file: Traversable, read: Callable[[Mapping[str, Any]], _Named]) -> _Named:
    try:
        version = read(tomllib.loads(file.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(f"{file.name} is no TOML: {error}.") from error
    except InvalidInput as error:
        places = "; ".join(f"{path}: {' '.join(sentences)}" for path, sentences in error.fields.items())
        raise CatalogError(f"{file.name}: {places}") from error
    if file.name != f"{version.code}-{version.version}.toml":
        raise CatalogError(f"{file.name} holds version {version.version!r} of {version.code!r}: name it so.")
    return version


def _in_order(found: list[_Dated]) -> tuple[_Dated, ...]:
    ordered = sorted(found, key=lambda version: version.in_force_from)
    for earlier, later in pairwise(ordered):
        if earlier.is_in_force(later.in_force_from):
            both = f"versions {earlier.version!r} and {later.version!r} of {earlier.code!r}"
            raise CatalogError(f"On {later.in_force_from} {both} are both in force.")
    return tuple(ordered)
