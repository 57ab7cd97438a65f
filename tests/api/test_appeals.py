"""Appeals over the API: filed once, listed by deadline, decided with If-Match, read by both sides."""

from typing import Any

import pytest

from authz.notifications.models import Delivery
from authz.outbox.models import OutboxMessage
from authz.prior_auths.appeal_lifecycle import TABLE
from authz.prior_auths.models import Appeal, PriorAuth
from tests import cast as stage
from tests.api.callers import Caller, nothing_changes, person, refused
from tests.api.test_documents import attach
from tests.documentation.samples import TEXT, pdf

REASON = {"code": "not-necessary", "text": "A shorter course is enough.", "criterion": "Clause 4"}


@pytest.fixture
def denied(cast: stage.Cast) -> PriorAuth:
    return stage.denied(cast)


def filed(caller: Caller, denied: PriorAuth, **said: Any) -> Any:
    body = {"reason": "The surgeon planned ten days.", **said}
    return caller.post(f"prior-authorizations/{denied.public_id}/appeals/", body, key="one")


def test_filed_twice_with_one_key_there_is_one_appeal_and_never_without_one(stella: Caller, denied: PriorAuth) -> None:
    first, again = filed(stella, denied), filed(stella, denied)

    assert (first.status_code, first["ETag"], again["Idempotency-Replayed"]) == (201, '"1"', "true")
    assert first.json()["id"] == again.json()["id"] == str(Appeal.objects.get().public_id)
    with nothing_changes():
        other = stella.post(f"prior-authorizations/{denied.public_id}/appeals/", {"reason": "Again."}, key="two")
        keyless = stella.post(f"prior-authorizations/{denied.public_id}/appeals/", {"reason": "Again."})
    assert refused(other, 409, "already-appealed")["appeal"] == first.json()["id"]
    refused(keyless, 400, "idempotency-key-required")


def test_too_late_it_says_which_was_the_last_day_and_by_which_rule(cast: stage.Cast, stella: Caller) -> None:
    cast.plan.regime = "part_d"
    cast.plan.save()
    denied = stage.denied(cast)
    message = OutboxMessage.objects.get(topic="prior-auth.denied")
    Delivery.objects.create(
        message=message, subject_id=denied.public_id, recipient=cast.people["stella"], organization=cast.riverside,
        channel="inbox", needs_act=True, due_at=stage.NOW, sent_at=stage.NOW,
    )  # fmt: skip

    with nothing_changes():
        problem = refused(filed(stella, denied), 409, "appeal-too-late")
    taken = filed(stella, denied, good_cause="In hospital until last week.").json()

    assert (problem["last_day"], problem["citation"]) == ("2025-05-07", "42 CFR 423.582(b)")
    assert problem["why"].startswith("Due by the end of Wednesday 7 May 2025 (EDT): 60 calendar days after receipt")
    assert (taken["was_late"], taken["good_cause"]) == (True, "In hospital until last week.")


def test_both_sides_read_an_appeal_with_its_clocks_and_the_list_goes_by_deadline(
    cast: stage.Cast, stella: Caller, denied: PriorAuth
) -> None:
    standard = filed(stella, denied).json()
    expedited = stella.post(
        f"prior-authorizations/{stage.denied(cast).public_id}/appeals/",
        {"reason": "In pain.", "urgency": "expedited"},
        key="two",
    ).json()
    ivy = person("ivy")

    listed = [row["id"] for row in ivy.get("appeals/?state=filed&limit=1").json()["results"]]
    read = ivy.get(f"appeals/{standard['id']}/").json()
    own = stella.get(f"prior-authorizations/{denied.public_id}/appeals/").json()["results"]

    assert listed == [expedited["id"]]
    assert [row["id"] for row in ivy.get("appeals/").json()["results"]] == [expedited["id"], standard["id"]]
    assert [row["id"] for row in own] == [standard["id"]]
    assert {one["kind"] for one in read["clocks"]} == {"appeal_file_by", "appeal_decide_by"}
    assert read["due"]["why"].startswith("Due by the end of")
    assert (read["allowed_steps"], read["onward"], read["decision"]) == (["receive", "dismiss", "forward"], None, None)
    events = stella.get(f"appeals/{standard['id']}/events/").json()["results"]
    assert [(row["step"], row["actor_name"]) for row in events] == [("file", "Stella Marsh")]


