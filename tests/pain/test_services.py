"""Scores and surgeries are kept in every version, and a prescriber hears once of each new signal."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from authz.audit.models import AuditEntry
from authz.errors import Forbidden, InvalidInput, NotFound
from authz.ids import FillId, IdentityQuestionId, PainScoreId, PatientId, SurgeryId
from authz.outbox.models import OutboxMessage
from authz.pain import services
from authz.pain.models import PainHint, PainScore, PainScoreVersion, SurgeryVersion
from authz.prescriptions.facts import ExemptionFacts
from authz.prescriptions.models import Fill, IdentityQuestion, Patient
from authz.prescriptions.services import RecordOutcome, link_log_in, record_prescriber
from authz.prior_auths.services import intake
from authz.rules.pain_signal import Instrument
from authz.rules.records import ExemptionCategory
from tests import cast as stage
from tests.cast import NOW, TODAY, Cast, later
from tests.pain.stage import (
    LATELY,
    ago,
    half_a_year_dispensed,
    hinted,
    on_opioids,
    pain_rose,
    score,
    score_facts,
    surgery,
    switch_on,
)


def told() -> int:
    """Return how often a hint was announced."""
    return OutboxMessage.objects.filter(topic=services.HINT_FOUND).count()


# -- what is recorded -------------------------------------------------------------------------------------------------
def test_a_score_told_again_changes_nothing_and_told_otherwise_adds_a_version(cast: Cast) -> None:
    patient = stage.register(cast)

    outcomes = [score(cast, patient, pain)[1] for pain in (4, 4, 5)]

    assert outcomes == [RecordOutcome.CREATED, RecordOutcome.UNCHANGED, RecordOutcome.CORRECTED]
    versions = PainScoreVersion.objects.order_by("version")
    assert list(versions.values_list("version", "pain", "recorded_on", "recorded_by")) == [
        (1, 4, TODAY, "Stella Marsh"),
        (2, 5, TODAY, "Stella Marsh"),
    ]


def test_an_older_telling_that_comes_late_changes_nothing(cast: Cast) -> None:
    patient = stage.register(cast)
    score(cast, patient, 5, source_updated_at=later(2))

    _, outcome = score(cast, patient, 4, source_updated_at=later(1))

    assert outcome is RecordOutcome.UNCHANGED


def test_what_is_taken_back_stays_in_the_record(cast: Cast) -> None:
    patient = stage.register(cast)
    row, _ = score(cast, patient, 4)
    operated = surgery(cast, patient, days_ago=3)

    services.take_back_score(score_id=PainScoreId(row.public_id), by=cast.jones, now=later(1))
    _, again = services.take_back_score(score_id=PainScoreId(row.public_id), by=cast.jones, now=later(2))
    services.take_back_surgery(surgery_id=SurgeryId(operated.public_id), by=cast.stella, now=later(1))

    assert again is RecordOutcome.UNCHANGED
    expected = ["active", "entered_in_error"]
    assert list(PainScoreVersion.objects.order_by("version").values_list("status", flat=True)) == expected
    assert list(SurgeryVersion.objects.order_by("version").values_list("status", flat=True)) == expected


def test_a_number_of_another_patient_is_refused(cast: Cast) -> None:
    score(cast, stage.register(cast), 4)

    with pytest.raises(InvalidInput, match="not right"):
        score(cast, stage.register(cast), 4)

    assert PainScoreVersion.objects.count() == 1


def test_no_stranger_and_no_insurer_records_or_takes_back(cast: Cast) -> None:
    patient = stage.register(cast)
    row, _ = score(cast, patient, 4)

    with pytest.raises(NotFound):
        score(cast, patient, 5, by=cast.mallory)
    with pytest.raises(NotFound):
        services.take_back_score(score_id=PainScoreId(row.public_id), by=cast.mallory, now=NOW)
    with pytest.raises(Forbidden):
        score(cast, patient, 5, by=cast.rae)

    assert PainScoreVersion.objects.count() == 1


@pytest.mark.parametrize("table", ["painscoreversion", "surgeryversion"])
@pytest.mark.parametrize("verb", ["UPDATE authz_{table} SET id = id", "DELETE FROM authz_{table}"])
def test_what_was_told_is_append_only(cast: Cast, table: str, verb: str) -> None:
    patient = stage.register(cast)
    score(cast, patient, 4)
    surgery(cast, patient, days_ago=3)

    with (
        pytest.raises(DatabaseError, match=r"append-only|permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(verb.format(table=table))


def test_the_database_itself_refuses_a_peg_of_one_answer(cast: Cast) -> None:
    row, _ = score(cast, stage.register(cast), 4)
    version = row.versions.get()
    version.pk, version.version, version.instrument = None, 2, Instrument.PEG.value

    with pytest.raises(DatabaseError, match="a_peg_has_three_answers"), transaction.atomic():
        version.save(force_insert=True)


# -- the switch -------------------------------------------------------------------------------------------------------
def test_a_clinic_has_the_signal_off_until_its_administrator_switches_it_on(cast: Cast) -> None:
    assert cast.riverside.has_pain_signal is False
    with pytest.raises(Forbidden):
        services.switch(is_on=True, by=cast.jones, now=NOW)

    switch_on(cast)
    switch_on(cast)

    assert cast.riverside.has_pain_signal is True
    trail = AuditEntry.objects.filter(subject_id=cast.riverside.public_id)
    assert list(trail.values_list("actor_name", "action")) == [("Priya Nair", "pain-signal-on")]


def test_no_insurer_has_the_switch_whatever_is_written(cast: Cast) -> None:
    cast.evergreen.has_pain_signal = True

    with pytest.raises(DatabaseError, match="only_a_clinic_has_a_pain_signal"), transaction.atomic():
        cast.evergreen.save()


def test_while_it_is_off_nobody_is_told(cast: Cast) -> None:
    pain_rose(cast, on_opioids(cast))

    assert told() == 0
    assert not PainHint.objects.exists()


# -- the hint ---------------------------------------------------------------------------------------------------------
def test_the_last_score_of_a_signal_tells_the_prescriber_of_the_opioid(cast: Cast) -> None:
    hint = hinted(cast)

    assert (hint.clinic, hint.prescriber, hint.found_on, hint.ended_at) == (
        cast.riverside,
        cast.prescriber,
        TODAY,
        None,
    )
    assert list(OutboxMessage.objects.filter(topic=services.HINT_FOUND).values_list("subject_id", flat=True)) == [
        hint.public_id
    ]


def test_a_fill_learned_late_can_complete_the_signal(cast: Cast) -> None:
    switch_on(cast)
    patient = stage.register(cast)
    pain_rose(cast, patient)
    assert told() == 0

    half_a_year_dispensed(cast, patient)

    assert told() == 1


def test_a_signal_that_goes_on_is_no_news(cast: Cast) -> None:
    patient = hinted(cast).patient

    score(cast, patient, 8)
    stage.fill(cast, patient, 30)
    surgery(cast, patient, days_ago=400)
    score(cast, patient, 7, days_ago=LATELY[1])

    assert told() == 1


def test_the_same_scores_are_no_news_after_they_were_taken_back_and_told_again(cast: Cast) -> None:
    hint = hinted(cast)
    row = PainScore.objects.get(identifier=score_facts(7, on=ago(LATELY[0])).identifier)

    services.take_back_score(score_id=PainScoreId(row.public_id), by=cast.stella, now=later(1))
    hint.refresh_from_db()
    assert hint.ended_at == later(1)
    score(cast, hint.patient, 7, days_ago=LATELY[0], now=later(2))

    hint.refresh_from_db()
    assert (told(), hint.ended_at) == (1, None)


def test_a_rise_after_one_that_was_a_typing_error_is_news(cast: Cast) -> None:
    patient = hinted(cast).patient
    score(cast, patient, 4, days_ago=LATELY[1])
    assert not PainHint.objects.filter(ended_at=None).exists()

    score(cast, patient, 9, days_ago=1)

    assert told() == 2


def test_a_signal_that_still_holds_a_period_later_is_told_again(cast: Cast) -> None:
    patient = hinted(cast).patient
    much_later = NOW + timedelta(days=91)
    stage.fill(cast, patient, 90, on=TODAY, now=NOW)

    for days, pain in ((40, 10), (85, 10)):
        score(cast, patient, pain, on=TODAY + timedelta(days=days), now=much_later)

    assert told() == 2
    assert PainHint.objects.filter(ended_at=None).count() == 1


@pytest.mark.parametrize("what", ["surgery", "exemption", "reversal"])
def test_what_explains_the_pain_or_takes_the_opioid_away_ends_the_hint(cast: Cast, what: str) -> None:
    hint = hinted(cast)
    key = PatientId(hint.patient.public_id)

    if what == "surgery":
        surgery(cast, hint.patient, days_ago=20)
    elif what == "exemption":
        facts = ExemptionFacts(category=ExemptionCategory.CANCER, starts_on=None, ends_on=None, evidence="C50.9")
        intake.record_exemption(patient_id=key, facts=facts, by=cast.stella, now=NOW)
    else:
        fill = Fill.objects.get(patient=hint.patient)
        intake.reverse_fill(fill_id=FillId(fill.public_id), by=cast.stella, now=NOW)

    hint.refresh_from_db()
    assert hint.ended_at == NOW


def test_each_clinic_has_its_own_scores_and_its_own_signal(cast: Cast) -> None:
    switch_on(cast)
    patient = stage.register(cast, insured=False)
    stage.insure(cast, patient, member_id="M-1")
    half_a_year_dispensed(cast, patient)
    same = stage.register(cast, member_id="M-1", by=cast.mallory, insured=False)
    assert same == patient

    for days_ago, pain in ((150, 4), (100, 4), (60, 7), (10, 7)):
        score(cast, patient, pain, days_ago=days_ago, by=cast.mallory if days_ago == 10 else None)

    assert told() == 0


def test_only_a_prescriber_of_the_clinic_is_told_as_soon_as_one_is_known(cast: Cast) -> None:
    record_prescriber(npi="1003000126", family_name="Voss", given_name="Mallory", by=cast.mallory, now=NOW)
    link_log_in(npi="1003000126", person=cast.people["mallory"], by=cast.mallory, now=NOW)
    switch_on(cast)
    patient = stage.register(cast)
    stage.fill(cast, patient, 180, on=ago(179), prescriber_npi="1003000126")

    pain_rose(cast, patient)
    assert told() == 0

    stage.fill(cast, patient, 5)

    assert (told(), PainHint.objects.get().prescriber) == (1, cast.prescriber)


def test_pain_and_hints_follow_a_patient_who_is_merged(cast: Cast) -> None:
    hint = hinted(cast, stage.register(cast, insured=False))
    survivor = stage.register(cast)
    stage.insure(cast, hint.patient, member_id=f"M-{survivor.public_id}")
    question = IdentityQuestion.objects.get()

    intake.answer_identity_question(
        question_id=IdentityQuestionId(question.public_id), is_same=True, by=cast.stella, now=later(1)
    )

    hint.refresh_from_db()
    assert Patient.objects.get(merged_into=None) == survivor
    assert (hint.patient, hint.ended_at, told()) == (survivor, None, 1)
    assert set(PainScore.objects.values_list("patient", flat=True)) == {survivor.pk}
