"""PURE: what one line of a file tells, before anything is looked up."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from authz.pain.facts import PainScoreFacts
from authz.prescriptions.facts import FillFacts, PatientFacts, PrescriptionFacts
from authz.rules.records import RecordStatus

_RESTFUL = re.compile(r"(?P<base>https?://\S+)/[A-Za-z]+/[A-Za-z0-9\-.]{1,64}")


class Kind(StrEnum):
    """What a line is about; the names under which it is counted."""

    PATIENT = "patients"
    COVERAGE = "coverages"
    ORDER = "prescriptions"
    FILL = "fills"
    PAIN_SCORE = "pain_scores"


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientRef:
    """Whom a line is about: by the address of a patient in the same file, or by the organization's own number."""

    address: str = ""
    identifier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientTold:
    """A patient, and the addresses under which other lines of the file mean this patient."""

    facts: PatientFacts
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageTold:
    """A coverage in the payer's own words; which of our plans it means, if any, is looked up by exact name and code."""

    patient: PatientRef
    payer_name: str
    plan_code: str
    member_id: str
    starts_on: date
    ends_on: date | None
    priority: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PrescriberTold:
    """Who wrote the order. Names are empty when the file gives only the NPI."""

    npi: str
    family_name: str = ""
    given_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordTold:
    """An order or a fill. `address` is a Bundle's own address of an order, by which its fills may name it.

    `path` is the resource's, as complaints name it; "" for a row of a table. `registers` is the patient, where the line
    tells of the patient too; neither is then recorded without the other.
    """

    patient: PatientRef
    facts: FillFacts | PrescriptionFacts
    prescriber: PrescriberTold | None = None
    address: str = ""
    registers: PatientFacts | None = None
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PainTold:
    """A pain score."""

    patient: PatientRef
    facts: PainScoreFacts
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndTold:
    """An order, a fill or a pain score no longer stands, told without enough to record it anew."""

    kind: Kind
    identifier: str
    status: RecordStatus
    source_updated_at: datetime | None = None
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoOpioidTold:
    """An order or a fill of a product that is no opioid. If we hold it as one, that was an error and is corrected."""

    kind: Kind
    identifier: str
    source_updated_at: datetime | None = None
    path: str = ""


Told = PatientTold | CoverageTold | RecordTold | PainTold | EndTold | NoOpioidTold


def kind_of(told: Told) -> Kind:
    """Return what the line is about."""
    if isinstance(told, PatientTold):
        return Kind.PATIENT
    if isinstance(told, CoverageTold):
        return Kind.COVERAGE
    if isinstance(told, PainTold):
        return Kind.PAIN_SCORE
    if isinstance(told, RecordTold):
        return Kind.FILL if isinstance(told.facts, FillFacts) else Kind.ORDER
    return told.kind


def own_addresses(*, kind: str, resource_id: str, full_url: str) -> tuple[str, ...]:
    """Return the addresses under which a resource may be named: the Bundle's own, and "Patient/1"."""
    relative = f"{kind}/{resource_id}" if resource_id else ""
    return tuple(address for address in dict.fromkeys((full_url, relative)) if address)


def resolved(reference: str, *, full_url: str) -> str:
    """Return the address that a reference means, for an entry that stands at `full_url` ("" outside a Bundle).

    FHIR reads a relative reference against the server its own entry came from. Outside a Bundle all lines come from one
    server, so an absolute reference means the same as its last two parts.
    """
    reference, full_url = _of_any_version(reference), _of_any_version(full_url)
    is_absolute = "://" in reference or reference.startswith("urn:")
    if is_absolute:
        restful = _RESTFUL.fullmatch(reference)
        return reference.removeprefix(f"{restful['base']}/") if restful and not full_url else reference
    base = _RESTFUL.fullmatch(full_url)
    return f"{base['base']}/{reference}" if base else reference


def _of_any_version(address: str) -> str:
    """Return an address without the version it names; found by no expression, which a long address would occupy."""
    return address.partition("/_history/")[0]


def id_in(address: str) -> str:
    """Return the id at the end of an address: "x" of "Patient/x", of "https://host/Patient/x", of "urn:uuid:x"."""
    return re.split(r"[/:]", address)[-1]
