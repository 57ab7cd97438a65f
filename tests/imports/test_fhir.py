"""What a FHIR resource tells us, or why it is not taken in."""

from datetime import date
from time import process_time
from typing import Any

import pytest

from authz.imports.refusals import Refusal
from authz.imports.told import CoverageTold, PatientRef, PatientTold
from tests.imports.builders import (
    SYSTEM,
    coverage,
    dispensing,
    patient,
    without,
)
from tests.imports.reading import fill, refused, told

# -- any resource ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Condition", "MedicationAdministration", "Practitioner"])
def test_other_resources_are_refused_by_name_not_dropped(name: str) -> None:
    with pytest.raises(Refusal) as caught:
        told({"resourceType": name, "id": "1"})

    assert caught.value.code == "not-taken-in"
    assert name in caught.value.sentence


@pytest.mark.parametrize("name", [None, 7, ["Patient"], "Doe, Pat"])
def test_what_names_no_type_is_refused_without_quoting_it(name: object) -> None:
    with pytest.raises(Refusal) as caught:
        told({"resourceType": name})

    assert caught.value.code == "not-taken-in"
    assert "Doe" not in caught.value.sentence


@pytest.mark.parametrize(
    ("where", "path"),
    [
        ({"modifierExtension": [{"url": "x"}]}, "MedicationDispense.modifierExtension"),
        (
            {"dosageInstruction": [{}, {"modifierExtension": [{"url": "x"}]}]},
            "MedicationDispense.dosageInstruction[1].modifierExtension",
        ),
        ({"implicitRules": "urn:x"}, "MedicationDispense.implicitRules"),
    ],
)
def test_what_changes_the_meaning_in_unknown_ways_is_refused(where: dict[str, Any], path: str) -> None:
    assert refused(dispensing(**where)) == ("must-understand", path)


def test_an_ordinary_extension_is_read_over() -> None:
    assert fill(extension=[{"url": "x", "valueString": "y"}]).days_supply == 5


# -- Patient --------------------------------------------------------------------------------------------------------


def test_a_patient_is_known_by_the_organizations_own_number_alone() -> None:
    found = told(patient(7, name=[{"use": "official", "family": "Doe", "given": ["Pat", "Lee"]}]))

    assert isinstance(found, PatientTold)
    assert found.facts.identifier == "MRN-7"
    assert (found.facts.family_name, found.facts.given_name) == ("Doe", "Pat Lee")
    assert found.facts.birth_date == date(1970, 5, 5)
    assert found.addresses == ("Patient/syn-7",)


@pytest.mark.parametrize(
    ("identifiers", "system", "number"),
    [
        ([{"system": "urn:other", "value": "9"}, {"system": SYSTEM, "value": "1"}], SYSTEM, "1"),
        ([{"system": "urn:other", "value": "9"}], SYSTEM, "9"),
        ([{"value": "9"}], "", "9"),
        ([{"system": SYSTEM, "value": "1", "use": "old"}, {"system": SYSTEM, "value": "2"}], SYSTEM, "2"),
        ([{"system": "a", "value": "9"}, {"system": "b", "value": "9"}], "", "9"),
    ],
)
def test_the_identifier_of_the_own_system_is_taken_else_the_only_one(
    identifiers: list[dict[str, str]], system: str, number: str
) -> None:
    assert told(patient(identifier=identifiers), system=system).facts.identifier == number


@pytest.mark.parametrize(
    ("other", "code", "path"),
    [
        ({"identifier": []}, "no-identifier", "Patient.identifier"),
        ({"identifier": None}, "no-identifier", "Patient.identifier"),
        ({"identifier": [{"system": SYSTEM}]}, "no-identifier", "Patient.identifier"),
        ({"identifier": [{"value": "1"}, {"value": "2"}]}, "which-identifier", "Patient.identifier"),
        ({"identifier": {"value": "1"}}, "wrong-type", "Patient.identifier"),
        ({"identifier": [{"value": 1}]}, "wrong-type", "Patient.identifier[0].value"),
        ({"identifier": [{"value": "1" * 65}]}, "too-long", "Patient.identifier[0].value"),
        ({"birthDate": "2025-02-30"}, "not-a-date", "Patient.birthDate"),
        ({"birthDate": "yesterday"}, "not-a-date", "Patient.birthDate"),
        ({"active": False}, "not-active", "Patient.active"),
        ({"active": "false"}, "wrong-type", "Patient.active"),
        ({"link": [{"type": "replaced-by"}]}, "merged", "Patient.link[0].type"),
        ({"name": [{"family": "x" * 121}]}, "too-long", "Patient.name[0].family"),
        ({"name": [{"given": "Pat"}]}, "wrong-type", "Patient.name[0].given"),
        ({"id": "a b"}, "not-an-id", "Patient.id"),
    ],
)
def test_a_patient_who_is_not_clear_is_refused(other: dict[str, Any], code: str, path: str) -> None:
    assert refused(patient(**other)) == (code, path)


