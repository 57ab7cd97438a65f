"""Who a patient is: numbers and assigners, never names; and what one organization sees of another's."""

from datetime import date, timedelta

import pytest

from authz.errors import Forbidden, InvalidInput, NotFound
from authz.ids import IdentityQuestionId, PatientId, PlanId
from authz.prescriptions import selectors
from authz.prescriptions.facts import CoverageFacts, PatientFacts
from authz.prescriptions.models import Coverage, IdentityQuestion, Patient
from authz.prescriptions.services import RecordOutcome, record_prescriber, register_patient
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import intake
from tests.cast import NOW, TODAY, Cast, fill, insure, register


def test_the_same_number_is_the_same_patient(cast: Cast) -> None:
    assert register(cast, mrn="A-1", insured=False) == register(cast, mrn="A-1", insured=False)


def test_the_same_number_at_another_clinic_is_another_patient(cast: Cast) -> None:
    assert register(cast, mrn="A-1", insured=False) != register(cast, mrn="A-1", insured=False, by=cast.mallory)


def test_the_same_name_and_birth_date_are_not_the_same_patient(cast: Cast) -> None:
    assert register(cast, mrn="A-1", insured=False) != register(cast, mrn="A-2", insured=False)


def test_a_known_number_with_another_birth_date_is_refused(cast: Cast) -> None:
    register(cast, mrn="A-1", insured=False)

    with pytest.raises(InvalidInput) as refusal:
        register(cast, mrn="A-1", insured=False, birth_date=date(1980, 1, 1))

    assert set(refusal.value.fields) == {"birth_date"}
    assert Patient.objects.get().birth_date == date(1970, 5, 5)


def test_a_member_id_joins_clinics_when_the_birth_dates_agree(cast: Cast) -> None:
    here = register(cast, insured=False)
    insure(cast, here, member_id="M-1")

    assert register(cast, by=cast.mallory, member_id="M-1", insured=False) == here


def test_a_member_id_with_another_birth_date_becomes_a_question_for_a_person(cast: Cast) -> None:
    here = register(cast, insured=False)
    insure(cast, here, member_id="M-1")

    there = register(cast, by=cast.mallory, member_id="M-1", insured=False, birth_date=date(1999, 9, 9))

    assert there != here
    question = IdentityQuestion.objects.get()
    assert set(question.patients.all()) == {here, there}
    assert question.organization == cast.hillside


def test_a_coverage_under_another_patients_member_id_is_asked_about_and_not_recorded(cast: Cast) -> None:
    insure(cast, register(cast, insured=False), member_id="M-1")
    other = register(cast, insured=False)
    facts = CoverageFacts(
        plan_id=PlanId(cast.plan.public_id), member_id="M-1", starts_on=date(2024, 1, 1), ends_on=None
    )

    done = intake.record_coverage(patient_id=PatientId(other.public_id), facts=facts, by=cast.stella, now=NOW)

    assert done.coverage is None
    assert done.question == IdentityQuestion.objects.get()
    assert Coverage.objects.filter(patient=other).count() == 0


def _asked_whether_same(cast: Cast) -> tuple[Patient, Patient, IdentityQuestion]:
    """Return the patient everyone knows, the one only Hillside knows, and the question between them."""
    here = register(cast, insured=False)
    insure(cast, here, member_id="M-1")
    fill(cast, here, 5, on=TODAY - timedelta(days=5))
    there = register(cast, by=cast.mallory, member_id="M-1", insured=False, birth_date=date(1999, 9, 9))
    fill(cast, there, 5, by=cast.mallory)
    return here, there, IdentityQuestion.objects.get()


def test_a_person_who_says_they_are_one_joins_their_records_and_the_rule_looks_again(cast: Cast) -> None:
    here, there, question = _asked_whether_same(cast)
    assert not PriorAuth.objects.exists()

    intake.answer_identity_question(
        question_id=IdentityQuestionId(question.public_id), is_same=True, by=cast.mallory, now=NOW
    )

    assert PriorAuth.objects.get().patient == here
    assert selectors.patient(cast.mallory, PatientId(there.public_id)) == here, "the old id still finds the patient"


def test_a_person_who_says_they_are_two_changes_no_record(cast: Cast) -> None:
    here, there, question = _asked_whether_same(cast)

    intake.answer_identity_question(
        question_id=IdentityQuestionId(question.public_id), is_same=False, by=cast.mallory, now=NOW
    )

    assert selectors.patient(cast.mallory, PatientId(there.public_id)) == there != here
    assert not selectors.identity_questions(cast.mallory).exists()


def test_nobody_else_answers_a_clinics_question(cast: Cast) -> None:
    _, _, question = _asked_whether_same(cast)

    with pytest.raises(NotFound):
        intake.answer_identity_question(
            question_id=IdentityQuestionId(question.public_id), is_same=True, by=cast.stella, now=NOW
        )


def test_a_clinic_sees_only_the_names_it_typed_itself(cast: Cast) -> None:
    here = register(cast, insured=False)
    insure(cast, here, member_id="M-1")
    facts = PatientFacts(
        identifier="H-9",
        family_name="Typed at Hillside",
        given_name="P.",
        birth_date=date(1970, 5, 5),
        plan_id=PlanId(cast.plan.public_id),
        member_id="M-1",
    )
    register_patient(facts=facts, by=cast.mallory, now=NOW)

    seen = selectors.patient(cast.mallory, PatientId(here.public_id))

    assert [row.family_name for row in seen.own_identifiers] == ["Typed at Hillside"]


def test_a_stranger_finds_no_patient(cast: Cast) -> None:
    patient = register(cast)

    for stranger in (cast.mallory, cast.oscar):
        with pytest.raises(NotFound):
            selectors.patient(stranger, PatientId(patient.public_id))


def test_an_insurer_sees_its_member(cast: Cast) -> None:
    patient = register(cast)

    assert selectors.patient(cast.rae, PatientId(patient.public_id)) == patient


def test_a_reviewer_may_not_register_patients(cast: Cast) -> None:
    with pytest.raises(Forbidden):
        register(cast, by=cast.rae, insured=False)


def test_the_same_coverage_told_twice_is_recorded_once(cast: Cast) -> None:
    patient = register(cast)
    row = Coverage.objects.get(patient=patient)
    facts = CoverageFacts(
        plan_id=PlanId(cast.plan.public_id), member_id=row.member_id, starts_on=row.starts_on, ends_on=None
    )

    done = intake.record_coverage(patient_id=PatientId(patient.public_id), facts=facts, by=cast.stella, now=NOW)

    assert (done.coverage, done.outcome) == (row, RecordOutcome.UNCHANGED)


def test_a_prescriber_with_a_wrong_check_digit_is_refused(cast: Cast) -> None:
    with pytest.raises(InvalidInput) as refusal:
        record_prescriber(npi="1234567890", family_name="Wrong", given_name="D.", by=cast.stella, now=NOW)

    assert set(refusal.value.fields) == {"npi"}
