"""The questions an insurer needs answered, and what is wrong with an answer."""

import pytest

from authz.documentation.questionnaire import JsonValue, Kind, Question, questionnaire

OPIOID = questionnaire("opioid")


@pytest.mark.parametrize(
    ("link_id", "value"),
    [
        ("dx.code", "M54.50"),
        ("dx.code", "C50"),
        ("pain.type", "acute"),
        ("pain.why_longer", "x" * 20),
        ("pdmp.checked", False),
        ("plan.followup", "2025-03-10"),
        ("pr.attest", True),
    ],
)
def test_a_right_answer_has_no_fault(link_id: str, value: JsonValue) -> None:
    question = OPIOID.question(link_id)

    assert question is not None
    assert question.fault(value) == ""


@pytest.mark.parametrize(
    ("link_id", "value", "sentence"),
    [
        ("dx.code", "back pain", "Give an ICD-10-CM code, such as M54.50."),
        ("dx.code", 7, "A text of at most 4000 characters is needed."),
        ("pain.type", "severe", "Choose one of: acute, subacute, chronic, post-surgical, cancer, other."),
        ("pain.why_longer", "because", "At least 20 characters are needed."),
        ("pain.why_longer", "x" * 4001, "A text of at most 4000 characters is needed."),
        ("pdmp.checked", "yes", "Answer true or false."),
        ("plan.followup", "2025-02-30", "Give a day as YYYY-MM-DD."),
        ("plan.followup", "20250310", "Give a day as YYYY-MM-DD."),
        ("pr.attest", False, "This must be true before the request can be submitted."),
    ],
)
def test_a_wrong_answer_is_told_in_a_sentence(link_id: str, value: JsonValue, sentence: str) -> None:
    question = OPIOID.question(link_id)

    assert question is not None
    assert question.fault(value) == sentence


def test_every_question_is_required_until_a_person_confirmed_it() -> None:
    everything = {question.link_id for question in OPIOID.questions}

    assert OPIOID.unanswered(everything) == []
    assert [question.link_id for question in OPIOID.unanswered(everything - {"dx.code"})] == ["dx.code"]


def test_question_ids_are_unique_and_choices_have_options() -> None:
    ids = [question.link_id for question in OPIOID.questions]

    assert len(ids) == len(set(ids))
    assert all(bool(question.options) == (question.type is Kind.CHOICE) for question in OPIOID.questions)


def test_an_attestation_is_the_prescribers_alone() -> None:
    attestation: Question | None = OPIOID.question("pr.attest")

    assert attestation is not None
    assert attestation.only_prescriber