@pytest.mark.parametrize("text", ["1970", "1970-05"])
def test_a_birth_date_of_which_the_day_is_not_known_is_not_known(text: str) -> None:
    assert told(patient(birthDate=text)).facts.birth_date is None


# -- Coverage -------------------------------------------------------------------------------------------------------


def test_a_coverage_tells_its_payer_in_the_payers_own_words() -> None:
    found = told(coverage(3, period={"start": "2024-01-01", "end": "2024-12-31"}, order=2))

    assert found == CoverageTold(
        patient=PatientRef(address="Patient/syn-1"),
        payer_name="Evergreen Health",
        plan_code="EV-PPO",
        member_id="M-3",
        starts_on=date(2024, 1, 1),
        ends_on=date(2024, 12, 31),
        priority=2,
    )


def test_a_coverage_may_hold_its_payer_inside() -> None:
    inside = {"resourceType": "Organization", "id": "p", "name": "Evergreen Health"}

    found = told(coverage(contained=[inside], payor=[{"reference": "#p"}]))

    assert found.payer_name == "Evergreen Health"


@pytest.mark.parametrize(
    ("other", "code", "path"),
    [
        ({"status": "cancelled"}, "not-active", "Coverage.status"),
        ({"status": None}, "not-active", "Coverage.status"),
        ({"payor": []}, "which-payer", "Coverage.payor"),
        ({"payor": [{"display": "A"}, {"display": "B"}]}, "which-payer", "Coverage.payor"),
        ({"payor": [{"reference": "Patient/syn-1"}]}, "no-payer", "Coverage.payor[0].display"),
        ({"payor": [{"display": "x" * 201}]}, "too-long", "Coverage.payor[0].display"),
        ({"subscriberId": None}, "no-member-id", "Coverage.subscriberId"),
        ({"period": {}}, "day-unknown", "Coverage.period.start"),
        ({"order": 0}, "out-of-range", "Coverage.order"),
        ({"order": 70_000}, "out-of-range", "Coverage.order"),
        ({"beneficiary": {}}, "no-patient", "Coverage.beneficiary"),
    ],
)
def test_a_coverage_that_is_not_clear_is_refused(other: dict[str, Any], code: str, path: str) -> None:
    assert refused(coverage(**other)) == (code, path)


def test_the_member_number_among_several_identifiers_is_taken() -> None:
    typed = {"type": {"coding": [{"code": "MB"}]}, "value": "M-9"}

    found = told(coverage(subscriberId=None, identifier=[{"value": "group"}, typed]))

    assert found.member_id == "M-9"


# -- references -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "stands_at", "means"),
    [
        ("Patient/1", "", "Patient/1"),
        ("Patient/1/_history/3", "", "Patient/1"),
        ("https://a.example/fhir/Patient/1", "", "Patient/1"),
        ("urn:uuid:1", "", "urn:uuid:1"),
        ("Patient/1", "urn:uuid:9", "Patient/1"),
        ("Patient/1", "https://a.example/fhir/MedicationDispense/9", "https://a.example/fhir/Patient/1"),
        ("https://b.example/fhir/Patient/1", "https://a.example/fhir/X/9", "https://b.example/fhir/Patient/1"),
    ],
)
def test_a_reference_is_read_from_where_it_stands(reference: str, stands_at: str, means: str) -> None:
    found = told(dispensing(subject={"reference": reference}), at=stands_at)

    assert found.patient == PatientRef(address=means)


def test_an_address_of_a_megabyte_takes_no_longer_than_to_read_it() -> None:
    reference = "http://x" + "/a/b/_history/" * 70_000 + "q/ y/"
    begun = process_time()

    found = told(dispensing(subject={"reference": reference}), at=reference)

    assert found.patient == PatientRef(address="http://x/a/b")
    assert process_time() - begun < 5


def test_a_patient_in_a_bundle_is_known_by_both_addresses() -> None:
    assert told(patient(1), at="urn:uuid:77").addresses == ("urn:uuid:77", "Patient/syn-1")


def test_a_record_without_an_id_is_known_by_the_bundles_own_address() -> None:
    found = told(without(dispensing(), "id"), at="urn:uuid:77")

    assert found.facts.identifier == "MedicationDispense/77"


@pytest.mark.parametrize(
    ("reference", "identifier"),
    [
        ("MedicationRequest/rx-1", "MedicationRequest/rx-1"),
        ("https://a.example/fhir/MedicationRequest/rx-1", "MedicationRequest/rx-1"),
        ("urn:uuid:5", "urn:uuid:5"),
    ],
)
def test_a_fill_names_its_order(reference: str, identifier: str) -> None:
    assert fill(authorizingPrescription=[{"reference": reference}]).prescription_identifier == identifier


def test_a_fill_of_two_orders_names_none() -> None:
    two = [{"reference": "MedicationRequest/1"}, {"reference": "MedicationRequest/2"}]

    assert fill(authorizingPrescription=two).prescription_identifier is None