def test_from_receiving_to_overturning_in_part(cast: stage.Cast, stella: Caller, denied: PriorAuth) -> None:
    stage.appeal_reviewer(cast)
    ivy, uma = person("ivy"), person("uma")
    here = f"appeals/{filed(stella, denied).json()['id']}/"
    ivy.post(f"{here}receive/")
    taken = uma.post(f"{here}take-in-hand/")
    grant = {"line": 1, "days": 99, "quantity": "20", "starts_on": "2025-03-03", "ends_on": "2025-03-07"}

    refused(uma.post(f"{here}overturn-in-part/", {"grants": [grant], "reason": REASON}), 428, "if-match-required")
    stale = uma.post(f"{here}uphold/", {"reason": REASON}, if_match='"1"')
    too_much = uma.post(f"{here}overturn-in-part/", {"grants": [grant], "reason": REASON}, if_match=taken["ETag"])
    decided = uma.post(
        f"{here}overturn-in-part/", {"grants": [grant | {"days": 5}], "reason": REASON}, if_match=taken["ETag"]
    )

    refused(stale, 412, "stale-version")
    assert [error["field"] for error in refused(too_much, 422, "invalid-input")["errors"]] == ["grants[0]"]
    told = decided.json()
    assert (told["state"], told["decision"]["outcome"]) == ("decided", "partly_overturned")
    request = stella.get(f"prior-authorizations/{denied.public_id}/").json()
    newest = request["determinations"][0]
    assert (newest["id"], newest["outcome"]) == (told["decision"]["determination"], "partially_approved")
    assert [one["days_granted"] for one in request["authorizations"]] == [5]
    clocks = {one["kind"]: one for one in request["clocks"]}
    assert clocks["appeal_decide_by"]["stopped_at"] == told["decision"]["decided_at"]


def test_who_denied_the_request_is_refused_and_why(cast: stage.Cast, stella: Caller, denied: PriorAuth) -> None:
    stage.access.add_membership(
        person=cast.people["patel"], organization=cast.evergreen, role=stage.Role.APPEAL_REVIEWER
    )
    here = f"appeals/{filed(stella, denied).json()['id']}/"
    person("ivy").post(f"{here}receive/")

    with nothing_changes():
        refused(person("patel").post(f"{here}take-in-hand/"), 403, "another-decider-needed")


def test_the_lifecycle_tells_of_appeals_too(db: None) -> None:
    told = Caller().get("meta/lifecycle/").json()["appeals"]

    assert [row["step"] for row in told["steps"]] == [step.value for step in TABLE]
    rows = {row["step"]: row for row in told["steps"]}
    assert (rows["file"]["sources"], rows["file"]["target"], rows["file"]["address"]) == ([], "filed", "")
    assert (rows["uphold"]["by"], rows["uphold"]["needs_if_match"]) == (["appeal_reviewer"], True)
    assert set(told["active"]) == {"filed", "received", "in_review"}


def test_a_document_sent_in_with_an_appeal_is_read_by_who_decides_it_and_the_letter_by_both(
    cast: stage.Cast, stella: Caller, denied: PriorAuth
) -> None:
    stage.appeal_reviewer(cast)
    uma, mallory = person("uma"), person("mallory")
    here = f"appeals/{filed(stella, denied).json()['id']}/"
    person("ivy").post(f"{here}receive/")
    taken = uma.post(f"{here}take-in-hand/")
    refused(stella.get(f"{here}letter/"), 404, "not-found")

    sent = attach(stella, denied, pdf(1), title="Report", appeal=here.split("/")[1]).json()
    stale = uma.post(f"{here}uphold/", {"reason": REASON}, if_match=taken["ETag"])
    read = uma.get(here)
    upheld = uma.post(f"{here}uphold/", {"reason": REASON}, if_match=read["ETag"])
    too_late = attach(stella, denied, TEXT, appeal=here.split("/")[1])

    refused(stale, 412, "stale-version")
    assert read.json()["attachments"] == [sent]
    assert sent["appeals"] == [read.json()["id"]]
    content = f"prior-authorizations/{denied.public_id}/attachments/{sent['id']}/content/"
    assert uma.get(content).content == pdf(1)
    assert uma.get(f"prior-authorizations/{denied.public_id}/packet/").content.startswith(b"%PDF-")
    assert upheld.status_code == 200
    refused(too_late, 409, "answers-closed")
    ours, theirs = stella.get(f"{here}letter/"), uma.get(f"{here}letter/")
    assert ours.content == theirs.content
    assert ours["Content-Disposition"] == f'attachment; filename="{denied.number}-appeal-letter.pdf"'
    refused(mallory.get(f"{here}letter/"), 404, "not-found")
