"""What a determined reviewer of the product once found broken, and must never find again."""

from collections.abc import Callable
from datetime import date, timedelta
from threading import Barrier, Thread
from time import monotonic

import pytest
from django.db import connection, connections, transaction

from authz.access.roles import Role
from authz.errors import InvalidInput, NotFound
from authz.ids import IdentityQuestionId, PatientId, PlanId
from authz.prescriptions import selectors as prescriptions
from authz.prescriptions.facts import CoverageFacts
from authz.prescriptions.models import Coverage, Fill, IdentityQuestion, Patient, PatientIdentifier
from authz.prescriptions.services import record_prescriber
from authz.prior_auths.determination import Grant
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import determinations, intake, questions, request
from authz.prior_auths.services.request import NotReady
from tests import cast as stage
from tests.cast import NOW, TODAY, Cast, fill, insure, key_of, later, register
from tests.prior_auths.test_review import REASON

OKAFOR_NPI = "1245319599"


def together(*acts: object) -> list[Exception]:
    """Do things at the same instant, and return what went wrong."""
    ready, failures = Barrier(len(acts)), []

    def run(act: object) -> None:
        try:
            ready.wait(timeout=10)
            assert callable(act)
            act()
        except Exception as failure:  # noqa: BLE001 - a thread's failure must reach the test
            failures.append(failure)
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return failures


def quietly(act: Callable[[], object]) -> None:
    """Do something in a thread of its own; what became of it shows in the tables."""
    try:
        act()
    finally:
        connections.close_all()


def wait_for_waiters(count: int) -> None:
    """Wait until so many transactions wait for a lock."""
    deadline = monotonic() + 10
    while monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0] >= count:
                return
    raise AssertionError(f"{count} transactions never waited")


def test_a_patient_merged_once_is_not_merged_again_into_somebody_else(cast: Cast) -> None:
    first, second = register(cast, insured=False), register(cast, insured=False)
    insure(cast, first, member_id="M-1")
    insure(cast, second, member_id="M-2")
    there = register(cast, by=cast.mallory, insured=False, birth_date=date(1999, 9, 9), member_id="M-1")
    facts = CoverageFacts(plan_id=PlanId(cast.plan.public_id), member_id="M-2", starts_on=TODAY, ends_on=None)
    intake.record_coverage(patient_id=PatientId(there.public_id), facts=facts, by=cast.mallory, now=NOW)
    one, two = IdentityQuestion.objects.order_by("pk")
    intake.answer_identity_question(
        question_id=IdentityQuestionId(one.public_id), is_same=True, by=cast.mallory, now=NOW
    )

    with pytest.raises(Exception, match="Other organizations know both"):
        intake.answer_identity_question(
            question_id=IdentityQuestionId(two.public_id), is_same=True, by=cast.mallory, now=NOW
        )

    assert prescriptions.patient(cast.mallory, PatientId(there.public_id)) == first


def test_two_patients_with_the_same_unknown_payer_can_become_one(cast: Cast) -> None:
    here = register(cast, insured=False)
    insure(cast, here, member_id="M-1")
    there = register(cast, by=cast.mallory, insured=False, birth_date=date(1999, 9, 9), member_id="M-1")
    facts = CoverageFacts(plan_id=None, payer_name="Acme", member_id="A-1", starts_on=TODAY, ends_on=None)
    intake.record_coverage(patient_id=PatientId(here.public_id), facts=facts, by=cast.stella, now=NOW)
    intake.record_coverage(patient_id=PatientId(there.public_id), facts=facts, by=cast.mallory, now=NOW)
    question = IdentityQuestion.objects.get()

    intake.answer_identity_question(
        question_id=IdentityQuestionId(question.public_id), is_same=True, by=cast.mallory, now=NOW
    )

    assert Coverage.objects.filter(patient=here, payer_name="Acme").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_fill_told_during_a_merge_is_the_kept_patients() -> None:
    cast = stage.assemble()
    here = register(cast, insured=False)
    insure(cast, here, member_id="M-1")
    there = register(cast, by=cast.mallory, insured=False, birth_date=date(1999, 9, 9), member_id="M-1")
    question = IdentityQuestionId(IdentityQuestion.objects.get().public_id)

    merge = Thread(
        target=quietly,
        args=(lambda: intake.answer_identity_question(question_id=question, is_same=True, by=cast.mallory, now=NOW),),
    )
    tell = Thread(target=quietly, args=(lambda: fill(cast, there, 5, by=cast.mallory),))
    with transaction.atomic():
        # Both wait for this row, the merge first, and so happen in that order.
        Patient.objects.select_for_update().get(pk=there.pk)
        for waiting, thread in enumerate((merge, tell), start=1):
            thread.start()
            wait_for_waiters(waiting)
    for thread in (merge, tell):
        thread.join(timeout=30)

    assert Fill.objects.get().patient == here


