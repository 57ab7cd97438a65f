"""What goes with a request: attached documents, the frozen packet, and papers: written for good and drawn once."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from pypdf import PdfReader

from authz.documentation.models import Attachment, Paper, RenderedPaper, StoredFile
from authz.documentation.services import files
from authz.errors import Forbidden, InvalidInput, NotFound
from authz.prior_auths import selectors
from authz.prior_auths.determination import Reason
from authz.prior_auths.evaluations import sha256_of
from authz.prior_auths.lifecycle import ReopeningReason
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import deeming, determinations, documents, papers, questions, queue, reopening, request
from authz.prior_auths.services.request import AnswersClosed, NotReady
from tests import cast as stage
from tests.cast import NOW, Cast, key_of, later
from tests.documentation.samples import TEXT, tiff

NOTE = files.inspect(content=TEXT)
SCAN = files.inspect(content=tiff(2))
REASON = Reason(code="criteria-not-met", text="A shorter course is enough.", criterion="Clause 2.3")


def attach(prior_auth: PriorAuth, file: files.Inspected, *, by: stage.Actor, title: str = "Note") -> Attachment:
    key = key_of(prior_auth)
    return documents.attach(prior_auth_id=key, file=file, title=title, shows=["dx.code"], by=by, now=NOW)[0]


def paper_words(content: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages).split())


# -- attachments -------------------------------------------------------------------------------------------------------
def test_a_document_is_kept_as_it_came_with_what_it_is_and_what_it_bears_out(cast: Cast) -> None:
    prior_auth = stage.drafted(cast)

    scan = attach(prior_auth, SCAN, by=cast.stella, title="Scan of the knee")

    kept = selectors.attachment_file(cast.stella, key_of(prior_auth), scan.public_id)
    assert bytes(kept.file.content) == SCAN.content
    assert (kept.file.media_type, kept.file.page_count, kept.file.byte_count) == ("image/tiff", 2, len(SCAN.content))
    assert kept.file.sha256 == SCAN.sha256
    assert kept.name == f"{prior_auth.number}-attachment-1"
    assert (scan.shows, scan.attached_by) == (["dx.code"], "Stella Marsh")


def test_the_same_bytes_attached_again_are_the_attachment_that_is_there(cast: Cast) -> None:
    prior_auth = stage.drafted(cast)
    first = attach(prior_auth, NOTE, by=cast.stella)

    again = attach(prior_auth, NOTE, by=cast.jones, title="Another name")

    assert again == first
    assert StoredFile.objects.count() == 1


def test_what_is_taken_off_stays_marked_and_is_not_sent(cast: Cast) -> None:
    prior_auth = stage.drafted(cast)
    note = attach(prior_auth, NOTE, by=cast.stella)
    attach(prior_auth, SCAN, by=cast.stella)

    documents.take_off(prior_auth_id=key_of(prior_auth), attachment_id=note.public_id, by=cast.stella, now=later(1))
    submitted = request.submit(prior_auth_id=key_of(prior_auth), by=cast.stella, now=later(2))

    note.refresh_from_db()
    assert (note.removed_at, note.removed_by) == (later(1), "Stella Marsh")
    assert submitted.packet is not None
    assert [one["number"] for one in submitted.packet["attachments"]] == [2]


def test_the_insurer_sees_what_was_submitted_and_nothing_else(cast: Cast) -> None:
    prior_auth = stage.drafted(cast)
    note, scan = attach(prior_auth, NOTE, by=cast.stella), attach(prior_auth, SCAN, by=cast.stella)
    key = key_of(prior_auth)
    documents.take_off(prior_auth_id=key, attachment_id=note.public_id, by=cast.stella, now=NOW)
    for stranger in (cast.rae, cast.mallory, cast.oscar):
        with pytest.raises(NotFound):
            selectors.attachment_file(stranger, key, scan.public_id)

    request.submit(prior_auth_id=key, by=cast.stella, now=NOW)

    assert selectors.attachments(cast.rae, selectors.prior_auth(cast.rae, key)) == [scan]
    with pytest.raises(NotFound):
        selectors.attachment_file(cast.rae, key, note.public_id)
    for stranger in (cast.mallory, cast.oscar):
        with pytest.raises(NotFound):
            selectors.attachment_file(stranger, key, scan.public_id)


def test_documents_are_attached_between_taking_up_and_submitting(cast: Cast) -> None:
    detected, queued = stage.detected(cast), stage.queued(cast)

    for closed in (detected, queued):
        with pytest.raises(AnswersClosed):
            attach(closed, NOTE, by=cast.stella)
    with pytest.raises(Forbidden):
        attach(queued, NOTE, by=cast.rae)
    assert not StoredFile.objects.filter(media_type="text/plain").exists()


def asked(cast: Cast) -> tuple[PriorAuth, UUID]:
    """Return a request of which Rae asks one thing, and the id of her question."""
    prior_auth = questions.ask(
        prior_auth_id=key_of(stage.in_review(cast)), questions=["Send the operation report."], by=cast.rae, now=NOW
    )
    return prior_auth, prior_auth.information_requests.get().public_id


def send(prior_auth: PriorAuth, question: UUID, file: files.Inspected, *, by: stage.Actor) -> Attachment:
    key = key_of(prior_auth)
    return documents.attach(prior_auth_id=key, file=file, title="Report", answers=[question], by=by, now=NOW)[0]


def test_a_document_answers_the_insurers_question_goes_with_the_answer_and_leaves_the_packet_alone(cast: Cast) -> None:
    prior_auth, question = asked(cast)
    frozen = (prior_auth.packet, prior_auth.packet_sha256)
    key = key_of(prior_auth)
    report, wrong = (send(prior_auth, question, file, by=cast.stella) for file in (SCAN, NOTE))
    documents.take_off(prior_auth_id=key, attachment_id=wrong.public_id, by=cast.stella, now=NOW)
    assert selectors.attachments(cast.rae, prior_auth) == []

    questions.answer(prior_auth_id=key, answers={question: "See the report."}, by=cast.stella, now=later(1))

    prior_auth.refresh_from_db()
    assert selectors.attachments(cast.rae, prior_auth) == [report]
    assert bytes(selectors.attachment_file(cast.rae, key, report.public_id).file.content) == SCAN.content
    assert (prior_auth.packet, prior_auth.packet_sha256) == frozen
    with pytest.raises(AnswersClosed):
        send(prior_auth, question, NOTE, by=cast.stella)


def test_a_document_goes_with_a_late_answer_too_and_changes_nothing_for_whoever_decides_until_then(cast: Cast) -> None:
    prior_auth, question = asked(cast)
    key = key_of(prior_auth)
    questions.resume_unanswered(now=later(70))
    read = selectors.prior_auth(cast.rae, key)
    report, wrong = (send(prior_auth, question, file, by=cast.stella) for file in (SCAN, NOTE))
    documents.take_off(prior_auth_id=key, attachment_id=wrong.public_id, by=cast.stella, now=later(70))
    unsent = selectors.prior_auth(cast.rae, key)

    questions.answer_late(prior_auth_id=key, answers={question: "See the report."}, by=cast.stella, now=later(71))

    late = selectors.prior_auth(cast.rae, key)
    assert (read.state, unsent.version, selectors.attachments(cast.rae, late)) == ("in_review", read.version, [report])
    assert (late.version, late.packet_sha256) == (read.version + 1, read.packet_sha256)
    with pytest.raises(AnswersClosed):
        documents.take_off(prior_auth_id=key, attachment_id=report.public_id, by=cast.stella, now=later(71))
    with pytest.raises(AnswersClosed):
        send(prior_auth, question, NOTE, by=cast.stella)


def test_once_it_is_decided_nothing_goes_with_what_was_never_answered(cast: Cast) -> None:
    prior_auth, question = asked(cast)
    questions.resume_unanswered(now=later(70))
    determinations.approve(prior_auth_id=key_of(prior_auth), by=cast.rae, now=later(71))

    with pytest.raises(AnswersClosed):
        send(prior_auth, question, SCAN, by=cast.stella)


def test_what_the_insurer_has_is_not_taken_off(cast: Cast) -> None:
    submitted = stage.with_document(cast)
    queue.claim(prior_auth_id=key_of(submitted), by=cast.rae, now=NOW)
    questions.ask(prior_auth_id=key_of(submitted), questions=["Anything else?"], by=cast.rae, now=NOW)
    note = Attachment.objects.get()

    with pytest.raises(AnswersClosed):
        documents.take_off(prior_auth_id=key_of(submitted), attachment_id=note.public_id, by=cast.stella, now=NOW)

    note.refresh_from_db()
    assert note.removed_at is None


@pytest.mark.parametrize(
    ("proves", "field"),
    [({}, "answers"), ({"shows": ["dx.code"]}, "answers"), ({"answers": [stage.unknown_id()]}, "answers")],
)
def test_after_submission_a_document_answers_a_question_that_is_open(
    cast: Cast, proves: dict[str, Any], field: str
) -> None:
    prior_auth, _ = asked(cast)

    with pytest.raises(InvalidInput) as refusal:
        documents.attach(prior_auth_id=key_of(prior_auth), file=SCAN, title="Report", by=cast.stella, now=NOW, **proves)

    assert set(refusal.value.fields) == {field}
    assert not Attachment.objects.exists()


def test_a_document_that_says_not_what_it_proves_is_not_taken(cast: Cast) -> None:
    prior_auth = stage.drafted(cast)

    with pytest.raises(InvalidInput) as refusal:
        documents.attach(prior_auth_id=key_of(prior_auth), file=NOTE, title="Note", by=cast.stella, now=NOW)

    assert refusal.value.fields["shows"][0].startswith("Say what it proves")


def test_a_title_and_questions_that_are_none_are_named(cast: Cast) -> None:
    prior_auth = stage.drafted(cast)

    with pytest.raises(InvalidInput) as refusal:
        documents.attach(
            prior_auth_id=key_of(prior_auth), file=NOTE, title=" ", shows=["dx.colour"], by=cast.stella, now=NOW
        )

    assert set(refusal.value.fields) == {"title", "shows"}


def test_the_database_holds_that_a_file_is_as_long_as_it_says_and_is_never_changed(cast: Cast) -> None:
    attach(stage.drafted(cast), NOTE, by=cast.stella)

    for change in (
        "UPDATE authz_storedfile SET stored_at = now()",
        "DELETE FROM authz_storedfile",
        "INSERT INTO authz_storedfile (media_type, byte_count, sha256, content, stored_at)"
        " VALUES ('text/plain', 1, repeat('0', 64), 'x', now())",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)


# -- the packet --------------------------------------------------------------------------------------------------------
def test_the_packet_holds_all_that_the_insurer_receives_under_one_hash(cast: Cast) -> None:
    prior_auth = stage.drafted(cast)
    attach(prior_auth, SCAN, by=cast.stella)

    submitted = request.submit(prior_auth_id=key_of(prior_auth), by=cast.stella, now=NOW)

    packet = submitted.packet
    assert packet is not None
    assert submitted.packet_sha256 == sha256_of(packet)
    answers = {one["question"]: one for one in packet["answers"]}
    assert answers["dx.code"]["value"] == "M54.50"
    assert (answers["dx.code"]["source"], answers["req.days_used"]["source"]) == ("staff", "computed")
    assert packet["attachments"][0] | {"id": "", "title": ""} == {
        "id": "", "number": 1, "title": "", "media_type": "image/tiff", "byte_count": len(SCAN.content),
        "page_count": 2, "sha256": SCAN.sha256, "shows": ["dx.code"],
        "part2": False,
    }  # fmt: skip
    assert packet["evaluation"]["inputs_sha256"] == submitted.evaluation.inputs_sha256
    assert (packet["requirements"], packet["questionnaire"], packet["submitted_by"]) == (
        "default-2", "opioid-3", "Stella Marsh",
    )  # fmt: skip


def test_the_packet_is_on_paper_for_both_sides_and_for_nobody_else(cast: Cast) -> None:
    submitted = stage.queued(cast)

    for reader in (cast.stella, cast.rae):
        words = paper_words(bytes(papers.packet_file(prior_auth_id=key_of(submitted), by=reader, now=NOW).file.content))
        assert submitted.number in words
        assert submitted.packet_sha256 in words
        assert "Second operation on the same joint last week." in words
    for stranger in (cast.mallory, cast.oscar):
        with pytest.raises(NotFound):
            papers.packet_file(prior_auth_id=key_of(submitted), by=stranger, now=NOW)


def test_a_refused_submission_leaves_no_paper(cast: Cast) -> None:
    prior_auth = request.take_up(prior_auth_id=key_of(stage.detected(cast)), by=cast.stella, now=NOW)

    with pytest.raises(NotReady):
        request.submit(prior_auth_id=key_of(prior_auth), by=cast.stella, now=NOW)

    assert not Paper.objects.exists()


# -- the letter --------------------------------------------------------------------------------------------------------
def letter_bytes(prior_auth: PriorAuth, determination_id: UUID, by: stage.Actor) -> bytes:
    kept = papers.letter_file(prior_auth_id=key_of(prior_auth), determination_id=determination_id, by=by, now=NOW)
    return bytes(kept.file.content)


def test_a_letter_is_drawn_once_and_everybody_gets_the_same_bytes_whatever_becomes_of_names(cast: Cast) -> None:
    denied = stage.denied(cast)
    determination = denied.determinations.get()
    cast.plan.insurer.name = "Evergreen Health, renamed before anybody read the letter"
    cast.plan.insurer.save()

    to_staff, to_reviewer = (letter_bytes(denied, determination.public_id, by) for by in (cast.stella, cast.rae))

    assert to_staff == to_reviewer
    assert "renamed" not in paper_words(to_staff)
    assert RenderedPaper.objects.get(paper__subject_id=determination.public_id).file.content == to_staff


@pytest.mark.django_db(transaction=True)
def test_two_who_ask_for_a_paper_at_once_get_one_and_the_same(cast: Cast) -> None:
    denied = stage.denied(cast)
    determination_id = denied.determinations.get().public_id

    def ask(by: stage.Actor) -> bytes:
        try:
            return letter_bytes(denied, determination_id, by)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        handed_out = list(pool.map(ask, [cast.stella, cast.rae] * 2))

    assert len(set(handed_out)) == RenderedPaper.objects.count() == 1


def letter_of(prior_auth: PriorAuth, by: stage.Actor) -> str:
    determination = prior_auth.determinations.get()
    return paper_words(letter_bytes(prior_auth, determination.public_id, by))


def test_a_denial_is_told_in_a_letter_with_reason_criterion_licence_holder_and_rights(cast: Cast) -> None:
    key = key_of(stage.in_clinical_review(cast))

    denied = determinations.deny(prior_auth_id=key, reason=REASON, by=cast.patel, now=NOW)

    words = letter_of(denied, cast.stella)
    for told in (
        "We have denied this request.", REASON.text, REASON.criterion, "Dr Patel", "licence NY MD-1001",
        "ask Evergreen Health to look at this again (an appeal), within 60 calendar days of receiving this letter",
        "Nothing",
    ):  # fmt: skip
        assert told in words
    assert words == letter_of(denied, cast.rae)


@pytest.mark.parametrize(
    ("regime", "next_step"),
    [
        ("part_d", "Evergreen Health must send this request to an independent reviewer within 24 hours"),
        ("medicare_advantage", "ask Evergreen Health to look at this again (an appeal), within 60 calendar days"),
    ],
)
def test_what_nobody_decided_in_time_is_told_in_words_of_its_own_with_what_happens_next(
    cast: Cast, regime: str, next_step: str
) -> None:
    cast.plan.regime = regime
    cast.plan.save()
    prior_auth = stage.queued(cast)

    assert deeming.deem_due(now=later(24 * 20)) == 1

    words = letter_of(prior_auth, cast.stella)
    for told in (
        "Nobody decided this request in time, so the law treats it as denied.",
        "It was due",
        "42 CFR",
        next_step,
    ):
        assert told in words
    assert "We have denied" not in words
    assert "Who decided" not in words


def test_what_a_rule_or_the_law_approves_has_its_letter_too(cast: Cast) -> None:
    cast.plan.regime = "california"
    cast.plan.save()
    prior_auth = stage.queued(cast)

    deeming.deem_due(now=later(73))

    words = letter_of(prior_auth, cast.stella)
    assert "By law it counts as approved as it was asked." in words
    assert prior_auth.authorizations.get().number in words
    assert "Who decided" not in words


def test_a_letter_tells_which_decision_it_takes_the_place_of(cast: Cast) -> None:
    denied = stage.denied(cast)
    key = key_of(denied)
    reopening.reopen(
        prior_auth_id=key, code=ReopeningReason.NEW_MATERIAL_EVIDENCE, reason="A report.", by=cast.nora, now=later(24)
    )
    determinations.approve(prior_auth_id=key, by=cast.rae, now=later(25))

    decisions = denied.determinations.order_by("decided_at")
    first, second = (paper_words(letter_bytes(denied, row.public_id, cast.rae)) for row in decisions)
    assert "This takes the place of our decision of 2025-03-03." in second
    assert "We have denied this request." in first


def test_an_approval_is_told_in_a_letter_with_its_authorization(cast: Cast) -> None:
    approved = determinations.approve(prior_auth_id=key_of(stage.in_review(cast)), by=cast.rae, now=NOW)

    words = letter_of(approved, cast.jones)
    assert "We have approved this request as it was asked." in words
    assert approved.authorizations.get().number in words
    assert "If you do not agree" not in words
    with pytest.raises(NotFound):
        letter_bytes(approved, approved.determinations.get().public_id, cast.oscar)
