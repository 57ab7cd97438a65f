"""PURE: who is in the demonstration, as people.toml tells it."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from authz.access.contact import Contact
from authz.access.roles import OrganizationKind, Role
from authz.policies.catalog import DEFAULT
from authz.policies.regimes import GENERIC


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A clinic or an insurer; `key` is what the other tables call it. A clinic may have the pain signal on.

    `contact` is how an insurer is reached.
    """

    key: str
    kind: OrganizationKind
    name: str
    time_zone: str
    identifier_system: str
    pain_signal: bool = False
    contact: Contact | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A plan of an insurer; `policy` is one of the catalog's or one that the insurer holds itself."""

    key: str
    insurer: str
    code: str
    name: str
    policy: str = DEFAULT
    regime: str = GENERIC


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """A clinician's licence."""

    number: str
    state: str
    specialty: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogIn:
    """Somebody who can log in: where, in which roles, and in a few words what they do there."""

    email: str
    name: str
    place: Place
    roles: tuple[Role, ...]
    does: str
    npi: str = ""
    licence: Permit | None = None

    @property
    def key(self) -> str:
        """Return what the patients' files call this person."""
        return self.email.partition("@")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """An API client."""

    name: str
    place: Place
    roles: tuple[Role, ...]


def password() -> str:
    """Return the one password of everybody."""
    return str(_facts()["password"])


@cache
def places() -> tuple[Place, ...]:
    """Return the clinics and insurers."""
    return tuple(
        Place(
            **row
            | {
                "kind": OrganizationKind(row["kind"]),
                "contact": Contact(**row["contact"]) if "contact" in row else None,
            }
        )
        for row in _facts()["organization"]
    )


@cache
def offers() -> tuple[Offer, ...]:
    """Return the insurers' plans."""
    return tuple(Offer(**row) for row in _facts()["plan"])


@cache
def log_ins() -> tuple[LogIn, ...]:
    """Return everybody who can log in, by organization."""
    return tuple(
        LogIn(
            email=row["email"],
            name=row["name"],
            place=_place(row),
            roles=_roles(row),
            does=row["does"],
            npi=row.get("npi", ""),
            licence=Permit(**row["licence"]) if "licence" in row else None,
        )
        for row in _facts()["person"]
    )


@cache
def machines() -> tuple[Machine, ...]:
    """Return the API clients."""
    return tuple(Machine(name=row["name"], place=_place(row), roles=_roles(row)) for row in _facts()["client"])


def _place(row: dict[str, Any]) -> Place:
    return next(place for place in places() if place.key == row["organization"])


def _roles(row: dict[str, Any]) -> tuple[Role, ...]:
    return tuple(Role(role) for role in row["roles"])


@cache
def _facts() -> dict[str, Any]:
    return tomllib.loads(resources.files("authz.demonstration").joinpath("people.toml").read_text("utf-8"))
