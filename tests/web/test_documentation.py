"""The questionnaire and the documents of a request on its page, without JavaScript."""

from html import unescape
from typing import Any

from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from authz import clock
from authz.documentation.models import Answer, Attachment
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import determinations, questions, queue, request
from tests.cast import NOW, Cast, detected, drafted, fill, in_review, key_of, later, with_document
from tests.documentation.samples import TEXT
from tests.web.conftest import Door
from tests.web.reading import findings
from tests.web.test_whole_case import form_of, page, send


def attach(client: Client, prior_auth: PriorAuth, content: bytes, **fields: Any) -> Any:
    file = SimpleUploadedFile("Jane Doe.exe", content)
    form = {"file": file, **(fields or {"shows": ["dx.code"]})}
    return client.post(f"/prior-auths/{prior_auth.public_id}/attachments/", form)


def answered(prior_auth: PriorAuth, question: str) -> Any:
    assert prior_auth.answers is not None
    row = Answer.objects.filter(sheet=prior_auth.answers, question=question).first()
    return row.value if row else None


def test_answers_of_every_kind_are_given_on_the_page(cast: Cast, enter: Door) -> None:
    prior_auth = drafted(cast, now=clock.now())
    stella = enter("stella")

    send(stella, prior_auth, "answers", **{"pain.type": "chronic"})
    fields = form_of(stella, prior_auth, "answers") | {
        "tx.nonopioid.0.drug": "Ibuprofen",
        "tx.nonopioid.0.outcome": "partial",
        "peg.1": "7",
        "risk.score": "",
    }
    saved = stella.post(
        f"/prior-auths/{prior_auth.public_id}/answers/", {**fields, "tx.nonpharm": ["exercise", "tens"]}
    )

    assert saved.status_code == 302
    assert answered(prior_auth, "tx.nonopioid") == [{"drug": "Ibuprofen", "outcome": "partial"}]
    assert answered(prior_auth, "tx.nonpharm") == ["exercise", "tens"]
    assert answered(prior_auth, "peg.1") == 7
    seen = stella.get(f"/prior-auths/{prior_auth.public_id}/").content.decode()
    assert findings(seen) == []
    assert "PEG: pain, enjoyment of life, general activity" in seen


def test_that_there_is_nothing_to_tell_is_ticked_and_an_emptied_field_takes_its_answer_back(
    cast: Cast, enter: Door
) -> None:
    prior_auth = drafted(cast, now=clock.now())
    stella = enter("stella")

    send(stella, prior_auth, "answers", **{"tx.nonopioid.none": "on", "dx.code": ""})

    assert answered(prior_auth, "tx.nonopioid") == []
    assert answered(prior_auth, "dx.code") is None
    assert "Why was none tried?" in page(stella, prior_auth)


def test_a_row_that_is_wrong_is_named_at_its_question(cast: Cast, enter: Door) -> None:
    prior_auth = drafted(cast, now=clock.now())

    answer = send(enter("stella"), prior_auth, "answers", **{"tx.nonopioid.0.drug": "Ibuprofen", "pain.nrs": "much"})

    seen = unescape(answer.content.decode())
    assert answer.status_code == 422
    assert "Row 1, outcome: Answer this." in seen
    assert 'href="#answers-tx.nonopioid.0.drug"' in seen
    assert 'value="much"' in seen
    assert findings(answer.content.decode()) == []


def test_a_computed_value_that_changed_meanwhile_is_not_confirmed_unread(cast: Cast, enter: Door) -> None:
    prior_auth = detected(cast)
    stella = enter("stella")
    send(stella, prior_auth, "take-up")
    as_seen = form_of(stella, prior_auth, "answers") | {"confirm.req.days_used": "on"}
    fill(cast, prior_auth.patient, 20, now=NOW)

    answer = stella.post(f"/prior-auths/{prior_auth.public_id}/answers/", as_seen)

    assert answer.status_code == 422
    assert "It has changed since you looked." in answer.content.decode()


def test_a_document_is_attached_seen_and_taken_off(cast: Cast, enter: Door) -> None:
    prior_auth = drafted(cast, now=clock.now())
    stella = enter("stella")

    attach(stella, prior_auth, TEXT, title="Note of the visit", shows=["dx.code"])

    row = Attachment.objects.get()
    seen = page(stella, prior_auth)
    assert "Note of the visit" in seen
    assert findings(seen) == []
    download = stella.get(f"/prior-auths/{prior_auth.public_id}/attachments/{row.public_id}/")
    assert (download.content, download["Content-Disposition"].split(";")[0]) == (TEXT, "attachment")
    stella.post(f"/prior-auths/{prior_auth.public_id}/attachments/{row.public_id}/removal/")
    assert "Taken off" in page(stella, prior_auth)


