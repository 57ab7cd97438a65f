"""The questions an insurer needs answered, and what is wrong with an answer."""

from datetime import date

import pytest

from authz.documentation import catalog
from authz.documentation.conditions import JsonValue, condition
from authz.documentation.questionnaire import Kind, Question

OPIOID = catalog.questionnaire(catalog.CURRENT)
TODAY = date(2025, 3, 3)
DRUG = {"drug": "Ibuprofen", "from": "2025-01-02", "outcome": "partial"}

FACTS = """
req.type req.urgency req.urgency.reason req.drug req.sig req.quantity req.days_supply req.release req.start
req.duration_days req.mme_daily req.days_used ex.reason ex.evidence ex.start ex.end dx.code dx.onset pain.type
pain.cause pain.why_longer pain.nrs peg.1 peg.2 peg.3 peg.score peg.baseline peg.response tx.nonopioid
tx.nonopioid.none tx.nonpharm tx.nonpharm.none tx.preferred tx.duplicate pdmp.checked pdmp.date pdmp.finding
benzo.concurrent benzo.plan cns.other uds.done uds.date uds.consistent nalox.offered agreement.signed agreement.date
pregnancy risk.tool risk.date risk.score risk.category ortoud.1 ortoud.2 ortoud.3 ortoud.4 ortoud.5 ortoud.6 ortoud.7
ortoud.8 ortoud.9 ortoud.score plan.goals plan.lowest_dose plan.followup plan.taper plan.high_mme plan.specialist
plan.side_effects pr.npi pr.specialty pr.dea pr.contact pr.attest doc.notes
"""
"""Everything that the payers' forms and the guidelines ask."""


def question(link_id: str) -> Question:
    found = OPIOID.question(link_id)
    assert found is not None
    return found


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
        ("pain.nrs", 0),
        ("pain.nrs", 10),
        ("peg.baseline", "6.7"),
        ("ex.evidence", "Letter of the hospice"),
        ("tx.nonpharm", ["exercise", "tens"]),
        ("tx.nonpharm", ["none"]),
        ("tx.nonopioid", []),
        ("tx.nonopioid", [DRUG, {"drug": "Naproxen", "outcome": "not_tolerated"}]),
        ("pr.dea", "AB1234563"),
    ],
)
def test_a_right_answer_has_no_fault(link_id: str, value: JsonValue) -> None:
    assert question(link_id).fault(value, on=TODAY) == ""


@pytest.mark.parametrize(
    ("link_id", "value", "sentence"),
    [
        ("dx.code", "back pain", "Give an ICD-10-CM code, such as M54.50."),
        ("dx.code", 7, "Give an ICD-10-CM code, such as M54.50."),
        ("pain.type", "severe", "Choose one of: acute, subacute, chronic, post-surgical, cancer, other."),
        ("pain.why_longer", "because", "At least 20 characters are needed."),
        ("pain.why_longer", "x" * 4001, "A text of at most 4000 characters is needed."),
        ("pr.contact", "one\ntwo", "One line is needed, without control characters."),
        ("pdmp.checked", "yes", "Answer true or false."),
        ("plan.followup", "2025-02-30", "Give a day as YYYY-MM-DD."),
        ("plan.followup", "20250310", "Give a day as YYYY-MM-DD."),
        ("pdmp.date", "2025-03-04", "It must not be after today, 2025-03-03."),
        ("pr.attest", False, "This must be true before the request can be submitted."),
        ("pain.nrs", True, "A whole number is needed."),
        ("pain.nrs", 11, "It must be from 0 to 10."),
        ("peg.baseline", 6.7, "An exact number is needed, such as 12.5, with at most 4 decimals."),
        ("peg.baseline", "NaN", "An exact number is needed, such as 12.5, with at most 4 decimals."),
        ("peg.baseline", "10.1", "It must be from 0 to 10."),
        ("risk.score", "-1", "It must be at least 0."),
        ("tx.nonpharm", [], "Choose one or more of: physical_therapy, exercise, cbt, heat_or_ice, manual_therapy,"),
        ("tx.nonpharm", ["none", "tens"], "Choose none alone, or others."),
        ("tx.nonpharm", ["tens", "tens"], "Choose each only once."),
        ("tx.nonopioid", [{"drug": "Ibuprofen"}], "Row 1, outcome: Answer this."),
        ("tx.nonopioid", [DRUG, DRUG | {"from": "soon"}], "Row 2, from: Give a day as YYYY-MM-DD."),
        ("tx.nonopioid", [DRUG | {"dose": "400 mg"}], "Row 1, dose: There is no such column."),
        ("tx.nonopioid", [DRUG] * 21, "A list of at most 20 rows is needed; an empty one says that there are none."),
        ("pr.dea", "AB1234567", "Not a DEA number"),
        ("doc.notes", "see file", "Attach a document instead."),
    ],
)
def test_a_wrong_answer_is_told_in_a_sentence(link_id: str, value: JsonValue, sentence: str) -> None:
    assert question(link_id).fault(value, on=TODAY).startswith(sentence)


def test_everything_the_forms_ask_is_asked_and_each_question_says_who_asks_it() -> None:
    ids = [one.link_id for one in OPIOID.questions]

    assert set(FACTS.split()) <= set(ids)
    assert set(ids) - set(FACTS.split()) == {"req.mme_complete", "peg.baseline.on", "ortoud.category"}
    assert [one.link_id for one in OPIOID.questions if not one.source or not one.section] == []


def test_what_is_said_beside_a_question_is_in_words_and_not_in_codes() -> None:
    said = [one.note for one in OPIOID.questions]

    assert [note for note in said if "LOINC" in note or "SNOMED" in note] == []


def test_of_copyrighted_instruments_only_score_date_and_category_are_asked() -> None:
    of_tools = [one.link_id for one in OPIOID.questions if one.section == "risk"]

    assert of_tools == ["risk.tool", "risk.date", "risk.score", "risk.category"]


def test_no_item_of_ort_oud_is_ever_sent_and_none_is_asked_unless_it_is_switched_on() -> None:
    items = [question(f"ortoud.{number}") for number in range(1, 10)]

    assert all(one.private for one in items)
    assert all("ort-oud" in str(one.required_when) for one in items)


def test_the_second_version_asks_as_it_did_when_requests_were_started_under_it() -> None:
    second = catalog.questionnaire("opioid-2")
    duplicate, baseline = second.question("tx.duplicate"), second.question("peg.baseline")

    assert duplicate is not None
    assert duplicate.required_when == condition("known overlapping-opioids or payer asks")
    assert baseline is not None
    assert baseline.required_when == condition("req.type = continuation and pain.type in {subacute, chronic}")
    assert [one.link_id for one in second.questions] == [one.link_id for one in OPIOID.questions]


def test_the_first_version_is_kept_for_requests_that_were_started_under_it() -> None:
    first = catalog.questionnaire("opioid-1")

    assert [one.link_id for one in first.questions][:2] == ["use.days", "dx.code"]
    assert catalog.requirements("default", questionnaire="opioid-1") is None, "all that it asks is required"


def test_an_attestation_is_the_prescribers_alone() -> None:
    assert [one.link_id for one in OPIOID.questions if one.only_prescriber] == ["pr.attest"]


def test_every_kind_of_answer_is_asked_for() -> None:
    assert {one.type for one in OPIOID.questions} == set(Kind)


def test_an_exact_number_is_kept_as_its_text() -> None:
    assert question("peg.baseline").kept(7) == "7"
    assert question("risk.score").kept("1E+1") == "10"
