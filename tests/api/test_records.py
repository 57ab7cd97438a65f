"""Patients, prescribers, coverages, exemptions, orders and fills over the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authz.prescriptions.models import Exemption, FillVersion, Patient
from authz.prior_auths.models import PriorAuth
from tests import cast as stage
from tests.api.callers import (
    PATEL_NPI,
    Caller,
    days_ago,
    field_errors,
    fill_body,
    nothing_changes,
    order_body,
    refused,
    today,
)
from tests.formulary.rrf import GUM, LISINOPRIL_NDC, OXYCODONE_7, ROXINEW_7, ROXINEW_NDC, TWO_NDC, in_use

NO_CODES = (
    "No release with NDC codes is in use, so send the RxNorm code. An operator can load one: "
    "manage.py formulary import RXNCONSO.RRF RXNSAT.RRF --activate."
)
PAT = {"identifier": "MRN-1", "family_name": "Doe", "given_name": "Pat", "birth_date": "1970-05-05"}


def test_a_patient_is_registered_corrected_and_found_by_number(cast: stage.Cast, stella: Caller) -> None:
    created = stella.post("patients/", PAT)
    unchanged = stella.post("patients/", PAT)
    corrected = stella.post("patients/", PAT | {"family_name": "Roe"})

    assert [answer.status_code for answer in (created, unchanged, corrected)] == [201, 200, 200]
    assert [answer.json()["outcome"] for answer in (created, unchanged, corrected)] == [
        "created",
        "unchanged",
        "corrected",
    ]
    found = stella.get("patients/", identifier="MRN-1").json()["results"]
    assert [(row["id"], row["family_name"]) for row in found] == [(created.json()["id"], "Roe")]
    read = stella.client.get(created["Location"], headers={"Authorization": f"Bearer {stella.token}"})
    assert read.json()["birth_date"] == "1970-05-05"


def test_a_known_number_with_another_birth_date_is_for_a_person_to_check(cast: stage.Cast, stella: Caller) -> None:
    stella.post("patients/", PAT)

    with nothing_changes():
        answer = stella.post("patients/", PAT | {"birth_date": "1971-05-05"})

    sentence = "This number is known with another birth date. Ask a person to check."
    assert field_errors(answer) == {"birth_date": ("invalid", sentence)}


def test_an_insurer_sees_its_member_by_its_own_number_and_never_the_clinics(
    cast: stage.Cast, rae: Caller, patient: Patient
) -> None:
    seen = rae.get(f"patients/{patient.public_id}/").json()

    assert seen["identifier"] == f"M-{patient.public_id}"
    assert seen["family_name"] == ""
    assert "MRN" not in str(seen)


def test_nobody_finds_a_patient_by_another_organizations_number(cast: stage.Cast, stella: Caller, rae: Caller) -> None:
    patient = stage.register(cast, mrn="MRN-1")
    member_id = f"M-{patient.public_id}"

    assert [row["id"] for row in stella.get("patients/", identifier="MRN-1").json()["results"]] == [
        str(patient.public_id)
    ]
    assert rae.get("patients/", identifier="MRN-1").json()["results"] == []
    assert stella.get("patients/", identifier=member_id).json()["results"] == []


def test_a_prescriber_is_recorded_and_found_by_npi(cast: stage.Cast, stella: Caller) -> None:
    body = {"npi": PATEL_NPI, "family_name": "Patel", "given_name": "Asha"}

    created, again = stella.post("prescribers/", body), stella.post("prescribers/", body)

    assert (created.status_code, again.status_code, again.json()["outcome"]) == (201, 200, "unchanged")
    assert [row["npi"] for row in stella.get("prescribers/", npi=PATEL_NPI).json()["results"]] == [PATEL_NPI]
    assert stella.get(f"prescribers/{created.json()['id']}/").json()["family_name"] == "Patel"


def coverage_body(cast: stage.Cast, patient: Patient, **other: Any) -> dict[str, Any]:
    return {
        "patient": str(patient.public_id),
        "plan": str(cast.plan.public_id),
        "member_id": "M-77",
        "starts_on": "2025-01-01",
    } | other


def test_a_coverage_is_recorded_ended_and_read(cast: stage.Cast, stella: Caller) -> None:
    patient = stage.register(cast, insured=False)

    created = stella.post("coverages/", coverage_body(cast, patient))
    ended = stella.post("coverages/", coverage_body(cast, patient, ends_on="2025-12-31"))

    assert (created.status_code, ended.status_code, ended.json()["outcome"]) == (201, 200, "corrected")
    assert created.json()["plan"]["insurer"]["name"] == "Evergreen Health"
    read = stella.get(f"coverages/{created.json()['id']}/").json()
    assert (read["ends_on"], read["priority"]) == ("2025-12-31", 1)
    assert len(stella.get("coverages/", patient=str(patient.public_id)).json()["results"]) == 1


def test_a_payer_without_a_plan_of_ours_is_recorded_by_name(cast: stage.Cast, stella: Caller) -> None:
    patient = stage.register(cast, insured=False)

    answer = stella.post("coverages/", coverage_body(cast, patient, plan=None, payer_name="Faraway Mutual"))

    assert (answer.status_code, answer.json()["plan"]) == (201, None)
    assert answer.json()["payer_name"] == "Faraway Mutual"


def test_a_member_number_of_another_patient_becomes_a_question_for_a_person(cast: stage.Cast, stella: Caller) -> None:
    first, second = stage.register(cast, insured=False), stage.register(cast, insured=False)
    stella.post("coverages/", coverage_body(cast, first))

    answer = stella.post("coverages/", coverage_body(cast, second))

    assert answer.status_code == 202
    assert answer.json()["reason"].startswith("The member number already belongs to another patient.")
    assert stella.get("coverages/", patient=str(second.public_id)).json()["results"] == []


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"plan": None}, "plan", "required"),
        ({"plan": "00000000-0000-4000-8000-000000000000"}, "plan", "invalid"),
        ({"ends_on": "2024-12-31"}, "ends_on", "runs-backwards"),
        ({"priority": 0}, "priority", "min-value"),
    ],
)
def test_a_coverage_that_makes_no_sense_is_refused(
    cast: stage.Cast, stella: Caller, change: dict[str, Any], field: str, code: str
) -> None:
    patient = stage.register(cast, insured=False)

    with nothing_changes():
        answer = stella.post("coverages/", coverage_body(cast, patient, **change))

    assert {name: told[0] for name, told in field_errors(answer).items()} == {field: code}


def test_an_exemption_makes_a_request_needless_and_its_withdrawal_needed_again(
    cast: stage.Cast, stella: Caller, patient: Patient
) -> None:
    stella.post("fills/", fill_body(patient, days_supply=10, quantity=40))
    body = {"patient": str(patient.public_id), "category": "hospice", "evidence": "Enrolled, letter of 3 March."}

    recorded = stella.post("exemptions/", body)
    lapsed = PriorAuth.objects.get().state
    withdrawn = stella.post(f"exemptions/{recorded.json()['id']}/withdrawal/")

    assert (recorded.status_code, lapsed) == (201, "lapsed")
    assert withdrawn.status_code == 200
    assert withdrawn.json()["withdrawn_at"] is not None
    assert sorted(PriorAuth.objects.values_list("state", flat=True)) == ["detected", "lapsed"]
    assert stella.get(f"exemptions/{recorded.json()['id']}/").json()["category"] == "hospice"
    assert len(stella.get("exemptions/", patient=str(patient.public_id)).json()["results"]) == 1


def test_an_exemption_that_runs_backwards_is_refused(stella: Caller, patient: Patient) -> None:
    body = {"patient": str(patient.public_id), "category": "cancer", "evidence": "ICD-10 C50.9"}

    with nothing_changes():
        answer = stella.post("exemptions/", body | {"starts_on": "2025-02-01", "ends_on": "2025-01-01"})

    assert field_errors(answer) == {"ends_on": ("runs-backwards", "The exemption ends before it starts.")}
    assert Exemption.objects.count() == 0


def test_a_fill_is_recorded_as_told_and_read_back(stella: Caller, patient: Patient) -> None:
    stella.post("prescriptions/", order_body(patient))
    body = fill_body(
        patient,
        prescription="RX-1",
        rx_number="7001",
        quantity=20.5,
        daily_units="4",
        product_name="oxycodone 5 mg",
        source_updated_at="2025-03-03T09:00:00-05:00",
    )

    created = stella.post("fills/", body)

    assert created.status_code == 201
    told = created.json()
    assert told["source_updated_at"] == "2025-03-03T14:00:00Z"
    assert (told["status"], told["version"], told["outcome"]) == ("active", 1, "created")
    same = ("patient", "identifier", "dispensed_on", "rxcui", "days_supply", "rx_number", "prescription", "daily_units")
    assert {name: told[name] for name in same} == {name: body[name] for name in same}
    assert told["quantity"] == "20.5"
    read = stella.get(f"fills/{told['id']}/").json()
    assert read == {name: value for name, value in told.items() if name != "outcome"}


def test_a_fill_told_otherwise_is_a_correction_and_nothing_is_overwritten(stella: Caller, patient: Patient) -> None:
    first = stella.post("fills/", fill_body(patient)).json()

    second = stella.post("fills/", fill_body(patient, days_supply=6, quantity=24)).json()

    assert (second["id"], second["version"], second["outcome"]) == (first["id"], 2, "corrected")
    assert list(FillVersion.objects.order_by("version").values_list("days_supply", flat=True)) == [5, 6]


def test_the_fill_that_goes_beyond_the_limit_opens_the_request(stella: Caller, patient: Patient) -> None:
    stella.post("fills/", fill_body(patient, dispensed_on=days_ago(5)))
    assert stella.get("prior-authorizations/").json()["results"] == []

    stella.post("fills/", fill_body(patient, identifier="F-2", fill_number=1))

    (request,) = stella.get("prior-authorizations/", patient=str(patient.public_id)).json()["results"]
    assert (request["state"], request["insurer"]["name"]) == ("detected", "Evergreen Health")
    assert request["pa_required_from"] == (today() + timedelta(days=2)).isoformat()


def test_a_reversed_fill_takes_back_the_request_that_rested_on_it(stella: Caller, patient: Patient) -> None:
    fill = stella.post("fills/", fill_body(patient, days_supply=10, quantity=40)).json()

    reversed_fill = stella.post(f"fills/{fill['id']}/reversal/")
    again = stella.post(f"fills/{fill['id']}/reversal/")

    assert (reversed_fill.json()["status"], reversed_fill.json()["outcome"]) == ("reversed", "corrected")
    assert again.json()["outcome"] == "unchanged"
    assert stella.get("prior-authorizations/").json()["results"][0]["state"] == "lapsed"


def test_a_batch_tells_what_became_of_every_item_in_its_order(cast: stage.Cast, stella: Caller) -> None:
    one, two = stage.register(cast), stage.register(cast)
    stella.post("fills/", fill_body(one, identifier="known"))
    stella.post("fills/", fill_body(two, identifier="wrong"))
    items = [
        fill_body(two, identifier="wrong", days_supply=4, quantity=16),
        fill_body(one, identifier="known"),
        fill_body(two, identifier="new-2", dispensed_on=days_ago(4)),
        fill_body(one, identifier="new-1", dispensed_on=days_ago(5)),
    ]

    answer = stella.post("fills/batch/", {"items": items}, key="batch-1")

    assert answer.status_code == 200
    told = [(item["identifier"], item["outcome"]) for item in answer.json()["items"]]
    assert told == [("wrong", "corrected"), ("known", "unchanged"), ("new-2", "created"), ("new-1", "created")]
    assert {name: answer.json()[name] for name in ("created", "unchanged", "corrected")} == {
        "created": 2,
        "unchanged": 1,
        "corrected": 1,
    }
    assert PriorAuth.objects.count() == 2


def test_an_order_is_recorded_read_and_cancelled(stella: Caller, patient: Patient) -> None:
    created = stella.post("prescriptions/", order_body(patient, refills=1, directions="One every six hours."))
    identity = created.json()["id"]

    cancelled = stella.post(f"prescriptions/{identity}/cancellation/")

    assert (created.status_code, created.json()["written_on"]) == (201, days_ago(0))
    assert (cancelled.json()["status"], cancelled.json()["version"]) == ("cancelled", 2)
    read = stella.get(f"prescriptions/{identity}/").json()
    assert (read["refills"], read["directions"], read["quantity"]) == (1, "One every six hours.", "20")


def test_an_order_may_be_written_for_a_later_day(stella: Caller, patient: Patient) -> None:
    ahead = stella.post("prescriptions/", order_body(patient, written_on=days_ago(-30)))
    too_far = stella.post("prescriptions/", order_body(patient, identifier="RX-2", written_on=days_ago(-400)))

    assert ahead.status_code == 201
    assert set(field_errors(too_far)) == {"written_on"}


@pytest.mark.parametrize("path", ["fills", "prescriptions", "coverages", "exemptions"])
def test_a_list_is_filtered_by_patient_and_by_nothing_else(stella: Caller, patient: Patient, path: str) -> None:
    stella.post("fills/", fill_body(patient))

    assert stella.get(f"{path}/", patient=str(patient.public_id)).status_code == 200
    assert field_errors(stella.get(f"{path}/", patient="MRN-1")) == {"patient": ("invalid", "Enter a valid UUID.")}


@pytest.mark.parametrize("path", ["fills/{}/reversal/", "prescriptions/{}/cancellation/", "exemptions/{}/withdrawal/"])
def test_ending_what_does_not_exist_is_not_found(cast: stage.Cast, stella: Caller, path: str) -> None:
    with nothing_changes():
        answer = stella.post(path.format(stage.unknown_id()))

    refused(answer, 404, "not-found")


def test_plans_are_known_to_everyone(mallory: Caller) -> None:
    assert [plan["code"] for plan in mallory.get("plans/").json()["results"]] == ["EV-PPO"]


def test_a_person_says_whether_two_patients_are_one(cast: stage.Cast, stella: Caller) -> None:
    first, second = stage.register(cast, insured=False), stage.register(cast, insured=False)
    stella.post("coverages/", coverage_body(cast, first))
    stella.post("coverages/", coverage_body(cast, second))
    (question,) = stella.get("identity-questions/").json()["results"]
    assert sorted(question["patients"]) == sorted([str(first.public_id), str(second.public_id)])

    with nothing_changes():
        unsaid = stella.post(f"identity-questions/{question['id']}/answer/", {"is_same": "yes"})
    said = stella.post(f"identity-questions/{question['id']}/answer/", {"is_same": False})

    assert field_errors(unsaid) == {"is_same": ("invalid", "True or false is needed.")}
    assert (said.status_code, said.json()) == (200, {"id": question["id"], "is_same": False})
    assert stella.get("identity-questions/").json()["results"] == []
    refused(stella.post(f"identity-questions/{question['id']}/answer/", {"is_same": True}), 404, "not-found")


LISTS = ["patients", "coverages", "prescriptions", "fills", "exemptions", "prior-authorizations"]


def fill_the_lists(cast: stage.Cast, stella: Caller, rows: int) -> None:
    for number in range(rows):
        patient = stage.register(cast)
        stella.post("prescriptions/", order_body(patient, identifier=f"RX-{patient.pk}"))
        stella.post("fills/", fill_body(patient, identifier=f"F-{patient.pk}", days_supply=9, quantity=36))
        evidence = {"patient": str(patient.public_id), "category": "ltc", "evidence": f"Resident {number}."}
        stella.post("exemptions/", evidence | {"ends_on": "2020-01-01"})


def test_a_longer_list_asks_the_database_no_more_often(cast: stage.Cast, stella: Caller) -> None:
    fill_the_lists(cast, stella, 1)
    few = {path: queries_of(stella, path, rows=1) for path in LISTS}

    fill_the_lists(cast, stella, 3)

    assert {path: queries_of(stella, path, rows=4) for path in LISTS} == few


def queries_of(caller: Caller, path: str, *, rows: int) -> int:
    with CaptureQueriesContext(connection) as queries:
        answer = caller.get(f"{path}/")
    assert len(answer.json()["results"]) == rows
    return len(queries)


def by_ndc(body: dict[str, Any], ndc: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "rxcui"} | {"ndc": ndc}


def test_an_ndc_names_the_product_of_a_fill_and_of_an_order(stella: Caller, patient: Patient) -> None:
    in_use()

    fill = stella.post("fills/", by_ndc(fill_body(patient), "0406-0552-01"))
    order = stella.post("prescriptions/", by_ndc(order_body(patient), ROXINEW_NDC))
    again = stella.post("fills/", fill_body(patient, rxcui=OXYCODONE_7))

    assert (fill.status_code, fill.json()["rxcui"]) == (201, OXYCODONE_7)
    assert (order.status_code, order.json()["rxcui"]) == (201, ROXINEW_7)
    assert again.json()["outcome"] == "unchanged"


def test_an_ndc_that_means_no_one_known_product_is_refused_and_named(stella: Caller, patient: Patient) -> None:
    without_release = stella.post("fills/", by_ndc(fill_body(patient), ROXINEW_NDC))
    in_use()
    items = [
        by_ndc(fill_body(patient, identifier=f"F-{n}"), ndc) for n, ndc in enumerate([LISINOPRIL_NDC, TWO_NDC, "1"])
    ]

    with nothing_changes():
        answer = stella.post("fills/batch/", {"items": items})

    assert field_errors(without_release) == {"ndc": ("no-ndc-codes", NO_CODES)}
    assert {name: code for name, (code, _) in field_errors(answer).items()} == {
        "items[0].ndc": "unknown-product",
        "items[1].ndc": "ambiguous-ndc",
        "items[2].ndc": "not-an-ndc",
    }


def test_an_opioid_nobody_could_read_is_taken_in_for_a_person(stella: Caller, patient: Patient) -> None:
    in_use()

    answer = stella.post("fills/", fill_body(patient, rxcui=GUM))

    assert answer.status_code == 201
    assert patient.evaluations.latest("pk").verdict["attention"] == [[answer.json()["id"], "unknown_product"]]
