"""What a FHIR order or dispensing tells us, or why it is not taken in."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from authz.imports.told import EndTold, NoOpioidTold, PatientRef, RecordTold
from authz.prescriptions.facts import FillFacts, PrescriptionFacts
from authz.rules.records import RecordStatus
from tests.imports.builders import (
    LISINOPRIL,
    OXYCODONE,
    PERCOCET,
    RXNORM,
    SYSTEM,
    concept,
    dispensing,
    order,
    quantity,
    without,
)
from tests.imports.reading import OXYCODONE_NDC, fill, refused, told, written

NPI = "http://hl7.org/fhir/sid/us-npi"


# -- MedicationDispense ---------------------------------------------------------------------------------------------


def test_a_dispensing_becomes_a_fill() -> None:
    found = told(
        dispensing(
            4,
            days=7,
            product=PERCOCET,
            quantity=quantity(28, "{tbl}"),
            authorizingPrescription=[{"reference": "MedicationRequest/rx-1", "identifier": {"value": "RX 77"}}],
            meta={"lastUpdated": "2025-03-02T09:00:00+01:00"},
        )
    )

    assert found == RecordTold(
        patient=PatientRef(address="Patient/syn-1"),
        path="MedicationDispense",
        facts=FillFacts(
            identifier="MedicationDispense/disp-4",
            starts_on=date(2025, 3, 1),
            rxcui=PERCOCET[0],
            product_name=PERCOCET[1],
            quantity=Decimal(28),
            days_supply=7,
            rx_number="RX 77",
            prescription_identifier="MedicationRequest/rx-1",
            source_updated_at=datetime(2025, 3, 2, 8, tzinfo=UTC),
        ),
    )


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2025-01-01", date(2025, 1, 1)),
        ("2025-01-01T23:30:00-05:00", date(2025, 1, 1)),
        ("2025-01-01T00:30:00+14:00", date(2025, 1, 1)),
        ("2024-02-29T12:00:00.123Z", date(2024, 2, 29)),
    ],
)
def test_the_day_is_the_one_written_before_any_conversion(text: str, day: date) -> None:
    assert fill(on=text).starts_on == day


def test_the_day_prepared_stands_in_for_a_missing_day_handed_over() -> None:
    found = told(without(dispensing(whenPrepared="2025-02-27"), "whenHandedOver"))

    assert found.facts.starts_on == date(2025, 2, 27)


@pytest.mark.parametrize("days", [0, -3, 371, 9125, 1])
def test_a_silly_supply_is_kept_for_a_person_to_see(days: int) -> None:
    assert fill(days=days).days_supply == days


def test_a_missing_supply_is_kept_as_missing() -> None:
    assert told(without(dispensing(), "daysSupply")).facts.days_supply is None


@pytest.mark.parametrize(
    ("given", "days"),
    [(quantity(2, "wk"), 14), ({"value": 5}, 5), ({"value": 5, "unit": "days"}, 5), (quantity(Decimal("7.0"), "d"), 7)],
)
def test_units_of_days_are_understood(given: dict[str, Any], days: int) -> None:
    assert fill(daysSupply=given).days_supply == days


@pytest.mark.parametrize(
    ("status", "means"),
    [
        ("completed", RecordStatus.ACTIVE),
        ("stopped", RecordStatus.ACTIVE),
        ("cancelled", RecordStatus.CANCELLED),
        ("declined", RecordStatus.CANCELLED),
        ("entered-in-error", RecordStatus.ENTERED_IN_ERROR),
    ],
)
def test_what_a_dispensings_status_means(status: str, means: RecordStatus) -> None:
    assert fill(status=status).status is means


def test_a_dispensing_stopped_before_anything_was_handed_over_is_cancelled() -> None:
    found = told(without(dispensing(status="stopped", whenPrepared="2025-03-01"), "whenHandedOver"))

    assert found.facts.status is RecordStatus.CANCELLED


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("preparation", "not-dispensed-yet"),
        ("in-progress", "not-dispensed-yet"),
        ("on-hold", "not-dispensed-yet"),
        ("unknown", "status-unknown"),
        ("active", "status-unknown"),
        (None, "status-unknown"),
    ],
)
def test_what_was_not_dispensed_is_refused(status: str | None, code: str) -> None:
    assert refused(dispensing(status=status)) == (code, "MedicationDispense.status")


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_taking_back_needs_only_the_number_of_what_is_taken_back(status: str) -> None:
    bare = {"resourceType": "MedicationDispense", "id": "disp-1", "status": status}

    found = told(bare)

    assert isinstance(found, EndTold)
    assert found.identifier == "MedicationDispense/disp-1"
    assert found.status.value == status.replace("-", "_")


@pytest.mark.parametrize("other", [{}, {"status": "in-progress"}, {"subject": None, "whenHandedOver": "never"}])
def test_a_product_that_is_no_opioid_is_said_to_be_none(other: dict[str, Any]) -> None:
    if other.get("status") == "in-progress":
        assert refused(dispensing(product=LISINOPRIL, **other))[0] == "not-dispensed-yet"
    else:
        assert isinstance(told(dispensing(product=LISINOPRIL) | other), NoOpioidTold)


@pytest.mark.parametrize(
    ("other", "code", "path"),
    [
        ({"id": None}, "no-id", "MedicationDispense.id"),
        ({"id": "x" * 65}, "not-an-id", "MedicationDispense.id"),
        ({"whenHandedOver": "2025-03"}, "day-unknown", "MedicationDispense.whenHandedOver"),
        ({"whenHandedOver": None}, "day-unknown", "MedicationDispense.whenHandedOver"),
        ({"whenHandedOver": "2025-02-30"}, "not-a-date", "MedicationDispense.whenHandedOver"),
        ({"whenHandedOver": "2025-03-01T25:00:00Z"}, "not-a-date", "MedicationDispense.whenHandedOver"),
        ({"whenHandedOver": "2025-03-01T10:00:00"}, "not-a-date", "MedicationDispense.whenHandedOver"),
        ({"whenHandedOver": "0001-01-01"}, "out-of-range", "MedicationDispense.whenHandedOver"),
        ({"whenHandedOver": "9999-12-31"}, "out-of-range", "MedicationDispense.whenHandedOver"),
        ({"daysSupply": quantity(Decimal("7.5"), "d")}, "not-whole", "MedicationDispense.daysSupply.value"),
        ({"daysSupply": quantity("7", "d")}, "wrong-type", "MedicationDispense.daysSupply.value"),
        ({"daysSupply": quantity(True, "d")}, "wrong-type", "MedicationDispense.daysSupply.value"),
        ({"daysSupply": quantity(1, "mo")}, "unit-unknown", "MedicationDispense.daysSupply.code"),
        ({"daysSupply": quantity(10**12, "d")}, "out-of-range", "MedicationDispense.daysSupply.value"),
        ({"daysSupply": quantity(200_000, "d")}, "invalid-input", "MedicationDispense.days_supply"),
        ({"daysSupply": 7}, "wrong-type", "MedicationDispense.daysSupply"),
        (
            {"daysSupply": quantity(7, "d") | {"comparator": "<"}},
            "not-exact",
            "MedicationDispense.daysSupply.comparator",
        ),
        ({"quantity": {"value": Decimal("1E+999999")}}, "out-of-range", "MedicationDispense.quantity.value"),
        ({"quantity": {"value": Decimal("0.00001")}}, "invalid-input", "MedicationDispense.quantity"),
        ({"subject": None}, "no-patient", "MedicationDispense.subject"),
        ({"subject": {"display": "Pat Doe"}}, "no-patient", "MedicationDispense.subject"),
        ({"subject": {"reference": "#p"}}, "contained-patient", "MedicationDispense.subject.reference"),
        (
            {"medicationCodeableConcept": {"text": "oxycodone"}},
            "no-rxnorm-code",
            "MedicationDispense.medicationCodeableConcept",
        ),
        (
            {"medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/1"}},
            "medication-elsewhere",
            "MedicationDispense.medicationReference",
        ),
        ({"meta": {"lastUpdated": "2025-03-01"}}, "not-a-date", "MedicationDispense.meta.lastUpdated"),
    ],
)
def test_a_dispensing_that_is_not_clear_is_refused_and_the_element_named(
    other: dict[str, Any], code: str, path: str
) -> None:
    assert refused(dispensing(**other)) == (code, path)


def test_a_medication_inside_the_resource_is_read() -> None:
    inside = {"resourceType": "Medication", "id": "m", "code": concept(PERCOCET)}

    resource = without(dispensing(contained=[inside]), "medicationCodeableConcept")
    found = told(resource | {"medicationReference": {"reference": "#m"}})

    assert found.facts.rxcui == PERCOCET[0]


def test_the_sender_s_own_choice_among_codes_is_tried_first() -> None:
    codes = [
        {"system": RXNORM, "code": "9990001", "display": "oxycodone A"},
        {"system": RXNORM, "code": "9990002", "display": "oxycodone B", "userSelected": True},
        {"system": "http://hl7.org/fhir/sid/ndc", "code": "1", "display": "oxycodone C"},
    ]

    assert fill(medicationCodeableConcept={"coding": codes}).rxcui == "9990002"


def test_a_patient_may_be_named_by_the_organizations_own_number() -> None:
    own = {"identifier": {"system": SYSTEM, "value": "MRN-1"}}
    strange = {"identifier": {"system": "urn:other", "value": "MRN-1"}}

    assert told(dispensing(subject=own)).patient == PatientRef(identifier="MRN-1")
    assert refused(dispensing(subject=strange))[0] == "no-patient"


# -- MedicationRequest ----------------------------------------------------------------------------------------------


def test_an_order_becomes_a_prescription() -> None:
    dosage = {
        "text": "1 tablet every 6 hours",
        "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}],
        "timing": {"repeat": {"frequency": 1, "period": 6, "periodUnit": "h"}},
    }
    request = {"quantity": quantity(20, "{tbl}"), "numberOfRepeatsAllowed": 2}

    found = told(order(2, on="2025-02-28T23:59:00-05:00", dosageInstruction=[dosage], dispenseRequest=request))

    assert found.facts == PrescriptionFacts(
        identifier="MedicationRequest/rx-2",
        starts_on=date(2025, 2, 28),
        rxcui="1049621",
        product_name="oxycodone hydrochloride 5 MG Oral Tablet",
        quantity=Decimal(20),
        days_supply=None,
        daily_units=Decimal(4),
        refills=2,
        directions="1 tablet every 6 hours",
    )


@pytest.mark.parametrize(
    ("status", "means"),
    [
        ("active", RecordStatus.ACTIVE),
        ("on-hold", RecordStatus.ACTIVE),
        ("completed", RecordStatus.ACTIVE),
        ("stopped", RecordStatus.CANCELLED),
        ("cancelled", RecordStatus.CANCELLED),
        ("entered-in-error", RecordStatus.ENTERED_IN_ERROR),
    ],
)
def test_what_an_orders_status_means(status: str, means: RecordStatus) -> None:
    assert written(status=status).status is means


@pytest.mark.parametrize(
    ("other", "code", "path"),
    [
        ({"status": "draft"}, "status-unknown", "MedicationRequest.status"),
        ({"status": "unknown"}, "status-unknown", "MedicationRequest.status"),
        ({"intent": "proposal"}, "not-an-order", "MedicationRequest.intent"),
        ({"intent": "plan"}, "not-an-order", "MedicationRequest.intent"),
        ({"intent": "instance-order"}, "not-an-order", "MedicationRequest.intent"),
        ({"intent": None}, "not-an-order", "MedicationRequest.intent"),
        ({"doNotPerform": True}, "do-not-perform", "MedicationRequest.doNotPerform"),
        ({"authoredOn": None}, "day-unknown", "MedicationRequest.authoredOn"),
        (
            {"dispenseRequest": {"numberOfRepeatsAllowed": -1}},
            "out-of-range",
            "MedicationRequest.dispenseRequest.numberOfRepeatsAllowed",
        ),
        (
            {"requester": {"identifier": {"system": NPI, "value": "1234567890"}}},
            "not-an-npi",
            "MedicationRequest.requester",
        ),
    ],
)
def test_what_is_no_order_is_refused(other: dict[str, Any], code: str, path: str) -> None:
    assert refused(order(**other)) == (code, path)


@pytest.mark.parametrize("intent", ["order", "original-order", "reflex-order"])
def test_orders_are_taken_in(intent: str) -> None:
    assert written(intent=intent).days_supply == 5


def test_the_prescriber_is_read_from_the_reference_or_from_inside() -> None:
    identifier = {"system": NPI, "value": "1234567893"}
    inside = {"id": "p", "identifier": [identifier], "name": [{"family": "Jones", "given": ["Ida"]}]}

    named = told(order(contained=[inside], requester={"reference": "#p"})).prescriber
    bare = told(order(requester={"identifier": identifier})).prescriber

    assert (named.npi, named.family_name, named.given_name) == ("1234567893", "Jones", "Ida")
    assert (bare.npi, bare.family_name) == ("1234567893", "")
    assert told(order(requester={"reference": "Practitioner/1"})).prescriber is None


def test_an_ndc_coding_tells_the_product_where_no_rxnorm_code_does() -> None:
    ndc = {"system": "http://hl7.org/fhir/sid/ndc", "code": OXYCODONE_NDC}
    rxnorm = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": PERCOCET[0]}

    alone = told(dispensing(medicationCodeableConcept={"coding": [ndc]}))
    beside = told(dispensing(medicationCodeableConcept={"coding": [ndc, rxnorm]}))

    assert (alone.facts.rxcui, beside.facts.rxcui) == (OXYCODONE[0], PERCOCET[0])
    ndc["code"] = "99999-9999-99"
    assert refused(dispensing(medicationCodeableConcept={"coding": [ndc]})) == (
        "unknown-ndc",
        "MedicationDispense.medicationCodeableConcept",
    )


# -- 42 CFR Part 2 --------------------------------------------------------------------------------------------------
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


@pytest.mark.parametrize(
    ("security", "is_part2"),
    [
        ([{"system": ACT_CODE, "code": "42CFRPart2"}], True),
        ([{"system": ACT_CODE, "code": "PSY"}, {"system": ACT_CODE, "code": "ETH"}], True),
        ([{"system": "http://hl7.org/fhir/v3/ActUSPrivacyLaw", "code": "42CFRPart2"}], True),
        ([{"system": ACT_CODE, "code": "PSY"}], None),
        ([{"system": "urn:ours", "code": "ETH"}], None),
        ([], None),
    ],
)
def test_a_security_label_puts_a_record_under_part_2_and_its_absence_says_nothing(
    security: list[dict[str, str]], is_part2: bool | None
) -> None:
    meta = {"security": security} if security else {}

    assert fill(meta=meta).is_part2 is is_part2
    assert written(meta=meta).is_part2 is is_part2