def test_a_document_for_the_insurers_question_is_attached_and_stays_once_it_is_sent(cast: Cast, enter: Door) -> None:
    prior_auth = with_document(cast)
    queue.claim(prior_auth_id=key_of(prior_auth), by=cast.rae, now=NOW)
    questions.ask(prior_auth_id=key_of(prior_auth), questions=["The report?"], by=cast.rae, now=NOW)
    asked = prior_auth.information_requests.get()
    stella = enter("stella")

    unsaid = attach(stella, prior_auth, b"A report.", title="Report")
    attach(stella, prior_auth, b"A report.", title="Report", answers=[asked.public_id])

    seen = page(stella, prior_auth)
    assert "Say what it proves." in unsaid.content.decode()
    assert "Answers: The report? (not sent yet)" in seen
    assert ("Take off 2" in seen, "Take off 1" in seen) == (True, False)
    assert findings(seen) == []


def test_a_late_answer_is_offered_on_the_page_with_its_documents_while_a_question_is_open(
    cast: Cast, enter: Door
) -> None:
    key = key_of(prior_auth := in_review(cast))
    stella = enter("stella")
    before = page(stella, prior_auth)
    questions.ask(prior_auth_id=key, questions=["The operation report?"], by=cast.rae, now=NOW)
    in_time = page(stella, prior_auth)
    questions.resume_unanswered(now=later(71))
    asked = prior_auth.information_requests.get().public_id

    attach(stella, prior_auth, TEXT, answers=[str(asked)])
    late = page(stella, prior_auth)
    send(stella, prior_auth, "answer-late", **{str(asked): "See the report."})

    assert "Answer the insurer late" not in before + in_time
    assert "Answer the insurer in part" not in in_time
    assert "Answer the insurer late" in late
    assert "Which of the insurer's questions does it answer?" in late
    assert "(not sent yet)" in late
    assert "Answer the insurer late" not in (sent := page(stella, prior_auth))
    assert "(not sent yet)" not in sent


def test_to_record_the_exemption_that_the_answers_name_is_next_on_the_page_and_in_the_list(
    cast: Cast, enter: Door
) -> None:
    prior_auth, now = drafted(cast, now=clock.now()), clock.now()
    stella = enter("stella")
    before = page(stella, prior_auth)
    said = {"ex.reason": "hospice", "ex.evidence": "Z51.5", "ex.start": "2025-02-01"}
    request.answer_questions(prior_auth_id=key_of(prior_auth), answers=said, by=cast.stella, now=now)

    named, listed = page(stella, prior_auth), stella.get("/").content.decode()

    assert "Record the exemption" not in before
    assert "Record the exemption" in named
    assert f"{prior_auth.public_id}/#record_exemption" in listed


def test_a_file_that_cannot_be_taken_is_refused_at_its_field(cast: Cast, enter: Door) -> None:
    prior_auth = drafted(cast, now=clock.now())
    stella = enter("stella")

    wrong, none = (
        attach(stella, prior_auth, b"GIF89a\x00"),
        stella.post(f"/prior-auths/{prior_auth.public_id}/attachments/"),
    )

    assert (wrong.status_code, none.status_code) == (422, 422)
    assert "Attach a PDF, PNG, JPEG or TIFF file" in wrong.content.decode()
    assert 'href="#attach-file"' in none.content.decode()
    assert findings(wrong.content.decode()) == []
    assert not Attachment.objects.exists()


def test_an_upload_far_over_the_cap_is_not_read(cast: Cast, enter: Door, settings: LazySettings) -> None:
    prior_auth = drafted(cast, now=clock.now())
    stella = enter("stella")
    settings.ATTACHMENT_MAX_BYTES = 1024

    a_little, far = attach(stella, prior_auth, b"x" * 1030), attach(stella, prior_auth, b"x" * 3000)

    assert (a_little.status_code, far.status_code) == (422, 400)
    assert "at most 1024 bytes" in a_little.content.decode()


def test_packet_document_and_letter_are_there_for_the_insurer_and_not_for_strangers(cast: Cast, enter: Door) -> None:
    prior_auth = with_document(cast)
    decided = in_review(cast)
    determinations.approve(prior_auth_id=key_of(decided), by=cast.rae, now=NOW)
    letter = decided.determinations.get()
    paths = [
        f"/prior-auths/{prior_auth.public_id}/packet/",
        f"/prior-auths/{prior_auth.public_id}/attachments/{Attachment.objects.get().public_id}/",
        f"/prior-auths/{decided.public_id}/determinations/{letter.public_id}/letter/",
    ]
    rae, mallory = enter("rae"), enter("mallory")

    for path in paths:
        answer = rae.get(path)
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer["Content-Security-Policy"]
        assert mallory.get(path).status_code == 404
    assert "Attach a document" not in page(rae, prior_auth)