@pytest.mark.django_db(transaction=True)
def test_one_member_id_told_for_many_patients_at_once_is_one_patients() -> None:
    cast = stage.assemble()
    patients = [register(cast, insured=False) for _ in range(4)]

    failures = together(*(lambda patient=patient: insure(cast, patient, member_id="M-1") for patient in patients))

    assert failures == []
    assert PatientIdentifier.objects.filter(assigner=cast.evergreen).count() == 1
    assert Coverage.objects.count() == 1
    assert IdentityQuestion.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_fills_and_name_changes_of_one_patient_do_not_wait_for_each_other_for_ever() -> None:
    cast = stage.assemble()
    patient = register(cast, mrn="A-1")

    def rename(name: str) -> None:
        facts = stage.PatientFacts(identifier="A-1", family_name=name, given_name="Pat", birth_date=date(1970, 5, 5))
        intake.register_patient(facts=facts, by=cast.stella, now=NOW)

    acts = [lambda n=n: fill(cast, patient, 3, identifier=f"F-{n}") for n in range(4)]
    names = [lambda n=n: rename(f"Doe-{n}") for n in range(4)]

    assert together(*acts, *names) == []


def test_a_clinic_that_claims_a_prescriber_does_not_learn_of_their_patients(cast: Cast) -> None:
    patient = register(cast, by=cast.mallory, insured=False)
    insure(cast, patient, by=cast.mallory)
    record_prescriber(npi=OKAFOR_NPI, family_name="Okafor", given_name="Ben", by=cast.stella, now=NOW)
    claims = stage.Actor(
        name="Claims", roles=frozenset({Role.INTAKE}), organization_id=cast.evergreen.pk, client_id=None
    )

    fill(cast, patient, 10, by=claims, prescriber_npi=OKAFOR_NPI)

    assert PriorAuth.objects.get().clinic == cast.hillside


def test_a_clinic_that_joins_a_member_late_gets_the_request_that_was_due(cast: Cast) -> None:
    claims = stage.Actor(name="Claims", roles=frozenset({Role.INTAKE}), organization_id=cast.evergreen.pk)
    member = stage.PatientFacts(identifier="M-1", family_name="", given_name="", birth_date=date(1970, 5, 5))
    patient, _ = intake.register_patient(facts=member, by=claims, now=NOW)
    fill(cast, patient, 14, by=claims, prescriber_npi=None)
    assert not PriorAuth.objects.exists()

    register(cast, insured=False, member_id="M-1")

    assert PriorAuth.objects.get(patient=patient).clinic == cast.riverside


def test_a_physicians_question_comes_back_to_the_physician_who_can_still_deny(cast: Cast) -> None:
    key = key_of(stage.in_clinical_review(cast))
    asked = questions.ask(prior_auth_id=key, questions=["Which knee?"], by=cast.patel, now=NOW)
    question = asked.information_requests.get()
    answered = questions.answer(prior_auth_id=key, answers={question.public_id: "Left."}, by=cast.stella, now=NOW)
    assert answered.reviewer == cast.people["patel"]

    determinations.refer(prior_auth_id=key, reason="Not in full.", by=cast.patel, now=NOW)
    decided = determinations.deny(prior_auth_id=key, reason=REASON, by=cast.patel, now=NOW)

    assert decided.state == "decided"


