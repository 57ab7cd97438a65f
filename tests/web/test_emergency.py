"""Breaking the glass on the pages: why is asked, who is told is said, and then the patient is shown."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from authz import clock
from authz.access.models import Membership
from authz.access.roles import Role
from authz.audit.models import AuditEntry
from authz.prescriptions.emergency.models import EmergencyAccess
from authz.prescriptions.models import Patient
from tests.cast import Cast, fill, insure, register
from tests.web.conftest import Door
from tests.web.reading import findings

PAGE = "/emergency-access/open/"
WHY = "Unconscious in our emergency room."


@pytest.fixture
def patient(cast: Cast) -> Patient:
    known = register(cast, insured=False)
    insure(cast, known, member_id="M-77")
    fill(cast, known, 10)
    return known


def card(cast: Cast, **other: Any) -> dict[str, Any]:
    return {
        "plan_id": str(cast.plan.public_id),
        "member_id": "M-77",
        "birth_date": "1970-05-05",
        "reason": WHY,
        "is_understood": "on",
    } | other


def test_a_clinician_says_why_and_sees_the_use_and_nothing_else(cast: Cast, enter: Door, patient: Patient) -> None:
    # A prescriber would be refused the history for the pain that is not theirs to know.
    Membership.objects.filter(person=cast.people["mallory"], role=Role.PRESCRIBER.value).delete()
    mallory, path = enter("mallory"), f"/patients/{patient.public_id}/"

    asked = mallory.get(PAGE)
    opened = mallory.post(PAGE, card(cast))
    shown = mallory.get(opened["Location"])

    assert findings(asked.content.decode()) == []
    assert "The administrators are told at once" in asked.content.decode()
    assert opened["Location"] == path
    assert findings(shown.content.decode()) == []
    seen = unescape(shown.content.decode())
    assert "Open to you until" in seen
    assert WHY in seen
    assert "Needs authorization" in seen
    assert "oxycodone" in seen
    assert not any(told in seen for told in ("Pat Doe", "Riverside", "M-77", "history/"))
    assert mallory.get(f"{path}history/").status_code == 404
    entry = AuditEntry.objects.get(action="read", address=f"GET {path}")
    assert entry.emergency == EmergencyAccess.objects.get().public_id


def test_it_ends_and_was_never_open_to_anybody_else(cast: Cast, enter: Door, patient: Patient) -> None:
    enter("mallory").post(PAGE, card(cast))
    begun = clock.now() - timedelta(hours=5)
    path = f"/patients/{patient.public_id}/"

    assert "Open to you until" not in enter("stella").get(path).content.decode(), "their own patient"
    EmergencyAccess.objects.update(opened_at=begun, ends_at=begun + timedelta(hours=4))
    assert enter("mallory").get(path).status_code == 404


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"reason": "curious"}, "Say why in at least 20 characters."),
        ({"member_id": "M-78"}, "There is no patient of this plan, number and birth date."),
        ({"birth_date": "2200-01-01"}, "Nobody was born on that day."),
        ({"is_understood": ""}, "Say that you know it."),
        ({"plan_id": "00000000-0000-4000-8000-000000000000"}, "Choose a plan of the list."),
    ],
)
def test_what_is_refused_opens_nothing_and_stays_typed(
    cast: Cast, enter: Door, patient: Patient, other: dict[str, str], said: str
) -> None:
    answer = enter("mallory").post(PAGE, card(cast, **other))

    assert answer.status_code == 422
    assert findings(answer.content.decode()) == []
    assert said in answer.content.decode()
    assert card(cast, **other)["reason"] in answer.content.decode()
    assert not EmergencyAccess.objects.exists()


def test_only_clinicians_open_one_and_not_of_their_own_patient(cast: Cast, enter: Door, patient: Patient) -> None:
    own = enter("stella").post(PAGE, card(cast))

    assert own.status_code == 409
    assert "Your clinic knows the patient" in own.content.decode()
    assert {enter(name).get(PAGE).status_code for name in ("rae", "nora")} == {403}
    assert 'href="/emergency-access/open/"' in enter("stella").get("/").content.decode()
