"""Which questions apply, which of them a payer needs, and what is still to do."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from authz.documentation import catalog
from authz.documentation.conditions import JsonValue
from authz.documentation.questionnaire import Source
from authz.documentation.requirements import Requirements
from authz.documentation.standing import Given, Sheet, Standing, missing, standing

TODAY = date(2025, 3, 3)
LISTS = {policy: found for (policy, asked), found in catalog.requirement_lists().items() if asked == catalog.CURRENT}


def said(value: JsonValue, *, confirmed: date | None = TODAY) -> Given:
    return Given(value=value, source=Source.STAFF, answered_on=TODAY, confirmed_on=confirmed)


def sheet(requirements: Requirements | None = LISTS["default"], **answers: JsonValue | Given) -> Sheet:
    given = {name.replace("__", "."): value for name, value in answers.items()}
    return Sheet(
        questionnaire=catalog.questionnaire(catalog.CURRENT),
        requirements=requirements,
        given={name: value if isinstance(value, Given) else said(value) for name, value in given.items()},
        on=TODAY,
    )


def by_id(known: Sheet) -> dict[str, Standing]:
    return {one.question.link_id: one for one in standing(known)}


def test_any_payer_needs_a_dozen_answers_and_everything_else_holds_nothing_up() -> None:
    found = standing(sheet())

    assert [one.question.link_id for one in found if one.is_missing] == [
        "req.type", "req.mme_daily", "req.days_used", "ex.reason", "dx.code", "pain.type", "pdmp.checked",
        "benzo.concurrent", "plan.followup", "pr.attest",
    ]  # fmt: skip
    assert "plan.lowest_dose" in by_id(sheet())


def test_an_answer_brings_the_questions_that_follow_from_it() -> None:
    before, after = by_id(sheet()), by_id(sheet(pain__type="chronic", ex__reason="none", req__mme_daily="120.00"))

    assert {
        "peg.1",
        "tx.nonopioid",
        "plan.high_mme",
        "pain.why_longer",
        "nalox.offered",
    } <= after.keys() - before.keys()
    assert "pain.cause" not in after


def test_an_answer_to_a_question_that_applies_no_more_decides_nothing() -> None:
    found = by_id(sheet(pain__type="acute", uds__done="done"))

    assert "uds.done" not in found
    assert "uds.date" not in found


def test_a_payers_list_makes_a_question_apply_and_be_needed() -> None:
    arizona = by_id(sheet(LISTS["az_2018"], pain__type="acute"))

    assert arizona["uds.done"].is_missing
    assert arizona["doc.notes"].to_do == "Attach: Chart notes or other documents"
    assert not by_id(replace(sheet(LISTS["az_2018"]), attached={"doc.notes"}))["doc.notes"].is_missing


def test_where_no_list_speaks_of_the_version_all_that_it_asks_is_needed() -> None:
    first = replace(sheet(None), questionnaire=catalog.questionnaire("opioid-1"))

    assert len(missing(standing(first))) == len(first.questionnaire.questions) == 8


def test_a_prefilled_answer_counts_only_once_a_person_confirmed_it() -> None:
    unconfirmed = by_id(sheet(dx__code=said("M54.50", confirmed=None)))["dx.code"]

    assert (unconfirmed.is_missing, unconfirmed.counts) == (True, False)
    assert by_id(sheet(dx__code="M54.50"))["dx.code"].counts


def test_an_answer_that_is_too_old_must_be_confirmed_again() -> None:
    on_the_last_day, a_day_later = TODAY - timedelta(days=30), TODAY - timedelta(days=31)

    fresh = by_id(sheet(dx__code=said("M54.50", confirmed=on_the_last_day)))["dx.code"]
    stale = by_id(sheet(dx__code=said("M54.50", confirmed=a_day_later)))["dx.code"]

    assert fresh.to_do == ""
    assert stale.to_do.startswith("Confirm again, it was confirmed on 2025-01-31")
    assert stale.is_missing
    assert (fresh.is_stale, stale.is_stale) == (False, True)


def test_an_important_answer_that_is_too_old_holds_nothing_up_and_is_known_to_be_so() -> None:
    a_day_later = TODAY - timedelta(days=31)

    stale = by_id(sheet(pain__type="chronic", plan__goals=said("To walk.", confirmed=a_day_later)))["plan.goals"]

    assert (stale.is_missing, stale.counts, stale.is_stale) == (False, True, True)


def test_nothing_is_stale_that_nobody_confirmed() -> None:
    assert not by_id(sheet(dx__code=said("M54.50", confirmed=None)))["dx.code"].is_stale


def test_a_day_too_long_ago_is_asked_for_anew() -> None:
    found = by_id(sheet(LISTS["az_2018"], pdmp__checked=True, pdmp__date="2025-01-01"))["pdmp.date"]

    assert found.to_do == "This must not be more than 30 days ago: On which day?"
    assert found.is_missing


def test_a_score_is_there_as_soon_as_its_answers_are() -> None:
    found = by_id(sheet(pain__type="chronic", peg__1=10, peg__2=5, peg__3=5))

    assert (found["peg.score"].value, found["peg.score"].counts) == ("6.7", True)
    assert "peg.score" not in by_id(sheet(pain__type="chronic", peg__1=10))


def test_a_code_for_pain_alone_warns_and_holds_nothing_up() -> None:
    for code in ("R52", "G89.29", "G89.4"):
        found = by_id(sheet(dx__code=code))["dx.code"]
        assert "pain alone" in found.warnings[0]
        assert not found.is_missing
    assert by_id(sheet(dx__code="M54.50"))["dx.code"].warnings == ()


@pytest.mark.parametrize(("settings", "asked"), [(set(), "risk.score"), ({"ort-oud"}, "ortoud.1")])
def test_ort_oud_is_filled_in_only_where_it_is_switched_on(settings: set[str], asked: str) -> None:
    found = by_id(replace(sheet(pain__type="chronic", risk__tool="ORT-OUD"), settings=settings))

    assert [name for name in ("risk.score", "ortoud.1") if name in found] == [asked]


def test_a_second_opioid_of_the_same_kind_must_be_explained_where_the_payer_asks() -> None:
    known = sheet(LISTS["part_d_2019"])

    assert "tx.duplicate" not in by_id(sheet())
    assert by_id(replace(known, facts={"two-of-a-kind"}))["tx.duplicate"].is_missing


@pytest.mark.parametrize(
    "known",
    [
        sheet(dx__code="G47.33"),
        sheet(dx__code="F11.20"),
        sheet(ex__reason="opioid_use_disorder_treatment"),
        replace(sheet(), facts={"treated-for-oud"}),
    ],
)
def test_naloxone_is_asked_about_with_sleep_apnea_and_with_an_opioid_use_disorder_on_record(known: Sheet) -> None:
    assert "nalox.offered" in by_id(known)
    assert "nalox.offered" not in by_id(sheet(dx__code="M54.50"))


def test_side_effects_are_asked_of_every_request_so_that_nobody_learns_of_a_pain_signal() -> None:
    assert "plan.side_effects" in by_id(sheet(req__type="new"))


def test_the_score_before_opioids_is_asked_of_every_continuation() -> None:
    assert "peg.baseline" in by_id(sheet(req__type="continuation", pain__type="cancer"))


def test_a_late_review_is_warned_of() -> None:
    found = by_id(replace(sheet(plan__followup="2025-06-01"), facts={"late-review"}))["plan.followup"]

    assert found.warnings[0].startswith("That is late")
    assert not found.is_missing
