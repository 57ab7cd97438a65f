"""Whose record a line is: by number and address, never by name; and what it is linked to."""

from typing import Any

import pytest

from authz.errors import Forbidden
from authz.imports.models import ImportRun
from authz.prescriptions.models import (
    Coverage,
    Fill,
    IdentityQuestion,
    Patient,
    PatientIdentifier,
    Prescriber,
    Prescription,
)
from tests import cast as stage
from tests.imports.builders import (
    bundle,
    coverage,
    dispensing,
    ndjson,
    order,
    patient,
)
from tests.imports.intake import counts, fills, refusals, take, take_all

pytestmark = pytest.mark.django_db


# -- whose it is ----------------------------------------------------------------------------------------------------


def test_patients_may_stand_behind_their_fills_and_in_other_files(cast: stage.Cast) -> None:
    second, first = take_all(ndjson(dispensing(1)), ndjson(patient(1)), by=cast.stella)

    assert counts(second) == (1, 0, 0, 0, 0)
    assert counts(first) == (1, 0, 0, 0, 0)
    assert Fill.objects.get().patient.identifiers.get().value == "MRN-1"


def test_an_address_of_an_earlier_import_means_nobody(cast: stage.Cast) -> None:
    take(ndjson(patient(1)), by=cast.stella)

    run = take(ndjson(dispensing(1)), by=cast.stella)

    assert refusals(run) == [(1, "patient-unknown", "MedicationDispense.subject")]


def test_a_number_of_an_earlier_import_means_its_patient(cast: stage.Cast) -> None:
    take(ndjson(patient(1)), by=cast.stella)
    own = {"identifier": {"system": "urn:example:riverside", "value": "MRN-1"}}

    run = take(ndjson(dispensing(1, subject=own)), by=cast.stella)

    assert counts(run) == (1, 0, 0, 0, 0)


def test_an_id_of_two_patients_means_nobody(cast: stage.Cast) -> None:
    other = patient(2, id="syn-1")

    run = take(ndjson(patient(1), other, dispensing(1)), by=cast.stella)

    assert refusals(run) == [
        (2, "id-twice", "Patient.id"),
        (3, "patient-ambiguous", "MedicationDispense.subject"),
    ]
    assert list(PatientIdentifier.objects.values_list("value", flat=True)) == ["MRN-1"]


def test_the_same_patient_told_twice_is_one(cast: stage.Cast) -> None:
    run = take(ndjson(patient(1), patient(1), dispensing(1)), by=cast.stella)

    assert counts(run) == (2, 1, 0, 0, 0)


def test_a_number_known_with_another_birth_date_is_refused(cast: stage.Cast) -> None:
    take(ndjson(patient(1)), by=cast.stella)

    run = take(ndjson(patient(1, birthDate="1980-01-01"), dispensing(1)), by=cast.stella)

    assert refusals(run) == [
        (1, "invalid-input", "Patient.birth_date"),
        (2, "patient-unknown", "MedicationDispense.subject"),
    ]
    assert Fill.objects.count() == 0


def test_a_file_without_names_does_not_take_names_away(cast: stage.Cast) -> None:
    take(ndjson(patient(1, name=[{"family": "Doe", "given": ["Pat"]}])), by=cast.stella)

    run = take(ndjson(patient(1)), by=cast.stella)

    assert counts(run) == (0, 1, 0, 0, 0)
    assert PatientIdentifier.objects.get().family_name == "Doe"


def test_another_clinics_patient_of_the_same_number_is_another_patient(cast: stage.Cast) -> None:
    take(ndjson(patient(1), dispensing(1)), by=cast.stella)

    take(ndjson(patient(1), dispensing(1)), by=cast.mallory)

    assert Patient.objects.count() == 2
    assert Fill.objects.values("patient").distinct().count() == 2


def test_a_record_known_of_another_patient_is_refused_and_its_neighbours_are_not(cast: stage.Cast) -> None:
    take(ndjson(patient(1), dispensing(1)), by=cast.stella)

    run = take(ndjson(patient(2), dispensing(1, of=2), dispensing(2, of=2)), by=cast.stella)

    assert refusals(run) == [(2, "invalid-input", "MedicationDispense.identifier")]
    assert fills()["MedicationDispense/disp-2"].fill.patient.identifiers.get().value == "MRN-2"


