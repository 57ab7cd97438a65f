"""Answers to a request's questions: from somewhere, confirmed by a person, asked once, as fresh as the payer needs."""

from datetime import date, timedelta

import pytest
from django.conf import LazySettings

from authz.documentation import catalog
from authz.documentation.models import Answer
from authz.documentation.questionnaire import Source
from authz.documentation.standing import Standing
from authz.errors import InvalidInput
from authz.ids import FillId
from authz.prior_auths import selectors
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import determinations, intake, request
from authz.prior_auths.services.request import NotReady
from authz.rules.pain_signal import Instrument
from authz.rules.records import RecordStatus
from tests import cast as stage
from tests.cast import NOW, TODAY, Cast, key_of, later
from tests.pain import stage as pain_stage

HYDROCODONE_5, OXYCODONE_10, MORPHINE_ER_15 = "857002", "1049611", "891881"
BUPRENORPHINE_NALOXONE, ALPRAZOLAM = "1010600", "308047"


def answer(prior_auth: PriorAuth, by: stage.Actor, /, source: Source | None = None, **answers: object) -> None:
    said = {name.replace("__", "."): value for name, value in answers.items()}
    request.answer_questions(prior_auth_id=key_of(prior_auth), answers=said, source=source, by=by, now=NOW)  # type: ignore[arg-type]


def taken_up(cast: Cast, prior_auth: PriorAuth | None = None) -> PriorAuth:
    key = key_of(prior_auth or stage.detected(cast))
    return request.take_up(prior_auth_id=key, by=cast.stella, now=NOW)


def kept(prior_auth: PriorAuth) -> dict[str, Answer]:
    assert prior_auth.answers is not None
    return {row.question: row for row in prior_auth.answers.answers.all()}


def renewal(cast: Cast, *, by: stage.Actor | None = None) -> PriorAuth:
    """Return a further request for a patient whose first one was approved; at Riverside, unless somebody else fills."""
    first = stage.in_review(cast)
    determinations.approve(prior_auth_id=key_of(first), by=cast.rae, now=NOW)
    stage.fill(cast, first.patient, 10, on=TODAY + timedelta(days=10), by=by, now=later(24 * 10))
    return PriorAuth.objects.exclude(pk=first.pk).get()


def test_an_answer_knows_where_it_was_taken_from(cast: Cast) -> None:
    prior_auth = taken_up(cast)

    answer(prior_auth, cast.stella, source=Source.CHART, dx__code="M54.50")
    answer(prior_auth, cast.stella, pain__type="acute")
    answer(prior_auth, cast.jones, benzo__concurrent=False)

    assert {name: kept(prior_auth)[name].source for name in ("dx.code", "pain.type", "benzo.concurrent")} == {
        "dx.code": "chart", "pain.type": "staff", "benzo.concurrent": "prescriber",
    }  # fmt: skip


def test_an_answer_can_be_taken_back(cast: Cast) -> None:
    prior_auth = taken_up(cast)
    answer(prior_auth, cast.stella, dx__code="M54.50")

    answer(prior_auth, cast.stella, dx__code=None)

    assert "dx.code" not in kept(prior_auth)


@pytest.mark.parametrize(
    ("question", "value", "says"),
    [
        ("req.mme_daily", "1.00", "This is computed"),
        ("req.mme_daily", None, "This is computed"),
        ("peg.score", "6.7", "This follows from other answers."),
        ("pain.cause", "A fall", "This question does not apply to the request."),
        ("pr.dea", "AB1234563", "This question does not apply to the request."),
        ("doc.notes", "see the file", "Attach a document instead."),
    ],
)
def test_what_is_not_for_anybody_to_answer_is_refused(cast: Cast, question: str, value: str, says: str) -> None:
    prior_auth = taken_up(cast)

    with pytest.raises(InvalidInput) as refusal:
        answer(prior_auth, cast.stella, **{question: value})

    assert refusal.value.fields[f"answers.{question}"][0].startswith(says)


