"""PURE: FHIR R4 MedicationRequest and MedicationDispense. What a status or intent means is in the tables here."""

from datetime import date
from decimal import Decimal

from authz.errors import InvalidInput
from authz.imports.dosage import daily_units
from authz.imports.elements import Element
from authz.imports.fhir_shared import person_name, record_identifier, subject, updated_at
from authz.imports.products import NDC, RXNORM, NamedProduct, Recogniser
from authz.imports.refusals import Refusal
from authz.imports.told import EndTold, Kind, NoOpioidTold, PatientRef, PrescriberTold, RecordTold, id_in, resolved
from authz.prescriptions.facts import FillFacts, PrescriptionFacts
from authz.prescriptions.npi import is_valid_npi
from authz.prescriptions.part2 import is_labelled
from authz.rules.records import RecordStatus

NPI_SYSTEM = "http://hl7.org/fhir/sid/us-npi"

# http://hl7.org/fhir/R4/valueset-medicationdispense-status.html. Only what the patient has in hand is a fill:
# "in-progress" is ready for pickup. "stopped" was halted half-way: what was handed over counts, else nothing was.
DISPENSE_STATUS = {
    "completed": RecordStatus.ACTIVE,
    "stopped": RecordStatus.ACTIVE,
    "cancelled": RecordStatus.CANCELLED,
    "declined": RecordStatus.CANCELLED,
    "entered-in-error": RecordStatus.ENTERED_IN_ERROR,
}
_NOT_YET = {"preparation", "in-progress", "on-hold"}

# http://hl7.org/fhir/R4/valueset-medicationrequest-status.html. A completed or paused order was validly written;
# whether it still counts is for the rule (filled, or expired). A stopped one no longer stands.
ORDER_STATUS = {
    "active": RecordStatus.ACTIVE,
    "on-hold": RecordStatus.ACTIVE,
    "completed": RecordStatus.ACTIVE,
    "stopped": RecordStatus.CANCELLED,
    "cancelled": RecordStatus.CANCELLED,
    "entered-in-error": RecordStatus.ENTERED_IN_ERROR,
}
# http://hl7.org/fhir/R4/valueset-medicationrequest-intent.html. Proposals, plans and options are no orders; a filler's
# or an instance order repeats an order that was already written.
ORDER_INTENTS = {"order", "original-order", "reflex-order"}

_UNIT_DAYS = {"": 1, "d": 1, "day": 1, "days": 1, "wk": 7, "week": 7, "weeks": 7}
_LONGEST_NUMBER, _LONGEST_DIRECTIONS = 100, 500
_MOST_REFILLS = 32_767


def dispensing(
    resource: Element, full_url: str, system: str, recogniser: Recogniser
) -> RecordTold | EndTold | NoOpioidTold:
    """Return what a MedicationDispense tells.

    :raises Refusal: naming the element.
    """
    return _told_or_ended(resource, Kind.FILL, _dispense_status(resource), full_url, system, recogniser)


def order(resource: Element, full_url: str, system: str, recogniser: Recogniser) -> RecordTold | EndTold | NoOpioidTold:
    """Return what a MedicationRequest tells.

    :raises Refusal: naming the element.
    """
    return _told_or_ended(resource, Kind.ORDER, _order_status(resource), full_url, system, recogniser)


def _told_or_ended(
    resource: Element, kind: Kind, status: RecordStatus, full_url: str, system: str, recogniser: Recogniser
) -> RecordTold | EndTold | NoOpioidTold:
    identifier = record_identifier(resource, full_url)
    try:
        return _told(resource, kind, identifier, status, full_url, system, recogniser)
    except Refusal:
        # Taking back needs no more than the number of what is taken back.
        if status is RecordStatus.ACTIVE:
            raise
    return EndTold(
        kind=kind, identifier=identifier, status=status, source_updated_at=updated_at(resource), path=resource.path
    )


