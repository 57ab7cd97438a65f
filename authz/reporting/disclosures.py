"""PURE: who outside an organization received what it holds of a patient, and what for.

What an accounting to a patient tells of each disclosure is 45 CFR 164.528(b)(2): the date, who received it, what it
was, and why. Several to one recipient of the same for the same are told together, as (b)(3) has it: the first, the
last, and how many.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from authz.reporting.sheet import safe, written

COLUMNS: Final = ("recipient", "what", "record", "purpose", "first_at", "last_at", "times")


class Disclosed(StrEnum):
    """What was received: a request with all that hangs on it; or drug, days and MME of use, whoever recorded it."""

    REQUEST = "prior_authorization"
    USE = "opioid_use"


class Purpose(StrEnum):
    """What for, in the words of 45 CFR 164.506 and 164.512."""

    TREATMENT = "treatment"
    EMERGENCY = "emergency_treatment"
    PAYMENT = "payment"
    OPERATIONS = "health_care_operations"
    LAW = "required_by_law"
    PUBLIC_HEALTH = "public_health"
    RESEARCH = "research"
    PATIENTS_REQUEST = "patients_request"


_OF_CODE: Final = {
    **dict.fromkeys(("TREAT", "CAREMGT", "COC"), Purpose.TREATMENT),
    **dict.fromkeys(("ETREAT", "BTG"), Purpose.EMERGENCY),
    **dict.fromkeys(("HPAYMT", "CLMATTCH", "COVAUTH", "COVERAGE", "ELIGDTRM", "ELIGVER", "REMITADV"), Purpose.PAYMENT),
    **dict.fromkeys(
        ("HOPERAT", "FRAUD", "HCOMPL", "HQUALIMP", "HSYSADMIN", "HTEST", "PATADMIN", "PATSFTY", "RECORDMGT", "TRAIN"),
        Purpose.OPERATIONS,
    ),
    "HLEGAL": Purpose.LAW,
    **dict.fromkeys(("DISASTER", "THREAT", "PUBHLTH"), Purpose.PUBLIC_HEALTH),
    "HRESCH": Purpose.RESEARCH,
    **dict.fromkeys(("PATRQT", "FAMRQT", "PWATRNY"), Purpose.PATIENTS_REQUEST),
}


def purpose_of(code: str, *, is_emergency: bool, is_insurer: bool) -> Purpose:
    """Return what an answer was for: as its reader said (HL7 v3 PurposeOfUse), else what such a reader reads for."""
    if is_emergency:
        return Purpose.EMERGENCY
    return _OF_CODE.get(code) or (Purpose.PAYMENT if is_insurer else Purpose.TREATMENT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """One receipt. `record_id` is the request's public id, or of use the patient's."""

    at: datetime
    recipient: str
    what: Disclosed
    record_id: UUID
    purpose: Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Receipts of the same by the same for the same, told together."""

    recipient: str
    what: Disclosed
    record_id: UUID
    purpose: Purpose
    first_at: datetime
    last_at: datetime
    times: int


def told(disclosures: Iterable[Disclosure]) -> list[Told]:
    """Return receipts told together, by recipient, then the latest first."""
    together: dict[tuple[str, Disclosed, UUID, Purpose], list[datetime]] = {}
    for one in disclosures:
        together.setdefault((one.recipient, one.what, one.record_id, one.purpose), []).append(one.at)
    lines = [
        Told(
            recipient=recipient,
            what=what,
            record_id=record_id,
            purpose=purpose,
            first_at=min(instants),
            last_at=max(instants),
            times=len(instants),
        )
        for (recipient, what, record_id, purpose), instants in together.items()
    ]
    lines.sort(key=lambda line: (line.last_at, line.record_id), reverse=True)
    return sorted(lines, key=lambda line: line.recipient)