def test_a_grant_says_how_many_units_when_units_were_asked_for(cast: Cast) -> None:
    grant = Grant(days=10, quantity=None, starts_on=TODAY, ends_on=TODAY + timedelta(days=9))

    with pytest.raises(InvalidInput) as refusal:
        determinations.approve_in_part(
            prior_auth_id=key_of(stage.in_clinical_review(cast)),
            grants={1: grant},
            reason=REASON,
            by=cast.patel,
            now=NOW,
        )

    assert refusal.value.fields == {"grants.1": ["Say how many units are granted."]}


@pytest.mark.parametrize("end", ["approve", "withdraw"])
def test_a_fill_corrected_to_a_longer_supply_after_the_end_is_a_new_fact(cast: Cast, end: str) -> None:
    prior_auth = stage.in_review(cast)
    if end == "approve":
        determinations.approve(prior_auth_id=key_of(prior_auth), by=cast.rae, now=NOW)
    else:
        request.withdraw(prior_auth_id=key_of(prior_auth), reason="Stopped.", by=cast.stella, now=NOW)
    dispensed = prior_auth.patient.fills.get()

    fill(cast, prior_auth.patient, 30, identifier=dispensed.identifier, now=later(1))

    assert PriorAuth.objects.exclude(pk=prior_auth.pk).get().state == "detected"


def test_nobody_attests_for_the_prescriber_who_prescribed(cast: Cast) -> None:
    prior_auth = request.take_up(prior_auth_id=key_of(stage.detected(cast)), by=cast.stella, now=NOW)
    request.ask_prescriber(prior_auth_id=key_of(prior_auth), question="Please attest.", by=cast.stella, now=NOW)
    colleague = stage.Actor(
        name="Dr Okafor",
        roles=frozenset({Role.PRESCRIBER}),
        organization_id=cast.riverside.pk,
        person_id=cast.people["stella"].pk,
    )

    with pytest.raises(InvalidInput) as refusal:
        request.answer_prescriber(prior_auth_id=key_of(prior_auth), answers={"pr.attest": True}, by=colleague, now=NOW)

    assert set(refusal.value.fields) == {"answers.pr.attest"}


def test_an_attestation_holds_only_for_what_it_was_given_on(cast: Cast) -> None:
    key = key_of(stage.drafted(cast))
    request.answer_questions(prior_auth_id=key, answers={"dx.code": "M25.50"}, by=cast.stella, now=later(1))

    with pytest.raises(NotReady) as refusal:
        request.submit(prior_auth_id=key, by=cast.stella, now=later(1))

    assert set(refusal.value.fields) == {"answers.pr.attest"}


def test_a_further_fill_asks_for_the_computed_answer_and_the_attestation_again(cast: Cast) -> None:
    prior_auth = stage.drafted(cast)
    fill(cast, prior_auth.patient, 20, now=later(1))

    with pytest.raises(NotReady) as refusal:
        request.submit(prior_auth_id=key_of(prior_auth), by=cast.stella, now=later(1))

    assert set(refusal.value.fields) == {
        "answers.req.days_used",
        "answers.req.mme_daily",
        "answers.pr.attest",
    }
    assert prior_auth.answers is not None
    assert "20 covered days" in prior_auth.answers.answers.get(question="req.days_used").value


def test_a_strangers_merge_question_is_not_there(cast: Cast) -> None:
    with pytest.raises(NotFound), transaction.atomic():
        intake.answer_identity_question(
            question_id=IdentityQuestionId(stage.unknown_id()), is_same=True, by=cast.mallory, now=NOW
        )