def _told(
    resource: Element,
    kind: Kind,
    identifier: str,
    status: RecordStatus,
    full_url: str,
    system: str,
    recogniser: Recogniser,
) -> RecordTold | NoOpioidTold:
    product = _product(resource, recogniser)
    if product is None:
        return NoOpioidTold(
            kind=kind, identifier=identifier, source_updated_at=updated_at(resource), path=resource.path
        )
    patient = subject(resource, "subject", full_url, system)
    try:
        if kind is Kind.FILL:
            return _fill(resource, identifier, status, product, patient)
        return _order(resource, identifier, status, product, patient, full_url)
    except InvalidInput as error:
        name, sentences = next(iter(error.fields.items()))
        raise Refusal("invalid-input", f"{resource.path}.{name}", sentences[0]) from error


def _dispense_status(resource: Element) -> RecordStatus:
    status, path = resource.text("status"), resource.path_of("status")
    if status in _NOT_YET:
        raise Refusal("not-dispensed-yet", path, f'"{status}": nothing was handed to the patient yet.')
    if status == "stopped" and not resource.has("whenHandedOver"):
        return RecordStatus.CANCELLED
    if status not in DISPENSE_STATUS:
        raise Refusal("status-unknown", path, "Whether it was dispensed cannot be told from this status.")
    return DISPENSE_STATUS[status]


def _order_status(resource: Element) -> RecordStatus:
    if resource.flag("doNotPerform"):
        raise Refusal(
            "do-not-perform", resource.path_of("doNotPerform"), "This asks not to give the product; it is no order."
        )
    if resource.text("intent") not in ORDER_INTENTS:
        raise Refusal(
            "not-an-order",
            resource.path_of("intent"),
            "Only orders are taken in, no proposals, plans or parts of orders.",
        )
    if resource.text("status") not in ORDER_STATUS:
        raise Refusal(
            "status-unknown", resource.path_of("status"), "Whether the order stands cannot be told from this status."
        )
    return ORDER_STATUS[resource.text("status")]


def _product(resource: Element, recogniser: Recogniser) -> NamedProduct | None:
    """Return the product if it is, or might be, one that is taken in."""
    concept = _medication(resource)
    codings = sorted(concept.children("coding"), key=lambda coding: coding.flag("userSelected") is not True)
    by_system: dict[str, list[tuple[str, str]]] = {RXNORM: [], NDC: []}
    elsewhere = [concept.text("text")]
    for item in codings:
        coded = (item.text("code"), item.text("display"))
        system = item.text("system")
        if system in by_system:
            by_system[system].append(coded)
        if system != RXNORM:
            elsewhere.append(coded[1])
    return recogniser.product(
        codes=by_system[RXNORM],
        ndcs=by_system[NDC],
        other_names=[name for name in elsewhere if name],
        path=concept.path,
    )


def _medication(resource: Element) -> Element:
    """Return the concept that names the product: the resource's own, or that of a Medication inside it."""
    reference = resource.child("medicationReference").text("reference")
    if resource.has("medicationCodeableConcept") or not reference:
        return resource.child("medicationCodeableConcept")
    for medication in resource.children("contained"):
        if reference == f"#{medication.text('id')}":
            return medication.child("code")
    sentence = "A Medication in another line is not looked up; the product's code is needed here."
    raise Refusal("medication-elsewhere", resource.path_of("medicationReference"), sentence)


def _fill(
    resource: Element, identifier: str, status: RecordStatus, product: NamedProduct, patient: PatientRef
) -> RecordTold:
    day = resource.day("whenHandedOver") or resource.day("whenPrepared")
    order_identifier, rx_number = _filled_order(resource)
    facts = FillFacts(
        identifier=identifier,
        status=status,
        starts_on=_needed(day, resource.path_of("whenHandedOver"), "The day it was handed over is needed."),
        rxcui=product.rxcui,
        product_name=product.name,
        quantity=_amount(resource.child("quantity")),
        days_supply=_days(resource.child("daysSupply")),
        daily_units=daily_units(list(resource.children("dosageInstruction"))),
        rx_number=rx_number,
        prescription_identifier=order_identifier,
        source_updated_at=updated_at(resource),
        is_part2=_is_part2(resource),
    )
    return RecordTold(patient=patient, facts=facts, path=resource.path)