def disclosure_lines(disclosures: Iterable[Told]) -> Iterator[str]:
    """Yield an accounting as CSV, in the words in which the API tells it."""
    return written(COLUMNS, (_cells(line) for line in disclosures))


def _cells(line: Told) -> list[object]:
    instants = (line.first_at.isoformat(), line.last_at.isoformat())
    return [safe(line.recipient), line.what.value, line.record_id, line.purpose.value, *instants, line.times]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKnown:
    """What of a request matters here. Organizations are inside keys.

    `ids` are its own public id and those of what hangs on it. `spoken_at` is when its insurer first told the clinic
    something of it.
    """

    id: UUID
    clinic: int
    insurer: int | None
    opened_at: datetime
    submitted_at: datetime | None
    spoken_at: datetime | None = None
    ids: frozenset[UUID] = field(default_factory=frozenset)

    def is_known_to(self, organization: int, *, at: datetime) -> bool:
        """Say whether an organization can have been shown it at an instant."""
        since = {self.insurer: self.submitted_at, self.clinic: self.opened_at}.get(organization)
        return since is not None and since <= at

    def is_from(self, holder: int, *, at: datetime) -> bool:
        """Say whether what the other side had of it at an instant was the holder's: sent to it, or told to it."""
        since = {self.insurer: self.spoken_at, self.clinic: self.submitted_at}.get(holder)
        return since is not None and since <= at


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What an organization holds of a patient. `recorded_at` is when it first recorded use of theirs, if it did."""

    holder: int
    patient_id: UUID
    requests: Collection[RequestKnown]
    recorded_at: datetime | None

    def has_use(self, *, at: datetime) -> bool:
        return self.recorded_at is not None and self.recorded_at <= at


_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ANY: Final = r"[^/]+"
_SHOWS_USE: Final = re.compile(
    rf"\S+ (/api/v1/patients/{_ANY}/(opioid-use|opioid-use/changes|timeline|pain-signal)/"
    rf"|/patients/{_ANY}/(history/|(history|records)\.csv)?)"
)
_SHOWS_REQUESTS: Final = re.compile(
    r"\S+ (/|/(worklist|inbox)\.csv|/(desk|inbox)/.*|/figures/(open/|work/)?requests(/|\.csv)"
    r"|/api/v1/(prior-authorizations|review-queue|appeals|second-readings|metrics|inbox|aging)/.*)"
)


def shows_use(address: str) -> bool:
    """Say whether a patient's use is answered at an address such as "GET /patients/<id>/", whoever recorded it."""
    return _SHOWS_USE.fullmatch(address) is not None


def shows_requests(address: str) -> bool:
    """Say whether requests are answered at an address that need not name them."""
    return _SHOWS_REQUESTS.fullmatch(address) is not None


def shown(address: str, held: Held, *, to: int, at: datetime) -> Iterator[tuple[Disclosed, UUID]]:
    """Yield what of the holder's another organization was answered from at an address such as "GET /desk/".

    A list names nothing that was on it, so all that can have been is told: perhaps more than was shown, never less.
    """
    if shows_use(address) and held.has_use(at=at):
        yield Disclosed.USE, held.patient_id
    yield from dict.fromkeys(
        what
        for request in _requests_at(address, held.requests)
        if request.is_known_to(to, at=at) and (what := of_request(request, held, at=at))
    )


def of_request(request: RequestKnown, held: Held, *, at: datetime) -> tuple[Disclosed, UUID] | None:
    """Return what of the holder's a request tells: itself; else the use on which it rests; or nothing."""
    if request.is_from(held.holder, at=at):
        return Disclosed.REQUEST, request.id
    return (Disclosed.USE, held.patient_id) if held.has_use(at=at) else None


def _requests_at(address: str, requests: Collection[RequestKnown]) -> Collection[RequestKnown]:
    named = {UUID(text) for text in _ID.findall(address)}
    found = [request for request in requests if request.ids & named]
    return found or (requests if shows_requests(address) else ())