def test_an_answer_and_what_follows_from_it_can_be_said_at_once(cast: Cast) -> None:
    prior_auth = taken_up(cast)

    answer(prior_auth, cast.stella, pain__type="acute", pain__cause="A fall on March 1")

    assert kept(prior_auth)["pain.cause"].value == "A fall on March 1"


def test_a_computed_score_is_shown_and_sent_though_nobody_gave_it(cast: Cast) -> None:
    prior_auth = stage.drafted(cast)
    answer(prior_auth, cast.stella, pain__type="chronic", peg__1=10, peg__2=5, peg__3=5)
    answer(prior_auth, cast.jones, pr__attest=True)

    packet = request.submit(prior_auth_id=key_of(prior_auth), by=cast.stella, now=NOW).packet

    assert packet is not None
    sent = {one["question"]: (one["value"], one["source"]) for one in packet["answers"]}
    assert sent["peg.score"] == ("6.7", "computed")


def test_what_was_confirmed_before_is_offered_again_and_asked_once(cast: Cast) -> None:
    second = taken_up(cast, renewal(cast))

    carried = kept(second)["dx.code"]
    assert (carried.value, carried.source, carried.confirmed_at) == ("M54.50", "prior_request", None)
    assert carried.answered_at == NOW
    assert kept(second)["req.type"].value == "continuation"
    for anew in ("pr.attest", "pdmp.checked", "plan.followup"):
        assert anew not in kept(second)


def test_no_answer_is_carried_to_another_clinic(cast: Cast) -> None:
    first = stage.in_review(cast)
    determinations.approve(prior_auth_id=key_of(first), by=cast.rae, now=NOW)
    member = first.coverage.member_id if first.coverage else ""
    there = stage.register(cast, by=cast.mallory, insured=False, member_id=member)
    assert there == first.patient
    stage.fill(cast, there, 10, on=TODAY + timedelta(days=10), by=cast.mallory, now=later(24 * 10))
    second = PriorAuth.objects.exclude(pk=first.pk).get()
    assert second.clinic == cast.hillside

    request.take_up(prior_auth_id=key_of(second), by=cast.mallory, now=NOW)

    assert {row.source for row in kept(second_of(second)).values()} == {"computed"}
    assert kept(second_of(second))["req.type"].value == "new", "what another clinic was granted is not told"


def second_of(prior_auth: PriorAuth) -> PriorAuth:
    return PriorAuth.objects.get(pk=prior_auth.pk)


def test_answers_of_more_than_a_month_ago_must_be_confirmed_again(cast: Cast) -> None:
    prior_auth = stage.drafted(cast)

    with pytest.raises(NotReady) as refusal:
        request.submit(prior_auth_id=key_of(prior_auth), by=cast.stella, now=later(24 * 31))

    assert refusal.value.fields["answers.dx.code"][0].startswith("Confirm again, it was confirmed on 2025-03-03")
    assert len(refusal.value.fields) == 11


def test_a_sheet_stays_on_the_version_it_was_started_under(cast: Cast) -> None:
    prior_auth = taken_up(cast)
    assert prior_auth.answers is not None
    prior_auth.answers.questionnaire = "opioid-1"
    prior_auth.answers.save()

    seen = selectors.questions(cast.stella, key_of(prior_auth), now=NOW)

    assert [one.question.link_id for one in seen.standings][:2] == ["use.days", "dx.code"]
    assert all(one.is_required for one in seen.standings)


def test_the_urgency_that_was_answered_holds_unless_another_is_said(cast: Cast) -> None:
    answered, said = stage.drafted(cast), stage.drafted(cast)
    for prior_auth in (answered, said):
        answer(prior_auth, cast.stella, req__urgency="expedited")
        answer(prior_auth, cast.jones, pr__attest=True)

    first = request.submit(prior_auth_id=key_of(answered), by=cast.stella, now=NOW)
    second = request.submit(prior_auth_id=key_of(said), urgency=Urgency.STANDARD, by=cast.stella, now=NOW)

    assert (first.urgency, second.urgency) == ("expedited", "standard")


