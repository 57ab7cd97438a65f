"""FHIR resources and CSV rows as senders write them, invented. What a test is about, it says itself."""

import json
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SYSTEM = "urn:example:riverside"
OXYCODONE = ("1049621", "oxycodone hydrochloride 5 MG Oral Tablet")
PERCOCET = ("1049625", "acetaminophen 325 MG / oxycodone hydrochloride 10 MG Oral Tablet [Percocet]")
LISINOPRIL = ("314076", "lisinopril 10 MG Oral Tablet")
NEW_OXYCODONE = ("9990001", "oxycodone hydrochloride 7 MG Oral Tablet")

Resource = dict[str, Any]


def patient(number: int | str = 1, **other: Any) -> Resource:
    return {
        "resourceType": "Patient",
        "id": f"syn-{number}",
        "identifier": [{"system": SYSTEM, "value": f"MRN-{number}"}],
        "birthDate": "1970-05-05",
    } | other


def dispensing(
    number: int | str = 1,
    *,
    of: int | str = 1,
    on: str = "2025-03-01",
    days: Any = 5,
    product: tuple[str, str] = OXYCODONE,
    **other: Any,
) -> Resource:
    return {
        "resourceType": "MedicationDispense",
        "id": f"disp-{number}",
        "status": "completed",
        "medicationCodeableConcept": concept(product),
        "subject": {"reference": f"Patient/syn-{of}"},
        "whenHandedOver": on,
        "daysSupply": quantity(days, "d"),
    } | other


def order(
    number: int | str = 1,
    *,
    of: int | str = 1,
    on: str = "2025-03-01",
    days: Any = 5,
    product: tuple[str, str] = OXYCODONE,
    **other: Any,
) -> Resource:
    return {
        "resourceType": "MedicationRequest",
        "id": f"rx-{number}",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": concept(product),
        "subject": {"reference": f"Patient/syn-{of}"},
        "authoredOn": on,
        "dispenseRequest": {"expectedSupplyDuration": quantity(days, "d"), "numberOfRepeatsAllowed": 0},
    } | other


def coverage(number: int | str = 1, *, of: int | str = 1, payer: str = "Evergreen Health", **other: Any) -> Resource:
    return {
        "resourceType": "Coverage",
        "id": f"cov-{number}",
        "status": "active",
        "beneficiary": {"reference": f"Patient/syn-{of}"},
        "payor": [{"display": payer}],
        "subscriberId": f"M-{number}",
        "class": [{"type": {"coding": [{"code": "plan"}]}, "value": "EV-PPO"}],
        "period": {"start": "2024-01-01"},
    } | other


def concept(product: tuple[str, str]) -> Resource:
    return {"coding": [{"system": RXNORM, "code": product[0], "display": product[1]}]}


def quantity(value: Any, code: str) -> Resource:
    return {"value": value, "unit": code, "system": "http://unitsofmeasure.org", "code": code}


def without(resource: Mapping[str, Any], *names: str) -> Resource:
    return {name: value for name, value in resource.items() if name not in names}


def ndjson(*resources: Mapping[str, Any]) -> bytes:
    return b"".join(json.dumps(resource).encode() + b"\n" for resource in resources)


def bundle(*resources: Mapping[str, Any], addresses: Iterable[str] = (), indent: int | None = None) -> bytes:
    """Return a Bundle; `addresses` are the entries' full URLs, in order."""
    entries: list[Resource] = [{"resource": resource} for resource in resources]
    for entry, address in zip(entries, addresses, strict=False):
        entry["fullUrl"] = address
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}, indent=indent).encode()


def file(content: bytes) -> BytesIO:
    return BytesIO(content)


CSV_HEADER = "patient,fill,dispensed_on,rxcui,days_supply,product_name"


def rows(*lines: str, header: str = CSV_HEADER) -> bytes:
    return "".join(f"{line}\r\n" for line in (header, *lines)).encode()


def row(fill: int | str = 1, *, of: int | str = 1, on: str = "2025-03-01", days: Any = 5) -> str:
    return f"MRN-{of},F-{fill},{on},{OXYCODONE[0]},{days},"
