"""PURE: FHIR R4 Patient and Coverage, and the way to what each resource tells. Every complaint names the element.

Orders and dispensings are read in fhir_records.py, pain scores in fhir_pain.py.
"""

import re
from collections.abc import Sequence

from authz.imports.elements import Element, must_be_understood
from authz.imports.fhir_pain import observation
from authz.imports.fhir_records import dispensing, order
from authz.imports.fhir_shared import person_name, resource_id, subject
from authz.imports.lines import Entry
from authz.imports.products import Recogniser
from authz.imports.refusals import Refusal
from authz.imports.told import CoverageTold, Kind, PatientTold, Told, own_addresses
from authz.prescriptions.facts import PatientFacts

_KINDS = {
    "Patient": Kind.PATIENT,
    "Coverage": Kind.COVERAGE,
    "MedicationRequest": Kind.ORDER,
    "MedicationDispense": Kind.FILL,
    "Observation": Kind.PAIN_SCORE,
}
_LONGEST_PAYER, _LONGEST_MEMBER, _LONGEST_IDENTIFIER, _LONGEST_PLAN = 200, 64, 64, 40
_LARGEST_PRIORITY = 32_767
_PARTIAL_DATE = re.compile(r"[0-9]{4}(-[0-9]{2})?")
_PLAN_CLASSES = {"plan"}
_MEMBER_NUMBER = "MB"


def kind_of_entry(entry: Entry) -> Kind:
    """Return what the entry's resource is.

    :raises Refusal: when the entry holds none, or one of a type that is not taken in.
    """
    if entry.refusal is not None:
        raise entry.refusal
    name = Element(entry.resource or {}, "").members.get("resourceType")
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        shown = name if isinstance(name, str) and re.fullmatch(r"[A-Za-z]{1,40}", name) else "This"
        raise Refusal("not-taken-in", "resourceType", f"{shown} is not taken in; only {', '.join(_KINDS)} are.")
    return kind


def read(entry: Entry, *, identifier_system: str, recogniser: Recogniser) -> Told:
    """Return what the entry tells. `identifier_system` is the FHIR system of the organization's own patient numbers.

    :raises Refusal: naming the element that keeps it from being taken in.
    """
    kind = kind_of_entry(entry)
    resource = Element(entry.resource or {}, str((entry.resource or {})["resourceType"]))
    must_be_understood(resource)
    if kind is Kind.PATIENT:
        return _patient(resource, entry.full_url, identifier_system)
    if kind is Kind.COVERAGE:
        return _coverage(resource, entry.full_url, identifier_system)
    if kind is Kind.PAIN_SCORE:
        return observation(resource, entry.full_url, identifier_system)
    if kind is Kind.ORDER:
        return order(resource, entry.full_url, identifier_system, recogniser)
    return dispensing(resource, entry.full_url, identifier_system, recogniser)


def _patient(resource: Element, full_url: str, system: str) -> PatientTold:
    if resource.flag("active") is False:
        raise Refusal("not-active", "Patient.active", "This patient record is no longer in use; ask a person.")
    for link in resource.children("link"):
        if link.text("type") in {"replaced-by", "replaces"}:
            raise Refusal(
                "merged", f"{link.path}.type", "Merged with another patient; a person must decide who is who."
            )
    family_name, given_name = person_name(list(resource.children("name")))
    facts = PatientFacts(
        identifier=own_number(list(resource.children("identifier")), system, resource.path_of("identifier")),
        family_name=family_name,
        given_name=given_name,
        # A birth date of which only the year is known is not known.
        birth_date=None if _PARTIAL_DATE.fullmatch(resource.text("birthDate")) else resource.day("birthDate"),
    )
    addresses = own_addresses(kind="Patient", resource_id=resource_id(resource), full_url=full_url)
    return PatientTold(facts=facts, addresses=addresses)


def own_number(identifiers: Sequence[Element], system: str, path: str) -> str:
    """Return the number the organization itself gave: the one of its system, else the only one there is.

    :raises Refusal: when there is none, or several and none of them is of that system.
    """
    current = [item for item in identifiers if item.text("use") != "old" and item.text("value")]
    own = [item for item in current if system and item.text("system") == system]
    candidates = own or current
    if not candidates:
        raise Refusal("no-identifier", path, "The patient has no identifier; names and birth dates are never matched.")
    if len({item.text("value") for item in candidates}) > 1:
        sentence = "Several identifiers, and none of the organization's own identifier system."
        raise Refusal("which-identifier", path, sentence)
    return candidates[0].text("value", longest=_LONGEST_IDENTIFIER)


def _coverage(resource: Element, full_url: str, system: str) -> CoverageTold:
    status = resource.text("status")
    if status != "active":
        raise Refusal("not-active", "Coverage.status", "Only an active coverage is taken in.")
    period = resource.child("period")
    starts_on = period.day("start")
    if starts_on is None:
        raise Refusal("day-unknown", "Coverage.period.start", "The day the coverage starts is needed.")
    return CoverageTold(
        patient=subject(resource, "beneficiary", full_url, system),
        payer_name=_payer_name(resource),
        plan_code=_plan_code(resource),
        member_id=_member_id(resource),
        starts_on=starts_on,
        ends_on=period.day("end"),
        priority=_priority(resource),
    )


def _payer_name(resource: Element) -> str:
    payers = list(resource.children("payor"))
    if len(payers) != 1:
        raise Refusal("which-payer", "Coverage.payor", "Exactly one payer is needed.")
    inside = payers[0].text("reference")
    contained = [item for item in resource.children("contained") if inside and inside == f"#{item.text('id')}"]
    name = payers[0].text("display") or "".join(item.text("name") for item in contained)
    if not name:
        raise Refusal("no-payer", payers[0].path_of("display"), "The payer's name is needed.")
    if len(name) > _LONGEST_PAYER:
        raise Refusal("too-long", payers[0].path_of("display"), f"At most {_LONGEST_PAYER} characters can be kept.")
    return name


def _plan_code(resource: Element) -> str:
    """Return the code of the plan, "" when the coverage names none (the payer's rule is then unknown)."""
    for item in resource.children("class"):
        codes = {coding.text("code") for coding in item.child("type").children("coding")}
        if codes & _PLAN_CLASSES:
            return item.text("value", longest=_LONGEST_PLAN)
    return ""


def _member_id(resource: Element) -> str:
    identifiers = list(resource.children("identifier"))
    typed = [
        item
        for item in identifiers
        if any(coding.text("code") == _MEMBER_NUMBER for coding in item.child("type").children("coding"))
    ]
    number = resource.text("subscriberId", longest=_LONGEST_MEMBER)
    candidates = [number] if number else [item.text("value", longest=_LONGEST_MEMBER) for item in typed or identifiers]
    if len(set(candidates)) != 1 or not candidates[0]:
        raise Refusal("no-member-id", "Coverage.subscriberId", "The member id is needed.")
    return candidates[0]


def _priority(resource: Element) -> int:
    priority = resource.whole_number("order")
    if priority is not None and not 1 <= priority <= _LARGEST_PRIORITY:
        raise Refusal("out-of-range", "Coverage.order", "The order of billing counts from 1.")
    return 1 if priority is None else priority
