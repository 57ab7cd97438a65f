"""PURE: scopes, which narrow what a machine's roles allow. Never do they add to it.

Two spellings: SMART's `system/Patient.rs` for what FHIR has a type for, and our own `authz/patients.read`, one for each
area of the API (the first part of an address). SMART's letters: create, read, update, delete, search.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

ALL: Final = "*"
_OLD_WORDS = {"read": "rs", "write": "cud", ALL: "cruds"}  # SMART's first version; `.*` is not in the second any more
_SMART = re.compile(r"system/(\*|[A-Za-z]{1,40})\.(read|write|\*|(?=[cruds])c?r?u?d?s?)")
_OWN = re.compile(r"authz/(\*|[a-z-]{1,40})\.(read|write)")
LONGEST: Final = 2000

TYPES: Final = frozenset(
    {
        "Claim", "Coverage", "DocumentReference", "InsurancePlan", "MedicationDispense", "MedicationRequest",
        "Observation", "Organization", "Patient", "Practitioner", "Procedure", "QuestionnaireResponse", "Task",
    }
)  # fmt: skip
"""FHIR's types that an address of ours stands for."""

EVERYTHING: Final = ("authz/*.read", "authz/*.write", "system/*.cruds")


class ScopeRefused(Exception):
    """A scope is none of ours, or more than the machine was granted. Its text is a sentence for whoever asked."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a request does: one letter, to an area of the API, which may stand for a FHIR type ("" when for none)."""

    area: str
    type: str
    letter: str

    @property
    def scope(self) -> str:
        """Return the smallest scope that covers it."""
        if self.type:
            return f"system/{self.type}.{self.letter}"
        return f"authz/{self.area}.{'read' if self.letter in 'rs' else 'write'}"


@dataclass(frozen=True, slots=True)
class _Scope:
    prefix: str
    name: str
    letters: frozenset[str]

    def reaches(self, prefix: str, name: str, letter: str) -> bool:
        return self.prefix == prefix and self.name in {ALL, name} and letter in self.letters


def scopes_asked(text: str | None, *, granted: Collection[str], areas: Collection[str]) -> tuple[str, ...]:
    """Return the scopes that a token gets: those asked for, each once; all that were granted when none are named.

    :raises ScopeRefused: when one is unknown, or not wholly within what was granted.
    """
    if text is None or not text.strip(" "):
        return tuple(sorted(granted))
    asked = tuple(dict.fromkeys(word for word in text[: LONGEST + 1].split(" ") if word))
    if len(text) > LONGEST:
        raise ScopeRefused("There are too many scopes.")
    must_be_known(asked, areas=areas)
    held = [_read(scope) for scope in granted]
    if not all(_is_within(_read(scope), held) for scope in asked):
        raise ScopeRefused("A scope was asked for that the client was not granted.")
    return asked


def must_be_known(scopes: Iterable[str], *, areas: Collection[str]) -> None:
    """Refuse scopes that mean nothing here.

    :raises ScopeRefused: naming the first part that is unknown.
    """
    for scope in scopes:
        found = _read(scope)
        known = TYPES if found.prefix == "system" else areas
        if found.name != ALL and found.name not in known:
            raise ScopeRefused(f"There is no scope for {found.prefix}/{found.name}.")


def cover(scopes: Iterable[str], need: Need) -> bool:
    """Say whether one of the scopes covers what a request does."""
    held = [_read(scope) for scope in scopes]
    own = any(scope.reaches("authz", need.area, need.letter) for scope in held)
    return own or (bool(need.type) and any(scope.reaches("system", need.type, need.letter) for scope in held))


def _is_within(asked: _Scope, granted: Iterable[_Scope]) -> bool:
    held = list(granted)
    return all(any(one.reaches(asked.prefix, asked.name, letter) for one in held) for letter in asked.letters)


def _read(scope: str) -> _Scope:
    if smart := _SMART.fullmatch(scope):
        return _Scope("system", smart[1], frozenset(_OLD_WORDS.get(smart[2], smart[2])))
    if own := _OWN.fullmatch(scope):
        return _Scope("authz", own[1], frozenset(_OLD_WORDS[own[2]]))
    raise ScopeRefused("A scope is needed such as system/Patient.rs or authz/patients.read.")
