"""The page of the audit trail: for administrators, narrowed, taken out, and itself on the trail."""

import csv
from datetime import UTC, datetime, timedelta
from html import unescape
from io import StringIO

import pytest
from django.http import StreamingHttpResponse
from django.test import Client

from authz import clock
from authz.audit import services as audit
from authz.audit.exported import first_fault_in
from authz.audit.models import AuditEntry
from authz.web.views import trail
from tests.cast import PASSWORD, Cast, detected, register
from tests.notifications.hooks import administrator
from tests.web.conftest import Door
from tests.web.reading import findings

TRAIL = "/organization/trail/"


@pytest.fixture
def uma(cast: Cast) -> Client:
    """Riverside's administrator, logged in."""
    administrator(cast.riverside)
    client = Client()
    client.post("/log-in/", {"email": f"admin-{cast.riverside.pk}-2@example.org", "password": PASSWORD})
    return client


def seen(client: Client, query: str = "") -> str:
    answer = client.get(f"{TRAIL}{query}")
    assert answer.status_code == 200
    assert findings(answer.content.decode()) == []
    return unescape(answer.content.decode())


def lines(client: Client, query: str) -> list[dict[str, str]]:
    answer = client.get(f"/organization/trail.csv{query}")
    assert isinstance(answer, StreamingHttpResponse)
    return list(csv.DictReader(StringIO(b"".join(answer).decode())))


def test_an_administrator_sees_who_read_whom_and_that_they_looked_is_told_too(
    cast: Cast, enter: Door, uma: Client
) -> None:
    patient = detected(cast).patient
    enter("stella").get(f"/patients/{patient.public_id}/")

    first, second = seen(uma), seen(uma)

    assert f"GET /patients/{patient.public_id}/" in first
    assert "stella@example.org" in first
    assert "Read the audit trail" not in first
    assert "Read the audit trail" in second
    assert enter("stella").get(TRAIL).status_code == 403
    assert enter("mallory").get(TRAIL).status_code == 403


def test_the_trail_is_narrowed_by_day_person_patient_and_kind(cast: Cast, enter: Door, uma: Client) -> None:
    mine, other = register(cast), register(cast)
    stella = enter("stella")
    for patient in (mine, other):
        stella.get(f"/patients/{patient.public_id}/")

    of_patient = lines(uma, f"?patient={mine.public_id}&what=reads&who=stella")
    of_nobody = lines(uma, "?who=nobody+of+that+name")
    before, since = lines(uma, "?until=2000-01-01"), lines(uma, "?since=2000-01-01&what=changes&who=Marsh")

    assert [line["patients"] for line in of_patient] == [str(mine.public_id)]
    assert (of_patient[0]["actor"], of_patient[0]["action"]) == ("Stella Marsh", "read")
    assert of_nobody == before == []
    assert {line["action"] for line in since} == {"register", "record"}
    wrong = seen(uma, "?patient=Doe&what=everything&since=yesterday")
    assert "That is no patient's id" in wrong
    assert "Give a day as YYYY-MM-DD" in wrong
    assert "Stella Marsh" in wrong, "what cannot be read narrows nothing"


def test_days_are_those_of_the_organization(cast: Cast, uma: Client) -> None:
    late = datetime(2025, 3, 4, 3, 0, tzinfo=UTC)  # still the third in New York
    audit.record(by=cast.stella, action="wait", subject_kind="organization", subject_id=cast.plan.public_id, now=late)

    on_the_third, on_the_fourth = (lines(uma, f"?since={day}&until={day}") for day in ("2025-03-03", "2025-03-04"))

    assert "wait" in {line["action"] for line in on_the_third}
    assert on_the_fourth == []


def test_the_chain_is_taken_out_whole_and_that_is_on_the_trail(cast: Cast, enter: Door, uma: Client) -> None:
    enter("stella").get(f"/patients/{register(cast).public_id}/")
    audit.seal()

    answer = uma.get("/organization/trail.jsonl")

    told = answer.content.decode().splitlines()
    assert len(told) > 2
    assert first_fault_in(told) is None
    assert answer["Content-Disposition"].endswith('.jsonl"')
    assert AuditEntry.objects.filter(action="export the chain of the audit trail").count() == 1
    assert enter("stella").get("/organization/trail.jsonl").status_code == 403


def test_a_chain_too_long_to_put_together_is_not_cut(cast: Cast, uma: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    detected(cast)
    audit.seal()
    monkeypatch.setattr(trail, "MOST_LINES", 1)

    answer = uma.get("/organization/trail.jsonl?since=2000-01-01", follow=True)

    assert answer.redirect_chain == [(f"{TRAIL}?since=2000-01-01", 302)]
    assert "These are more than 1 entries." in answer.content.decode()


def test_a_long_trail_has_pages(cast: Cast, uma: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "PER_PAGE", 2)
    for number in range(3):
        audit.record(
            by=cast.stella,
            action=f"step {number}",
            subject_kind="organization",
            subject_id=cast.riverside.public_id,
            now=clock.now() + timedelta(seconds=number),
        )

    first, second = seen(uma, "?who=Marsh&what=changes"), seen(uma, "?who=Marsh&what=changes&page=2")

    assert "Step 2" in first
    assert "page=2" in first
    assert "Step 0" in second
    assert "page=1" in second
