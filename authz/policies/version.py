"""PURE: one version of a payer's policy: what the rule reads, where each setting was read, and examples each way."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from authz.access.specialties import Specialty
from authz.policies.automation import Automation
from authz.rules.policy import Policy
from authz.rules.records import Exemption
from authz.rules.thresholds import BenzodiazepineDays, Threshold

DECIDERS: Final = "deciders"
"""What says who may decide against a request is marked under this name, beside the settings."""


class Mark(NamedTuple):
    """Where a setting was read, as a key of the version's sources, and whether the payer's own text confirms it."""

    source: str
    confirmed: bool


class Dispensed(NamedTuple):
    """A fill of an example, known on the day it was dispensed."""

    start: date
    days_supply: int
    rxcui: str
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A patient a person can check by hand, and what the policy must say of them.

    `as_of` None is the day of the last fill. `findings`, where given, are the names of exactly the thresholds that
    must find something; `required_from`, where given, the first day that needs authorization.
    """

    name: str
    needs_authorization: bool
    fills: tuple[Dispensed, ...]
    as_of: date | None = None
    birth_date: date | None = None
    exemptions: tuple[Exemption, ...] = ()
    benzodiazepines: tuple[BenzodiazepineDays, ...] = ()
    required_from: date | None = None
    findings: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyVersion:
    """A policy as it holds from `in_force_from` to `in_force_until`, both included; None is open.

    `parameters` is what the rule reads and `thresholds` what is looked for beside it. `marks` tells of every setting
    the version states, by a parameter's name or a threshold's; a parameter without a mark is the product's default.
    `notes` are sentences for operators: what the payer's rule says that these settings cannot. `automation` says when
    the software may approve by itself; None is never. `deciders` are the specialties that may decide against what was
    asked; without any it is every licensed clinician whom the regime lets.
    """

    code: str
    version: str
    title: str
    in_force_from: date
    in_force_until: date | None
    sources: Mapping[str, str]
    parameters: Policy
    thresholds: tuple[Threshold, ...]
    marks: Mapping[str, Mark]
    examples: tuple[Example, ...]
    notes: tuple[str, ...] = ()
    automation: Automation | None = None
    deciders: tuple[Specialty, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What tells the version from every other that a plan can be under."""
        return self.code, self.version

    @property
    def source(self) -> str:
        """All its sources in one text."""
        return "; ".join(self.sources.values())

    @property
    def confirmed(self) -> bool:
        """Whether every setting is; where one is not, operators must compare it with the payer's current document."""
        return all(mark.confirmed for mark in self.marks.values())

    @property
    def unconfirmed(self) -> list[str]:
        """The settings to be compared with the payer's current document, sorted."""
        return sorted(name for name, mark in self.marks.items() if not mark.confirmed)

    def is_in_force(self, on: date) -> bool:
        """Say whether it holds on a day."""
        return self.in_force_from <= on and (self.in_force_until is None or on <= self.in_force_until)