def test_ort_oud_is_scored_here_where_it_is_switched_on_and_its_answers_are_never_sent(
    cast: Cast, settings: LazySettings
) -> None:
    settings.ORT_OUD = True
    prior_auth = taken_up(cast)
    needed = ("req.type", "req.mme_daily", "req.days_used")
    answer(prior_auth, cast.stella, **{name: kept(prior_auth)[name].value for name in needed}, **stage.ANSWERS)
    items = {f"ortoud.{number}": number <= 3 for number in range(1, 10) if number != 7}
    answer(prior_auth, cast.stella, **{"pain.type": "chronic", "risk.tool": "ORT-OUD"})
    answer(prior_auth, cast.stella, **items, **{"ortoud.7": kept(prior_auth)["ortoud.7"].value})
    answer(prior_auth, cast.jones, pr__attest=True)

    packet = request.submit(prior_auth_id=key_of(prior_auth), by=cast.stella, now=NOW).packet

    assert packet is not None
    sent = {one["question"]: one["value"] for one in packet["answers"] if one["question"].startswith("ortoud")}
    assert sent == {"ortoud.score": 3, "ortoud.category": "high"}


def test_what_the_chart_has_on_pain_is_offered_with_its_own_day_and_sent_only_once_confirmed(cast: Cast) -> None:
    prior_auth = stage.detected(cast)
    for pain, ago in ((10, 5), (7, 2)):
        pain_stage.score(
            cast, prior_auth.patient, pain, days_ago=ago, instrument=Instrument.PEG, enjoyment=5, activity=5
        )
    pain_stage.score(cast, prior_auth.patient, 8, days_ago=1)
    prior_auth = taken_up(cast, prior_auth)

    offered = kept(prior_auth)
    told = {
        name: (offered[name].value, offered[name].source) for name in ("peg.1", "peg.2", "pain.nrs", "peg.baseline")
    }
    assert told == {
        "peg.1": (7, "chart"),
        "peg.2": (5, "chart"),
        "pain.nrs": (8, "chart"),
        "peg.baseline": ("6.6667", "chart"),
    }
    assert (offered["peg.1"].answered_at.date(), offered["peg.1"].confirmed_at) == (date(2025, 3, 1), None)

    computed = {name: row.value for name, row in offered.items() if row.source == "computed"}
    answer(prior_auth, cast.stella, **(computed | stage.ANSWERS | {"pain.type": "chronic", "peg.1": 7}))
    answer(prior_auth, cast.jones, pr__attest=True)
    packet = request.submit(prior_auth_id=key_of(prior_auth), by=cast.stella, now=NOW).packet

    assert packet is not None
    sent = {one["question"]: (one["value"], one["answered_on"]) for one in packet["answers"]}
    assert sent["peg.1"] == (7, "2025-03-01")
    assert "peg.2" not in sent
    assert "pain.nrs" not in sent


def test_a_score_of_long_ago_of_another_clinic_or_in_error_is_not_offered(cast: Cast) -> None:
    prior_auth = stage.detected(cast)
    peg = {"instrument": Instrument.PEG, "enjoyment": 5, "activity": 5}
    pain_stage.score(cast, prior_auth.patient, 7, days_ago=31, **peg)
    pain_stage.score(cast, prior_auth.patient, 7, days_ago=3, status=RecordStatus.ENTERED_IN_ERROR, **peg)
    member = prior_auth.coverage.member_id if prior_auth.coverage else ""
    there = stage.register(cast, by=cast.mallory, insured=False, member_id=member)
    pain_stage.score(cast, there, 7, by=cast.mallory, days_ago=2, **peg)

    offered = kept(taken_up(cast, prior_auth))

    assert not [name for name in offered if name.startswith("peg.")]


def test_what_was_answered_to_the_version_before_is_offered_again_on_the_next(cast: Cast) -> None:
    second = renewal(cast)
    first = PriorAuth.objects.exclude(pk=second.pk).get()
    assert first.answers is not None
    first.answers.questionnaire = "opioid-2"
    first.answers.save()

    carried = kept(taken_up(cast, second))["dx.code"]

    assert second_of(second).answers.questionnaire == catalog.CURRENT  # type: ignore[union-attr]
    assert (carried.value, carried.source) == ("M54.50", "prior_request")


