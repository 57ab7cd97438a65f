"""Whoever administers a clinic or an insurer accounts to a patient for who received what of them."""

from typing import Any

from authz import clock
from authz.access.roles import Role
from authz.documentation.services import files
from authz.ids import AppealId, PatientId
from authz.prescriptions.models import Patient
from authz.prior_auths.services import documents, intake
from tests import cast as stage
from tests.api.callers import Caller, field_errors, machine, person, refused
from tests.cast import Cast


def accounted(caller: Caller, patient: Patient, **asked: str) -> list[tuple[str, str, str, str, int]]:
    answer = caller.get(f"patients/{patient.public_id}/disclosures/", **asked)
    assert answer.status_code == 200, answer.content
    return [row(one) for one in answer.json()["disclosures"]]


def row(one: dict[str, Any]) -> tuple[str, str, str, str, int]:
    return one["recipient"], one["what"], one["record"], one["purpose"], one["times"]


def at_both(cast: Cast) -> Patient:
    """Return a patient whom Riverside and Hillside know, and of whom Riverside recorded use."""
    patient = stage.register(cast, member_id="M-1", insured=False)
    stage.insure(cast, patient, member_id="M-1")
    stage.register(cast, by=cast.mallory, mrn="HILL-MRN", member_id="M-1", insured=False)
    intake.record_all(
        patient_id=PatientId(patient.public_id), facts=[stage.fill_facts(3)], by=cast.stella, now=stage.NOW
    )
    return patient


def test_what_was_sent_to_the_insurer_and_read_there_and_what_it_answered_are_told_by_each_side(cast: Cast) -> None:
    case = stage.denied(cast)
    request, rae, stella = str(case.public_id), person("rae"), person("stella")
    for _ in range(2):
        assert rae.get(f"prior-authorizations/{request}/").status_code == 200
    stella.get(f"prior-authorizations/{request}/")

    of_clinic = accounted(machine(cast.riverside, Role.CLINIC_ADMIN), case.patient)
    of_insurer = accounted(machine(cast.evergreen, Role.INSURER_ADMIN), case.patient)

    assert of_clinic == [(cast.evergreen.name, "prior_authorization", request, "payment", 3)]
    assert set(of_insurer) == {
        (cast.riverside.name, "prior_authorization", request, "payment", 1),
        (cast.riverside.name, "prior_authorization", request, "treatment", 1),
    }


def test_a_clinic_that_read_our_use_is_named_and_one_that_read_only_its_own_is_not(cast: Cast) -> None:
    patient = at_both(cast)
    own, mallory = f"patients/{patient.public_id}/", person("mallory")
    riverside, hillside = (machine(one, Role.CLINIC_ADMIN) for one in (cast.riverside, cast.hillside))
    mallory.get(own)

    before = accounted(riverside, patient)
    mallory.get(f"{own}opioid-use/")
    person("stella").get(f"{own}opioid-use/")

    assert before == []
    assert accounted(riverside, patient) == [(cast.hillside.name, "opioid_use", str(patient.public_id), "treatment", 1)]
    # Hillside recorded no use: what Riverside read was not Hillside's, and who read it is none of its business.
    assert accounted(hillside, patient) == []


def test_what_was_read_for_a_purpose_that_was_said_is_told_so(cast: Cast) -> None:
    patient, mallory = at_both(cast), person("mallory")
    mallory.client.get(
        f"/api/v1/patients/{patient.public_id}/opioid-use/",
        headers={"Authorization": f"Bearer {mallory.token}", "X-Purpose-Of-Use": "TRAIN"},
    )

    ((_, _, _, purpose, _),) = accounted(machine(cast.riverside, Role.CLINIC_ADMIN), patient)
    assert purpose == "health_care_operations"


def test_an_emergency_is_told_as_one(cast: Cast) -> None:
    patient = stage.register(cast)
    stage.fill(cast, patient, 3)
    opened = {
        "plan": str(cast.plan.public_id),
        "member_id": f"M-{patient.public_id}",
        "birth_date": "1970-05-05",
        "reason": "Unconscious in our emergency room.",
    }
    mallory = person("mallory")
    assert mallory.post("emergency-access/", opened).status_code == 201
    assert mallory.get(f"patients/{patient.public_id}/opioid-use/").status_code == 200

    assert accounted(machine(cast.riverside, Role.CLINIC_ADMIN), patient) == [
        (cast.hillside.name, "opioid_use", str(patient.public_id), "emergency_treatment", 1)
    ]


def test_days_narrow_it_six_years_bound_it_and_a_file_says_the_same(cast: Cast) -> None:
    case = stage.queued(cast)
    admin, path = machine(cast.riverside, Role.CLINIC_ADMIN), f"patients/{case.patient.public_id}/disclosures/"
    long_ago = clock.now().date().replace(day=1)
    long_ago = long_ago.replace(year=long_ago.year - 7).isoformat()

    sheet = b"".join(admin.get_csv(path).streaming_content).decode().splitlines()

    assert sheet[0] == "recipient,what,record,purpose,first_at,last_at,times"
    assert sheet[1].startswith(f"{cast.evergreen.name},prior_authorization,{case.public_id},payment,2025-03-03T")
    assert len(sheet) == 2
    assert accounted(admin, case.patient, since="2025-03-04") == []
    assert len(accounted(admin, case.patient, since="2025-03-03", until="2025-03-03")) == 1
    assert "since" in field_errors(admin.get(path, since=long_ago))
    assert "until" in field_errors(admin.get(path, since="2025-03-03", until="2025-03-02"))


def test_only_administrators_account_and_only_for_patients_they_know(cast: Cast) -> None:
    case = stage.queued(cast)
    path = f"patients/{case.patient.public_id}/disclosures/"

    for caller in (person("stella"), person("jones"), machine(cast.evergreen, Role.REVIEWER)):
        refused(caller.get(path), 403, "forbidden")
    for stranger in (machine(cast.hillside, Role.CLINIC_ADMIN), machine(cast.summit, Role.INSURER_ADMIN)):
        refused(stranger.get(path), 404, "not-found")


def test_a_document_sent_in_with_an_appeal_is_a_disclosure_of_the_clinic(cast: Cast) -> None:
    case = stage.denied(cast)
    appeal = stage.appealed(cast, case, now=stage.NOW)
    before = accounted(machine(cast.riverside, Role.CLINIC_ADMIN), case.patient)

    documents.attach(
        prior_auth_id=stage.key_of(case),
        file=files.inspect(content=b"Report of the operation."),
        title="Report",
        appeal_id=AppealId(appeal.public_id),
        by=cast.stella,
        now=stage.NOW,
    )

    after = accounted(machine(cast.riverside, Role.CLINIC_ADMIN), case.patient)
    assert after[0][-1] == before[0][-1] + 1
