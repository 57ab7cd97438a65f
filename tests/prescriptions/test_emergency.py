"""Breaking the glass: narrow, short, for a reason, and never unnoticed."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from authz import clock
from authz.access.roles import Role
from authz.access.services import add_membership
from authz.audit.models import AuditEntry
from authz.notifications.models import Delivery, InboxEntry
from authz.outbox.models import OutboxMessage
from authz.prescriptions.emergency.models import EmergencyAccess
from authz.prescriptions.models import Patient
from tests.api.callers import Caller, field_errors, machine, nothing_changes, person, refused
from tests.cast import PASSWORD, Cast, fill, insure, register
from tests.notifications.stage import drain
from tests.post_office import PostOffice

WHY = "Unconscious in our emergency room."


@pytest.fixture
def patient(cast: Cast) -> Patient:
    known = register(cast, insured=False)
    insure(cast, known, member_id="M-77")
    fill(cast, known, 5)
    return known


def card(cast: Cast, **other: Any) -> dict[str, Any]:
    return {
        "plan": str(cast.plan.public_id),
        "member_id": "M-77",
        "birth_date": "1970-05-05",
        "reason": WHY,
    } | other


def test_a_clinician_sees_the_use_of_a_stranger_s_patient_for_a_while(cast: Cast, patient: Patient) -> None:
    mallory, address = person("mallory"), f"patients/{patient.public_id}/opioid-use/"
    refused(mallory.get(address), 404, "not-found")

    opened = mallory.post("emergency-access/", card(cast), key="once")

    assert opened.status_code == 201, opened.content
    assert opened.json()["patient"] == str(patient.public_id)
    assert mallory.get(address).status_code == 200
    assert "Riverside" not in mallory.get(address).content.decode()
    row = EmergencyAccess.objects.get()
    assert row.ends_at - row.opened_at == timedelta(hours=4)
    assert AuditEntry.objects.filter(action="break the glass", subject_id=patient.public_id).count() == 1
    begun = clock.now() - timedelta(hours=5)
    EmergencyAccess.objects.update(opened_at=begun, ends_at=begun + timedelta(hours=4))
    refused(mallory.get(address), 404, "not-found")


def test_the_glass_is_broken_for_one_person_and_for_reading_alone(cast: Cast, patient: Patient) -> None:
    add_membership(person=cast.people["oscar"], organization=cast.hillside, role=Role.STAFF)
    mallory, colleague = person("mallory"), person("oscar", cast.hillside)
    assert mallory.post("emergency-access/", card(cast)).status_code == 201

    refused(colleague.get(f"patients/{patient.public_id}/opioid-use/"), 404, "not-found")
    refused(mallory.get(f"patients/{patient.public_id}/"), 404, "not-found")
    assert mallory.get("patients/").json()["results"] == []
    exemption = {"patient": str(patient.public_id), "category": "hospice", "starts_on": "2025-01-01"}
    assert mallory.post("exemptions/", exemption).status_code in {404, 422}


@pytest.mark.parametrize(
    ("other", "status", "code"),
    [
        ({"member_id": "M-78"}, 422, "invalid-input"),
        ({"birth_date": "1970-05-06"}, 422, "invalid-input"),
        ({"plan": "00000000-0000-4000-8000-000000000000"}, 422, "invalid-input"),
        ({"reason": "curious"}, 422, "invalid-input"),
    ],
)
def test_all_that_names_the_patient_must_be_right_and_a_reason_given(
    cast: Cast, patient: Patient, other: dict[str, str], status: int, code: str
) -> None:
    with nothing_changes():
        refused(person("mallory").post("emergency-access/", card(cast, **other)), status, code)


def test_only_a_clinician_without_a_usual_way_opens_it(cast: Cast, patient: Patient) -> None:
    with nothing_changes():
        refused(person("stella").post("emergency-access/", card(cast)), 409, "patient-of-yours")
        refused(person("rae").post("emergency-access/", card(cast)), 403, "forbidden")
    feed = machine(cast.hillside, Role.STAFF)
    refused(feed.post("emergency-access/", card(cast)), 403, "forbidden")
    assert field_errors(person("mallory").post("emergency-access/", {})).keys() == card(cast).keys()


def test_administrators_of_all_concerned_are_told_without_patient_data(
    cast: Cast, patient: Patient, post_office: PostOffice
) -> None:
    for name, organization in (("stella", cast.riverside), ("mallory", cast.hillside), ("jones", cast.hillside)):
        add_membership(person=cast.people[name], organization=organization, role=Role.CLINIC_ADMIN)
    OutboxMessage.objects.update(settled_at=clock.now())
    opened = person("mallory").post("emergency-access/", card(cast))

    drain(clock.now())

    told = InboxEntry.objects.filter(topic="emergency-access.opened")
    by_name = {(one.person.email.partition("@")[0], one.organization.name) for one in told}
    assert by_name == {
        ("stella", "Riverside Clinic"), ("jones", "Hillside Clinic"), ("nora", "Evergreen Health"),
    }  # fmt: skip
    sent = "".join(str(bytes(letter.content or b"")) for letter in post_office.letters)
    assert "opened in an emergency" in sent
    assert not any(secret in sent for secret in (WHY, "M-77", "Doe", str(patient.public_id)))
    seen = person("nora").get("emergency-access/").json()["results"]
    assert [(one["person"], one["reason"]) for one in seen] == [("Mallory Voss", WHY)]
    refused(person("rae").get("emergency-access/"), 403, "forbidden")
    add_membership(person=cast.people["oscar"], organization=cast.summit, role=Role.INSURER_ADMIN)
    assert person("oscar").get("emergency-access/").json()["results"] == [], "a stranger hears nothing"
    browser = Client()
    browser.post("/log-in/", {"email": "nora@example.org", "password": PASSWORD})
    assert WHY in browser.get("/emergency-access/").content.decode()
    assert opened.status_code == 201
    assert not Delivery.objects.filter(endpoint__isnull=False, message__topic="emergency-access.opened").exists()


def test_an_emergency_always_ends(cast: Cast, patient: Patient) -> None:
    now = clock.now()
    with pytest.raises(IntegrityError, match="emergency_access_ends"), transaction.atomic():
        EmergencyAccess.objects.create(
            patient=patient,
            organization=cast.hillside,
            person=cast.people["mallory"],
            reason=WHY,
            opened_at=now,
            ends_at=now,
        )


def test_nobody_opens_anything_without_logging_in(cast: Cast) -> None:
    refused(Caller().post("emergency-access/", card(cast)), 401, "not-authenticated")