def _filled_order(resource: Element) -> tuple[str | None, str]:
    """Return the order's identifier with us and the pharmacy's number of it, as far as the fill names them."""
    orders = list(resource.children("authorizingPrescription"))
    if len(orders) != 1:
        return None, ""
    number = orders[0].child("identifier").text("value", longest=_LONGEST_NUMBER)
    reference = orders[0].text("reference")
    if not reference:
        return None, number
    address = resolved(reference, full_url="")
    is_bundle_own = address.startswith("urn:")
    identifier = address if is_bundle_own else f"MedicationRequest/{id_in(address)}"
    return identifier[:_LONGEST_NUMBER], number


def _order(
    resource: Element, identifier: str, status: RecordStatus, product: NamedProduct, patient: PatientRef, full_url: str
) -> RecordTold:
    request = resource.child("dispenseRequest")
    dosages = list(resource.children("dosageInstruction"))
    prescriber = _prescriber(resource)
    facts = PrescriptionFacts(
        identifier=identifier,
        status=status,
        starts_on=_needed(
            resource.day("authoredOn"), resource.path_of("authoredOn"), "The day it was written is needed."
        ),
        rxcui=product.rxcui,
        product_name=product.name,
        quantity=_amount(request.child("quantity")),
        days_supply=_days(request.child("expectedSupplyDuration")),
        daily_units=daily_units(dosages),
        refills=_refills(request),
        directions="; ".join(filter(None, (dosage.text("text") for dosage in dosages)))[:_LONGEST_DIRECTIONS],
        prescriber_npi=prescriber.npi if prescriber else None,
        source_updated_at=updated_at(resource),
        is_part2=_is_part2(resource),
    )
    address = full_url if full_url.startswith("urn:") else ""
    return RecordTold(patient=patient, facts=facts, prescriber=prescriber, address=address, path=resource.path)


def _prescriber(resource: Element) -> PrescriberTold | None:
    """Return the prescriber where the order gives an NPI: in the reference, or in a Practitioner inside the order.

    :raises Refusal: when the NPI's check digit is wrong.
    """
    requester = resource.child("requester")
    inside = requester.text("reference")
    practitioners = [item for item in resource.children("contained") if inside and inside == f"#{item.text('id')}"]
    identifiers = [requester.child("identifier"), *(i for item in practitioners for i in item.children("identifier"))]
    numbers = [item.text("value") for item in identifiers if item.text("system") == NPI_SYSTEM and item.text("value")]
    if not numbers:
        return None
    if not is_valid_npi(numbers[0]):
        raise Refusal(
            "not-an-npi",
            resource.path_of("requester"),
            "Not a National Provider Identifier: the check digit does not fit.",
        )
    family_name, given_name = person_name([name for item in practitioners for name in item.children("name")])
    return PrescriberTold(npi=numbers[0], family_name=family_name, given_name=given_name)


def _is_part2(resource: Element) -> bool | None:
    """Return True where a security label says so. Without one nothing is said: labels are lost on the way."""
    labels = resource.child("meta").children("security")
    return is_labelled((label.text("system"), label.text("code")) for label in labels) or None


def _needed(day: date | None, path: str, sentence: str) -> date:
    if day is None:
        raise Refusal("day-unknown", path, sentence)
    return day


def _amount(quantity: Element) -> Decimal | None:
    """Return the amount, None when it is missing. What cannot be an amount is refused, not rounded."""
    if quantity.has("comparator"):
        raise Refusal("not-exact", quantity.path_of("comparator"), "An exact amount is needed.")
    return quantity.number("value")


def _days(quantity: Element) -> int | None:
    """Return whole days, silly ones too (0, -3, 371): the rule puts those before a person. None when it is missing."""
    if _amount(quantity) is None:
        return None
    unit = quantity.text("code") or quantity.text("unit")
    days = _UNIT_DAYS.get(unit.casefold())
    if days is None:
        raise Refusal("unit-unknown", quantity.path_of("code"), "Days (d) or weeks (wk) are needed.")
    return (quantity.whole_number("value") or 0) * days


def _refills(request: Element) -> int | None:
    refills = request.whole_number("numberOfRepeatsAllowed")
    if refills is not None and not 0 <= refills <= _MOST_REFILLS:
        raise Refusal("out-of-range", request.path_of("numberOfRepeatsAllowed"), "Not a number of refills.")
    return refills
