"""The questionnaires and payers' requirements that ship with the product: one TOML file for each version, read once."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final, TypeVar

from authz.documentation.questionnaire import Questionnaire
from authz.documentation.requirements import Requirements
from authz.documentation.schema import read_questionnaire, read_requirements
from authz.errors import InvalidInput

CURRENT: Final = "opioid-3"
"""The questionnaire that a request is started on today. One started earlier stays on its own."""
DEFAULT: Final = "default"
"""The policy whose requirements stand in for those of a payer without a list of its own."""

_Read = TypeVar("_Read", Questionnaire, Requirements)


class BrokenFile(ValueError):
    """A packaged file cannot be read; the sentence names file and place."""


@cache
def questionnaires() -> Mapping[str, Questionnaire]:
    """Return every questionnaire by its name, which is its code and version."""
    return {found.name: found for found in _read_all("questionnaires", read_questionnaire)}


def questionnaire(name: str) -> Questionnaire:
    """Return the questionnaire of that code and version.

    :raises KeyError: when the product ships none of that name.
    """
    return questionnaires()[name]


@cache
def requirement_lists() -> Mapping[tuple[str, str], Requirements]:
    """Return the newest list of each policy for each questionnaire, by policy code and questionnaire name."""
    lists = _read_all("requirements", lambda document: read_requirements(document, questionnaires()))
    return {(found.policy, found.questionnaire): found for found in sorted(lists, key=lambda one: int(one.version))}


def requirements(policy: str, *, questionnaire: str) -> Requirements | None:
    """Return what the payer of a policy needs, the default where it has no list; None where no list speaks of it."""
    lists = requirement_lists()
    return lists.get((policy, questionnaire), lists.get((DEFAULT, questionnaire)))


def _read_all(folder: str, read: Callable[[dict[str, Any]], _Read]) -> Iterator[_Read]:
    for file in resources.files("authz.documentation").joinpath(folder).iterdir():
        if file.name.endswith(".toml"):
            yield read_file(file.name, file.read_text(encoding="utf-8"), read)


def read_file(name: str, text: str, read: Callable[[dict[str, Any]], _Read]) -> _Read:
    """Return what a TOML file holds, which is named after it.

    :raises BrokenFile: naming the file and every place in it that is wrong.
    """
    try:
        found = read(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BrokenFile(f"{name} is no TOML: {error}.") from error
    except InvalidInput as error:
        places = "; ".join(f"{path}: {' '.join(sentences)}" for path, sentences in error.fields.items())
        raise BrokenFile(f"{name}: {places}") from error
    if name != f"{found.name}.toml":
        raise BrokenFile(f"{name} holds {found.name}: name it so.")
    return found
