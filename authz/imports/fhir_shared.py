"""PURE: what several FHIR resources say in the same way."""

import re
from collections.abc import Sequence
from datetime import datetime

from authz.imports.elements import Element
from authz.imports.refusals import Refusal
from authz.imports.told import PatientRef, resolved

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_UUID_ADDRESS = re.compile(r"urn:(uuid|oid):(?P<id>[A-Za-z0-9\-.]{1,64})")
_LONGEST_NAME = 120
_LONGEST_IDENTIFIER = 64


def resource_id(resource: Element) -> str:
    """Return the resource's id, "" when it has none.

    :raises Refusal: when it is not as FHIR ids are.
    """
    text = resource.text("id")
    if text and not _ID.fullmatch(text):
        raise Refusal("not-an-id", resource.path_of("id"), "A FHIR id has 1 to 64 letters, digits, hyphens and points.")
    return text


def record_identifier(resource: Element, full_url: str) -> str:
    """Return the name by which an order or fill is the same again: "MedicationDispense/<id>".

    :raises Refusal: when the resource has no id, nor a Bundle's own address that could stand for it.
    """
    address = _UUID_ADDRESS.fullmatch(full_url)
    known = resource_id(resource) or (address["id"] if address else "")
    if not known:
        raise Refusal(
            "no-id", resource.path_of("id"), "Without an id the same record sent again could not be recognised."
        )
    return f"{resource.path}/{known}"


def updated_at(resource: Element) -> datetime | None:
    """Return when the sender says the resource last changed, in UTC."""
    return resource.child("meta").instant("lastUpdated")


def subject(resource: Element, name: str, full_url: str, system: str) -> PatientRef:
    """Return whom the resource is about, by reference or by the organization's own number.

    :raises Refusal: when it says neither, or hides the patient inside itself.
    """
    reference = resource.child(name)
    path = resource.path_of(name)
    if address := reference.text("reference"):
        if address.startswith("#"):
            raise Refusal("contained-patient", f"{path}.reference", "The patient must be a resource of its own.")
        return PatientRef(address=resolved(address, full_url=full_url))
    identifier = reference.child("identifier")
    number = identifier.text("value", longest=_LONGEST_IDENTIFIER)
    if number and identifier.text("system") in {"", system}:
        return PatientRef(identifier=number)
    raise Refusal(
        "no-patient", path, "A reference to the patient, or the organization's own number of the patient, is needed."
    )


def person_name(names: Sequence[Element]) -> tuple[str, str]:
    """Return family and given names: the official ones, else the first still in use; empty when none is given."""
    current = [name for name in names if name.text("use") not in {"old", "anonymous", "nickname"}]
    chosen = next((name for name in current if name.text("use") == "official"), next(iter(current), None))
    if chosen is None:
        return "", ""
    given = chosen.members.get("given")
    if given is not None and not (isinstance(given, list) and all(isinstance(part, str) for part in given)):
        raise Refusal("wrong-type", chosen.path_of("given"), "A list of texts is needed.")
    joined = " ".join(part.strip() for part in given or [])
    family = chosen.text("family", longest=_LONGEST_NAME)
    if len(joined) > _LONGEST_NAME:
        raise Refusal("too-long", chosen.path_of("given"), f"At most {_LONGEST_NAME} characters can be kept.")
    return (family, joined) if family or joined else (chosen.text("text", longest=_LONGEST_NAME), "")
