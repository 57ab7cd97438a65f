"""The packet as its readers need it: who stands behind what, why it is asked for, and all of it in words."""

from typing import Any

import pytest

from authz.access import selectors as access_selectors
from authz.access import services as access
from authz.access.roles import Actor, Role
from authz.documentation.catalog import CURRENT
from authz.documentation.paper_text import Facts, Grid, PaperText
from authz.documentation.services import files
from authz.ids import PatientId
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.new_fact import NewFact, StatedFact
from authz.prior_auths.packet_paper import packet_text
from authz.prior_auths.services import documents, intake, request
from tests import cast as stage
from tests.cast import NOW, Cast, key_of, later
from tests.documentation.samples import TEXT


def submitted(prior_auth: PriorAuth, by: Actor) -> PriorAuth:
    return request.submit(prior_auth_id=key_of(prior_auth), by=by, now=later(3))


def packet(prior_auth: PriorAuth) -> dict[str, Any]:
    assert prior_auth.packet is not None
    return prior_auth.packet


def answers(prior_auth: PriorAuth) -> dict[str, Any]:
    return {one["question"]: one for one in packet(prior_auth)["answers"]}


def on_paper(prior_auth: PriorAuth) -> PaperText:
    return packet_text(packet(prior_auth), sha256=prior_auth.packet_sha256)


def facts(paper: PaperText) -> dict[str, str]:
    return {name: said for block in paper.blocks if isinstance(block, Facts) for name, said in block.rows}


def rows(paper: PaperText, head: str) -> list[list[str]]:
    return [[*row] for block in paper.blocks if isinstance(block, Grid) and block.head[0] == head for row in block.rows]


def row_of(paper: PaperText, question: str) -> list[str]:
    (row,) = (row for row in rows(paper, "Question") if row[0].endswith(f"({question})"))
    return row[1:]


def attested_by(cast: Cast, colleague: Actor) -> PriorAuth:
    """Return a request that a colleague attested, because its prescriber has no log-in."""
    cast.prescriber.person = None
    cast.prescriber.save()
    key = key_of(request.take_up(prior_auth_id=key_of(stage.detected(cast)), by=cast.stella, now=NOW))
    known = dict(PriorAuth.objects.get(public_id=key).answers.answers.values_list("question", "value"))
    request.answer_questions(prior_auth_id=key, answers=known | stage.ANSWERS, by=cast.stella, now=NOW)
    return request.answer_questions(prior_auth_id=key, answers={"pr.attest": True}, by=colleague, now=later(2))


@pytest.fixture
def lo(cast: Cast) -> Actor:
    """Dr Lo, who prescribes at Riverside, too."""
    lo = access.create_person(email="lo@example.org", full_name="Dr Lo", password=stage.PASSWORD)
    access.add_membership(person=lo, organization=cast.riverside, role=Role.PRESCRIBER)
    return access_selectors.actor_for(person=lo, organization=cast.riverside)


def test_the_packet_says_who_attested_which_text_and_when_and_whether_that_is_the_prescriber(
    cast: Cast, lo: Actor
) -> None:
    by_colleague = submitted(attested_by(cast, lo), cast.stella)

    (attested,) = packet(by_colleague)["attestations"]
    assert attested == {
        "question": "pr.attest",
        "text": "I attest that this is accurate and supported by the medical record",
        "text_version": CURRENT,
        "by": "Dr Lo",
        "is_the_prescriber": False,
        "at": later(2).isoformat(),
    }
    said = facts(on_paper(by_colleague))[f"{attested['text']} (pr.attest of {CURRENT})"]
    assert said == "Dr Lo, a prescriber of Riverside Clinic, Monday 3 March 2025, 12:00 EST"


def test_the_prescriber_who_attests_is_told_as_the_prescriber(cast: Cast) -> None:
    (attested,) = packet(stage.queued(cast))["attestations"]

    assert (attested["by"], attested["is_the_prescriber"]) == ("Dr Jones", True)