def test_an_important_answer_older_than_the_payer_asks_for_is_sent_and_marked(cast: Cast) -> None:
    prior_auth = stage.drafted(cast)
    answer(prior_auth, cast.stella, pr__contact="Stella, 555-0100")
    month_on = later(24 * 31)
    again = {name: row.value for name, row in kept(prior_auth).items() if name not in ("pr.contact", "pr.attest")}
    again |= {"plan.followup": "2025-04-10"}
    request.answer_questions(prior_auth_id=key_of(prior_auth), answers=again, by=cast.stella, now=month_on)  # type: ignore[arg-type]
    request.answer_questions(prior_auth_id=key_of(prior_auth), answers={"pr.attest": True}, by=cast.jones, now=month_on)

    packet = request.submit(prior_auth_id=key_of(prior_auth), by=cast.stella, now=month_on).packet

    assert packet is not None
    assert [one["question"] for one in packet["answers"] if one["is_stale"]] == ["pr.contact"]
    read = selectors.answers(cast.rae, key_of(prior_auth), now=month_on).answers
    assert [one.question for one in read if one.is_stale] == ["pr.contact"]


def asked(cast: Cast, prior_auth: PriorAuth) -> dict[str, Standing]:
    seen = selectors.questions(cast.stella, key_of(prior_auth), now=NOW)
    return {one.question.link_id: one for one in seen.standings}


@pytest.mark.parametrize(
    ("rxcui", "days_later", "is_asked"),
    [
        (HYDROCODONE_5, 9, True),
        (HYDROCODONE_5, 10, False),
        (OXYCODONE_10, 0, False),
        (MORPHINE_ER_15, 0, False),
        (ALPRAZOLAM, 0, False),
    ],
)
def test_two_short_acting_ingredients_at_once_are_asked_about_whatever_the_policy_looks_for(
    cast: Cast, rxcui: str, days_later: int, is_asked: bool
) -> None:
    prior_auth = stage.detected(cast)
    stage.fill(cast, prior_auth.patient, 5, rxcui=rxcui, on=TODAY + timedelta(days=days_later), now=later(24 * 10))

    assert ("tx.duplicate" in asked(cast, taken_up(cast, prior_auth))) is is_asked


def test_a_medicine_for_opioid_use_disorder_on_record_asks_about_naloxone_and_one_reversed_does_not(cast: Cast) -> None:
    prior_auth = stage.detected(cast)
    medicine, _ = stage.fill(cast, prior_auth.patient, 5, rxcui=BUPRENORPHINE_NALOXONE)
    prior_auth = taken_up(cast, prior_auth)
    assert "nalox.offered" in asked(cast, prior_auth)

    intake.reverse_fill(fill_id=FillId(medicine.public_id), by=cast.stella, now=NOW)

    assert "nalox.offered" not in asked(cast, prior_auth)


def test_a_review_beyond_four_weeks_is_warned_of_and_one_within_is_not(cast: Cast) -> None:
    prior_auth = taken_up(cast)
    first = prior_auth.pa_required_from

    for days, warned in ((28, False), (29, True)):
        answer(prior_auth, cast.stella, plan__followup=(first + timedelta(days=days)).isoformat())
        assert bool(asked(cast, prior_auth)["plan.followup"].warnings) is warned


def test_a_benzodiazepine_on_record_is_filled_in_though_the_policy_does_not_look_for_it(cast: Cast) -> None:
    cast.plan.policy = "fl_law_2018"
    cast.plan.save()
    patient = stage.register(cast)
    stage.fill(cast, patient, 10, rxcui=ALPRAZOLAM)
    stage.fill(cast, patient, 10)

    assert kept(taken_up(cast, PriorAuth.objects.get()))["benzo.concurrent"].value is True