def test_references_in_a_bundle_follow_its_own_addresses(cast: stage.Cast) -> None:
    content = bundle(
        dispensing(
            1,
            subject={"reference": "urn:uuid:aa"},
            authorizingPrescription=[{"reference": "urn:uuid:bb"}],
        ),
        patient(1),
        order(1, subject={"reference": "urn:uuid:aa"}),
        dispensing(2, subject={"reference": "Patient/syn-1"}),
        addresses=["urn:uuid:cc", "urn:uuid:aa", "urn:uuid:bb", "https://elsewhere.example/MedicationDispense/disp-2"],
    )

    run = take(content, by=cast.stella)

    assert refusals(run) == [(4, "patient-unknown", "MedicationDispense.subject")]
    assert fills()["MedicationDispense/disp-1"].prescription == Prescription.objects.get()


# -- coverages, orders, prescribers ---------------------------------------------------------------------------------


def test_only_an_exact_payer_and_plan_is_one_of_ours(cast: stage.Cast) -> None:
    take(
        ndjson(
            patient(1),
            coverage(1, payer="evergreen health"),
            coverage(2, payer="Evergreen Health Plans"),
            coverage(3, **{"class": []}),
        ),
        by=cast.stella,
    )

    plans = dict(Coverage.objects.values_list("member_id", "plan__code"))
    assert plans == {"M-1": "EV-PPO", "M-2": None, "M-3": None}


def test_a_member_id_of_another_patient_becomes_a_question_and_is_told(cast: stage.Cast) -> None:
    take(ndjson(patient(1), coverage(1)), by=cast.stella)

    run = take(ndjson(patient(2), coverage(1, of=2)), by=cast.stella)

    assert refusals(run) == [(2, "who-is-who", "Coverage.subscriberId")]
    assert IdentityQuestion.objects.count() == 1


def test_a_fill_of_an_order_we_do_not_have_is_kept_without_it_and_remarked(cast: stage.Cast) -> None:
    fill = dispensing(1, authorizingPrescription=[{"reference": "MedicationRequest/rx-1"}])

    run = take(ndjson(patient(1), fill), by=cast.stella)
    later = take(ndjson(patient(1), order(1), fill), by=cast.stella)

    assert run.by_kind["fills"] == {"created": 1, "order_not_known": 1}
    assert later.by_kind["fills"] == {"corrected": 1}
    assert fills()["MedicationDispense/disp-1"].prescription == Prescription.objects.get()


def test_a_fill_has_the_prescriber_of_its_order(cast: stage.Cast) -> None:
    requester = {"identifier": {"system": "http://hl7.org/fhir/sid/us-npi", "value": stage.JONES_NPI}}
    fill = dispensing(1, authorizingPrescription=[{"reference": "MedicationRequest/rx-1"}])

    take(ndjson(patient(1), order(1, requester=requester), fill), by=cast.stella)

    assert fills()["MedicationDispense/disp-1"].prescriber == cast.prescriber


def test_a_prescriber_told_with_a_name_is_recorded_and_one_without_is_remarked(cast: stage.Cast) -> None:
    def written_by(npi: str, **name: Any) -> dict[str, Any]:
        identifier = {"system": "http://hl7.org/fhir/sid/us-npi", "value": npi}
        return {"contained": [{"id": "p", "identifier": [identifier], **name}], "requester": {"reference": "#p"}}

    named = written_by("1003000126", name=[{"family": "Ames", "given": ["Lou"]}])
    bare = written_by("1013960004")

    run = take(ndjson(patient(1), order(1, **named), order(2, **bare)), by=cast.stella)

    assert Prescriber.objects.get(npi="1003000126").family_name == "Ames"
    assert run.by_kind["prescriptions"] == {"created": 2, "prescriber_not_known": 1}


def test_an_insurer_takes_in_fills_but_no_orders(cast: stage.Cast) -> None:
    run = take(ndjson(patient(1), order(1), dispensing(1)), by=cast.oscar)

    assert refusals(run) == [(2, "forbidden", "MedicationRequest")]
    assert counts(run) == (2, 0, 0, 0, 1)


def test_who_may_not_import_changes_nothing(cast: stage.Cast) -> None:
    with pytest.raises(Forbidden):
        take(ndjson(patient(1)), by=cast.rae)

    assert ImportRun.objects.count() == 0
    assert Patient.objects.count() == 0