def test_every_answer_says_which_day_it_is_of_and_who_confirmed_it(cast: Cast) -> None:
    drafted = stage.drafted(cast)
    tess = stage.colleague(cast)
    request.answer_questions(prior_auth_id=key_of(drafted), answers={"dx.code": "M54.50"}, by=tess, now=later(48))

    sent = request.submit(prior_auth_id=key_of(drafted), by=cast.stella, now=later(48))

    assert (answers(sent)["dx.code"]["confirmed_by"], answers(sent)["pr.attest"]["confirmed_by"]) == (
        "Tess Ito", "Dr Jones",
    )  # fmt: skip
    assert row_of(on_paper(sent), "dx.code") == ["M54.50", "staff 2025-03-03", "2025-03-05, Tess Ito"]


def test_an_answer_older_than_the_payer_asks_for_says_so_on_paper(cast: Cast) -> None:
    sent = stage.queued(cast)
    for one in packet(sent)["answers"]:
        one["is_stale"] = one["question"] == "dx.code"

    paper = on_paper(sent)

    assert row_of(paper, "dx.code")[-1] == "2025-03-03, Stella Marsh, older than the payer asks for"
    assert row_of(paper, "pain.type")[-1] == "2025-03-03, Stella Marsh"


def test_an_urgency_said_on_submission_is_confirmed_by_who_submits(cast: Cast) -> None:
    drafted = stage.drafted(cast)
    said = {"req.urgency": "standard", "pr.attest": True}
    request.answer_questions(prior_auth_id=key_of(drafted), answers=said, by=cast.jones, now=NOW)

    sent = request.submit(prior_auth_id=key_of(drafted), by=cast.stella, now=NOW, urgency=stage.Urgency.STANDARD)

    assert answers(sent)["req.urgency"]["confirmed_by"] == "Stella Marsh"


def test_what_is_new_after_a_denial_and_why_people_opened_it_go_with_the_packet(cast: Cast) -> None:
    denied = stage.denied(cast)
    fact = StatedFact(kind=NewFact.TEST_RESULT, sentence="The MRI shows non-union.")
    again = intake.open_request(
        patient_id=PatientId(denied.patient.public_id),
        reason="His surgeon asks for it.",
        new_fact=fact,
        by=cast.stella,
        now=later(3),
    )

    sent = submitted(answered(cast, again), cast.stella)

    assert packet(sent)["new_fact"] == {"kind": "test_result", "text": "The MRI shows non-union."}
    assert packet(sent)["reason"] == "His surgeon asks for it."
    told = facts(on_paper(sent))
    assert told["New since it was decided against"] == "Test result: The MRI shows non-union."
    assert told["Opened by people, because"] == "His surgeon asks for it."


def answered(cast: Cast, drafted: PriorAuth) -> PriorAuth:
    """Answer all of a request that was opened by hand."""
    key = key_of(drafted)
    assert drafted.answers is not None
    known = dict(drafted.answers.answers.values_list("question", "value"))
    request.answer_questions(prior_auth_id=key, answers=known | stage.ANSWERS, by=cast.stella, now=later(3))
    return request.answer_questions(prior_auth_id=key, answers={"pr.attest": True}, by=cast.jones, now=later(3))


def test_amounts_instants_choices_and_kinds_of_files_are_written_for_people(cast: Cast) -> None:
    drafted = stage.drafted(cast)
    note = files.inspect(content=TEXT)
    documents.attach(prior_auth_id=key_of(drafted), file=note, title="Note", shows=["dx.code"], by=cast.stella, now=NOW)

    paper = on_paper(submitted(drafted, cast.stella))

    assert rows(paper, "Line")[0][2] == "40"
    assert facts(paper)["Submitted"] == "Monday 3 March 2025, 13:00 EST by Stella Marsh"
    assert row_of(paper, "pain.type")[0] == "Post-surgical"
    assert rows(paper, "No.")[0][2] == "Plain text"


def test_a_packet_of_the_second_format_is_read_as_ever(cast: Cast) -> None:
    sent = stage.queued(cast)
    later_on = {"time_zone", "attestations", "reason", "new_fact"}
    old = {name: said for name, said in packet(sent).items() if name not in later_on} | {"format": "2"}
    old["answers"] = [{k: v for k, v in one.items() if k != "confirmed_by"} for one in old["answers"]]
    old["lines"][0]["quantity"] = "40.0000"

    paper = packet_text(old, sha256="")

    assert facts(paper)["Submitted"] == "Monday 3 March 2025, 15:00 UTC by Stella Marsh"
    assert rows(paper, "Line")[0][2] == "40"
    assert row_of(paper, "dx.code") == ["M54.50", "staff 2025-03-03", "2025-03-03"]
