"""Documents over the API: attached as a form, known by their bytes, handed out as downloads and nothing else."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from authz import clock
from authz.documentation.models import Attachment
from authz.ids import PriorAuthId
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import determinations, questions, queue
from tests import cast as stage
from tests.api.callers import Caller, field_errors, nothing_changes, refused
from tests.documentation.samples import PNG, TEXT, pdf


def address(case: PriorAuth, rest: str = "attachments/") -> str:
    return f"prior-authorizations/{case.public_id}/{rest}"


def attach(
    caller: Caller, case: PriorAuth, content: bytes, *, name: str = "Jane Doe.exe", key: str = "", **fields: Any
) -> Any:
    file = SimpleUploadedFile(name, content, content_type="application/x-msdownload")
    form = {"file": file, **(fields or {"shows": ["dx.code"]})}
    body = encode_multipart(BOUNDARY, form)
    return caller.send("POST", address(case), body, content_type=MULTIPART_CONTENT, key=key or None)


def test_a_document_is_what_its_bytes_say_whatever_it_is_called(cast: stage.Cast, stella: Caller) -> None:
    case = stage.drafted(cast)

    first = attach(stella, case, pdf(2), title="Note of the visit", shows=["dx.code", "doc.notes"])
    again = attach(stella, case, pdf(2))

    assert (first.status_code, again.status_code) == (201, 200)
    kept = first.json()
    assert (kept["media_type"], kept["page_count"], kept["title"]) == ("application/pdf", 2, "Note of the visit")
    assert kept["shows"] == ["dx.code", "doc.notes"]
    assert again.json()["id"] == kept["id"]
    assert [row["id"] for row in stella.get(address(case)).json()["attachments"]] == [kept["id"]]


@pytest.mark.parametrize("content", [PNG, TEXT])
def test_a_document_is_handed_out_as_a_download_without_a_patients_facts_in_its_name(
    cast: stage.Cast, stella: Caller, content: bytes
) -> None:
    case = stage.drafted(cast)
    kept = attach(stella, case, content).json()

    answer = stella.get(address(case, f"attachments/{kept['id']}/content/"))

    assert answer.content == content
    extension = {PNG: "png", TEXT: "txt"}[content]
    assert answer["Content-Disposition"] == f'attachment; filename="{case.number}-attachment-1.{extension}"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert answer["Cache-Control"] == "no-store"
    assert kept["title"] == "Jane Doe.exe", "the clinic's own name for it is kept, and never in an address"


@pytest.mark.parametrize(
    ("content", "says"), [(b"GIF89a\x00", "Attach a PDF"), (b"", "Attach a PDF"), (b"x" * 1025, "at most 1024 bytes")]
)
def test_what_cannot_be_taken_is_refused_and_nothing_is_stored(
    cast: stage.Cast, stella: Caller, settings: LazySettings, content: bytes, says: str
) -> None:
    settings.ATTACHMENT_MAX_BYTES = 1024
    case = stage.drafted(cast)

    with nothing_changes():
        answer = attach(stella, case, content)

    assert says in refused(answer, 422, "file-refused")["detail"]


def test_a_body_far_over_the_cap_is_not_read(cast: stage.Cast, stella: Caller, settings: LazySettings) -> None:
    settings.ATTACHMENT_MAX_BYTES = 1024
    case = stage.drafted(cast)

    with nothing_changes():
        answer = attach(stella, case, b"x" * 100_000)

    refused(answer, 413, "body-too-large")


def test_a_scanner_that_does_not_answer_lets_nothing_in(
    cast: stage.Cast, stella: Caller, settings: LazySettings
) -> None:
    settings.CLAMD_URL = "unix:///nowhere/clamd.socket"
    case = stage.drafted(cast)

    with nothing_changes():
        answer = attach(stella, case, TEXT)

    refused(answer, 503, "scanner-unavailable")


def test_a_form_that_is_wrong_is_named_by_field(cast: stage.Cast, stella: Caller) -> None:
    case = stage.drafted(cast)
    body = encode_multipart(BOUNDARY, {"file": "not a file", "colour": "red"})

    with nothing_changes():
        form = stella.send("POST", address(case), body, content_type=MULTIPART_CONTENT)
        title = attach(stella, case, TEXT, title="x" * 201)
        shows = attach(stella, case, TEXT, shows="dx.colour")
        json = stella.post(address(case), {"file": "x"})

    assert set(field_errors(form)) == {"file", "colour"}
    assert set(field_errors(title)) == {"title"}
    assert field_errors(shows) == {"shows": ("invalid", "There is no question dx.colour.")}
    refused(json, 415, "unsupported-media-type")


def test_a_key_belongs_to_the_bytes_it_was_first_sent_with(cast: stage.Cast, stella: Caller) -> None:
    case = stage.drafted(cast)

    first, again = (attach(stella, case, TEXT, key="one") for _ in range(2))
    other = attach(stella, case, PNG, key="one")

    assert again["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    refused(other, 422, "idempotency-key-reused")


def test_what_is_taken_off_stays_listed_for_the_clinic_alone(cast: stage.Cast, stella: Caller, rae: Caller) -> None:
    case = stage.drafted(cast, now=clock.now())
    note, scan = attach(stella, case, TEXT).json(), attach(stella, case, PNG).json()

    taken = stella.post(address(case, f"attachments/{note['id']}/removal/"))
    stella.post(address(case, "submit/"), {}, key="submit")

    assert taken.json()["removed_at"] is not None
    assert [row["id"] for row in stella.get(address(case)).json()["attachments"]] == [note["id"], scan["id"]]
    assert [row["id"] for row in rae.get(address(case)).json()["attachments"]] == [scan["id"]]
    refused(rae.get(address(case, f"attachments/{note['id']}/content/")), 404, "not-found")
    refused(attach(stella, case, TEXT), 409, "answers-closed")
    refused(rae.post(address(case, f"attachments/{scan['id']}/removal/")), 403, "forbidden")


def test_a_stranger_of_another_clinic_or_insurer_finds_none_of_a_real_requests_papers(
    cast: stage.Cast, mallory: Caller, oscar: Caller
) -> None:
    case = stage.with_document(cast)
    note = Attachment.objects.get()
    key = PriorAuthId(case.public_id)
    queue.claim(prior_auth_id=key, by=cast.rae, now=stage.NOW)
    letter = determinations.approve(prior_auth_id=key, by=cast.rae, now=stage.NOW).determinations.get()

    for stranger in (mallory, oscar):
        for path in (
            "questionnaire/", "answers/", "attachments/", f"attachments/{note.public_id}/content/", "packet/",
            f"determinations/{letter.public_id}/letter/",
        ):  # fmt: skip
            refused(stranger.get(address(case, path)), 404, "not-found")
        refused(attach(stranger, case, TEXT), 404, "not-found")
        refused(stranger.post(address(case, f"attachments/{note.public_id}/removal/")), 404, "not-found")


def test_a_document_answers_the_insurers_question_after_submission(
    cast: stage.Cast, stella: Caller, rae: Caller
) -> None:
    case = stage.in_review(cast)
    questions.ask(prior_auth_id=PriorAuthId(case.public_id), questions=["The report?"], by=cast.rae, now=stage.NOW)
    asked = str(case.information_requests.get().public_id)

    nothing, wrong = attach(stella, case, TEXT), attach(stella, case, TEXT, answers="soon")
    kept = attach(stella, case, pdf(1), answers=asked)
    before = rae.get(address(case)).json()["attachments"]
    stella.post(address(case, "answer/"), {"answers": {asked: "See the report."}})

    assert set(field_errors(nothing)) == {"answers"}
    assert set(field_errors(wrong)) == {"answers[0]"}
    assert (kept.status_code, kept.json()["answers"], before) == (201, [asked], [])
    assert rae.get(address(case)).json()["attachments"] == [kept.json()]


def test_packet_and_letter_are_downloads_for_both_sides(cast: stage.Cast, stella: Caller, rae: Caller) -> None:
    case = stage.in_review(cast)
    decided = determinations.approve(prior_auth_id=PriorAuthId(case.public_id), by=cast.rae, now=stage.NOW)
    letter = address(case, f"determinations/{decided.determinations.get().public_id}/letter/")

    for path, name in ((address(case, "packet/"), "packet"), (letter, "letter")):
        ours, theirs = stella.get(path), rae.get(path)
        assert ours.content == theirs.content
        assert ours.content.startswith(b"%PDF-")
        assert ours["Content-Disposition"] == f'attachment; filename="{case.number}-{name}.pdf"'
    refused(stella.get(address(case, f"determinations/{stage.unknown_id()}/letter/")), 404, "not-found")


@pytest.mark.parametrize(
    ("accept", "status"), [("application/json", 406), ("application/pdf", 200), ("application/json, */*", 200)]
)
def test_a_download_is_refused_to_who_does_not_accept_the_kind_that_it_is(
    cast: stage.Cast, stella: Caller, accept: str, status: int
) -> None:
    case = stage.approved(cast)
    letter = address(case, f"determinations/{case.determinations.get().public_id}/letter/")

    answers = [stella.get_as(accept, path) for path in (address(case, "packet/"), letter)]

    assert [answer.status_code for answer in answers] == [status, status]
    for answer in answers:
        told = answer.content if status == 200 else refused(answer, 406, "not-acceptable")["detail"].encode()
        assert (b"%PDF-" if status == 200 else b"application/pdf") in told


def test_the_questionnaire_tells_what_is_asked_needed_and_still_to_do(
    cast: stage.Cast, stella: Caller, rae: Caller
) -> None:
    case = stage.drafted(cast, now=clock.now())
    stella.patch(address(case, "answers/"), {"answers": {"dx.code": "R52"}, "source": "chart"})

    told = stella.get(address(case, "questionnaire/")).json()

    assert (told["questionnaire"], told["requirements"]["name"], told["missing"]) == (
        "opioid-3", "default-2", ["pr.attest"],
    )  # fmt: skip
    by_id = {one["question"]: one for section in told["sections"] for one in section["questions"]}
    assert by_id["dx.code"]["source"] == "chart"
    assert "pain alone" in by_id["dx.code"]["warnings"][0]
    assert by_id["tx.nonopioid"]["columns"][0] == {
        "id": "drug", "text": "Medicine", "kind": "string", "options": [], "is_needed": True,
    }  # fmt: skip
    assert (by_id["pain.nrs"]["least"], by_id["pain.nrs"]["most"]) == ("0", "10")
    assert by_id["pr.attest"]["to_do"].startswith("Answer or confirm")
    assert not by_id["plan.lowest_dose"]["is_required"]
    refused(rae.get(address(case, "questionnaire/")), 404, "not-found")


def test_the_insurer_reads_the_answers_that_were_submitted_not_the_clinics_work(
    cast: stage.Cast, stella: Caller, rae: Caller
) -> None:
    case = stage.queued(cast)

    read = rae.get(address(case, "answers/")).json()["answers"]

    assert read == stella.get(address(case, "answers/")).json()["answers"]
    assert {row["question"]: row["value"] for row in read}["dx.code"] == "M54.50"
    assert all(row["value"] is not None for row in read)
    refused(rae.get(address(case, "questionnaire/")), 403, "forbidden")
