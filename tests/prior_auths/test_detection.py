"""A request is opened by itself, exactly once, when use exceeds the limit, and goes away when it was never needed."""

from datetime import date, timedelta
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connections, transaction

from authz.ids import FillId, PatientId
from authz.outbox.models import OutboxMessage
from authz.prescriptions.facts import ExemptionFacts
from authz.prescriptions.models import FillVersion
from authz.prescriptions.services import RecordOutcome
from authz.prior_auths.lifecycle import ReopeningReason
from authz.prior_auths.models import Evaluation, Event, PriorAuth
from authz.prior_auths.services import determinations, intake, queue, reopening, request
from authz.rules.records import ExemptionCategory
from tests import cast as stage
from tests.cast import NOW, TODAY, Cast, fill, key_of, later, register


def test_seven_days_open_nothing(cast: Cast) -> None:
    patient = register(cast)

    fill(cast, patient, 7)

    assert not PriorAuth.objects.exists()
    assert not Evaluation.objects.filter(patient=patient, is_required=True).exists()
    assert Evaluation.objects.filter(patient=patient, plan=cast.plan).exists()


def test_the_eighth_day_opens_one_request_with_its_reasons(cast: Cast) -> None:
    patient = register(cast)

    fill(cast, patient, 8)

    prior_auth = PriorAuth.objects.get(patient=patient)
    assert prior_auth.state == "detected"
    assert prior_auth.pa_required_from == TODAY + timedelta(days=7)
    assert prior_auth.insurer == cast.evergreen
    assert prior_auth.prescriber == cast.prescriber
    assert "8 covered days" in prior_auth.explanation["sentences"][0]
    assert [(line.rxcui, line.days_supply) for line in prior_auth.lines.all()] == [("1049621", 8)]


def test_two_short_fills_together_open_a_request_caused_by_the_second(cast: Cast) -> None:
    patient = register(cast)

    fill(cast, patient, 4, on=TODAY - timedelta(days=4))
    second, _ = fill(cast, patient, 4, on=TODAY)

    prior_auth = PriorAuth.objects.get(patient=patient)
    assert prior_auth.lines.get().starts_on == TODAY
    assert second.public_id in prior_auth.record_ids


def test_opening_is_announced_in_the_same_transaction(cast: Cast) -> None:
    prior_auth = stage.detected(cast)

    assert OutboxMessage.objects.get(subject_id=prior_auth.public_id).topic == "prior-auth.opened"
    assert Event.objects.get(prior_auth=prior_auth).step == "open"


def test_a_fill_told_twice_changes_nothing(cast: Cast) -> None:
    patient = register(cast)
    _, first = fill(cast, patient, 10, identifier="F-1")
    before = (
        PriorAuth.objects.count(),
        Event.objects.count(),
        OutboxMessage.objects.count(),
        FillVersion.objects.count(),
    )

    _, second = fill(cast, patient, 10, identifier="F-1")

    assert (first, second) == (RecordOutcome.CREATED, RecordOutcome.UNCHANGED)
    after = (
        PriorAuth.objects.count(),
        Event.objects.count(),
        OutboxMessage.objects.count(),
        FillVersion.objects.count(),
    )
    assert after == before


def test_a_corrected_fill_adds_a_version_and_overwrites_nothing(cast: Cast) -> None:
    patient = register(cast)
    row, _ = fill(cast, patient, 10, identifier="F-1")

    _, outcome = fill(cast, patient, 5, identifier="F-1", now=later(1))

    assert outcome is RecordOutcome.CORRECTED
    assert list(row.versions.order_by("version").values_list("days_supply", flat=True)) == [10, 5]


def test_a_reversal_retracts_a_request_nobody_has_written_in(cast: Cast) -> None:
    patient = register(cast)
    row, _ = fill(cast, patient, 10)

    intake.reverse_fill(fill_id=FillId(row.public_id), by=cast.stella, now=later(1))

    assert PriorAuth.objects.get(patient=patient).state == "lapsed"


def test_a_request_somebody_has_written_in_is_only_flagged(cast: Cast) -> None:
    prior_auth = stage.drafted(cast)
    dispensed = prior_auth.patient.fills.get()

    intake.reverse_fill(fill_id=FillId(dispensed.public_id), by=cast.stella, now=later(1))

    prior_auth.refresh_from_db()
    assert prior_auth.state == "draft"
    assert prior_auth.need_in_doubt_at == later(1)
    assert OutboxMessage.objects.filter(topic="prior-auth.need-in-doubt").count() == 1


def test_a_submitted_request_is_never_retracted(cast: Cast) -> None:
    prior_auth = stage.queued(cast)
    dispensed = prior_auth.patient.fills.get()

    intake.reverse_fill(fill_id=FillId(dispensed.public_id), by=cast.stella, now=later(1))

    prior_auth.refresh_from_db()
    assert prior_auth.state == "queued"
    assert prior_auth.need_in_doubt_at is not None


def test_an_exemption_releases_a_detected_request(cast: Cast) -> None:
    prior_auth = stage.detected(cast)
    facts = ExemptionFacts(category=ExemptionCategory.CANCER, starts_on=None, ends_on=None, evidence="C50.9 on chart")

    intake.record_exemption(
        patient_id=PatientId(prior_auth.patient.public_id), facts=facts, by=cast.stella, now=later(1)
    )

    prior_auth.refresh_from_db()
    assert prior_auth.state == "lapsed"


def test_a_further_fill_joins_the_open_request(cast: Cast) -> None:
    patient = register(cast)
    fill(cast, patient, 10)

    fill(cast, patient, 10, on=TODAY + timedelta(days=0), now=later(1))
    fill(cast, patient, 20, on=TODAY, identifier="F-late", now=later(2))

    prior_auth = PriorAuth.objects.get(patient=patient)
    assert len(prior_auth.record_ids) == 3
    assert prior_auth.runs_out_on == TODAY + timedelta(days=19)


def test_an_earlier_fill_learned_late_does_not_open_a_second_request(cast: Cast) -> None:
    patient = register(cast)
    fill(cast, patient, 10)

    fill(cast, patient, 10, on=TODAY - timedelta(days=5), now=later(1))

    assert PriorAuth.objects.filter(patient=patient).count() == 1


def test_a_forgotten_draft_that_comes_to_share_a_fill_with_what_was_reopened_is_a_possible_duplicate(
    cast: Cast,
) -> None:
    patient = register(cast)
    fill(cast, patient, 10, on=TODAY - timedelta(days=80), now=later(-80 * 24))
    forgotten = PriorAuth.objects.get()
    stage.drafted(cast, now=later(-80 * 24), prior_auth=forgotten)
    fill(cast, patient, 10)
    asked = stage.drafted(cast, prior_auth=PriorAuth.objects.exclude(pk=forgotten.pk).get())
    key, slip = key_of(asked), ReopeningReason.CLERICAL_ERROR
    request.submit(prior_auth_id=key, by=cast.stella, now=NOW)
    queue.claim(prior_auth_id=key, by=cast.rae, now=NOW)
    determinations.approve(prior_auth_id=key, by=cast.rae, now=NOW)
    reopening.reopen(prior_auth_id=key, code=slip, reason="A slip.", by=cast.nora, now=NOW)

    fill(cast, patient, 10, on=TODAY - timedelta(days=40))

    forgotten.refresh_from_db()
    asked.refresh_from_db()
    assert set(asked.record_ids) < set(forgotten.record_ids)
    assert (forgotten.duplicate_of, asked.duplicate_of) == (asked, None)
    told = OutboxMessage.objects.filter(topic="prior-auth.duplicate-suspected")
    assert told.get().subject_id == forgotten.public_id


def test_a_denied_request_is_not_opened_again_on_the_same_records(cast: Cast) -> None:
    prior_auth = stage.drafted(cast)
    request.withdraw(prior_auth_id=key_of(prior_auth), reason="Patient stopped.", by=cast.stella, now=NOW)
    patient = prior_auth.patient

    stage.insure(cast, patient, member_id="M-second-card")

    assert PriorAuth.objects.filter(patient=patient, state="withdrawn").count() == 1
    assert PriorAuth.objects.filter(patient=patient).exclude(state="withdrawn").count() == 0


def test_a_very_long_and_very_large_use_still_fits_its_request(cast: Cast) -> None:
    patient = register(cast)
    facts = [stage.fill_facts(366, quantity=Decimal("99999999")) for _ in range(120)]

    intake.record_all(patient_id=PatientId(patient.public_id), facts=facts, by=cast.stella, now=NOW)

    line = PriorAuth.objects.get(patient=patient).lines.get()
    assert (line.days_supply, line.quantity) == (120 * 366, 120 * Decimal("99999999"))


def test_use_of_long_ago_is_kept_as_an_evaluation_and_opens_nothing(cast: Cast) -> None:
    patient = register(cast)

    fill(cast, patient, 30, on=date(2024, 6, 1))

    assert not PriorAuth.objects.exists()
    assert Evaluation.objects.filter(patient=patient, is_required=True).exists()


def test_an_unknown_payer_is_marked_and_gets_the_default_rule(cast: Cast) -> None:
    patient = register(cast, insured=False)

    fill(cast, patient, 10)

    prior_auth = PriorAuth.objects.get(patient=patient)
    assert (prior_auth.is_payer_rule_unknown, prior_auth.policy, prior_auth.insurer) == (True, "default", None)


def test_a_request_follows_its_patient_to_the_coverage_recorded_later(cast: Cast) -> None:
    patient = register(cast, insured=False)
    fill(cast, patient, 10)

    stage.insure(cast, patient)

    prior_auth = PriorAuth.objects.get(patient=patient)
    assert prior_auth.insurer == cast.evergreen
    assert prior_auth.is_payer_rule_unknown is False


def test_use_is_counted_across_clinics_that_know_the_same_member(cast: Cast) -> None:
    here = register(cast, insured=False)
    stage.insure(cast, here, member_id="M-1")
    fill(cast, here, 5, on=TODAY - timedelta(days=5))
    there = register(cast, by=cast.mallory, insured=False, member_id="M-1")

    fill(cast, there, 5, on=TODAY, by=cast.mallory)

    assert there == here
    assert PriorAuth.objects.get(patient=here).clinic == cast.hillside


def test_an_order_written_today_opens_a_request_before_it_is_dispensed(cast: Cast) -> None:
    patient = register(cast)

    intake.record_prescription(
        patient_id=PatientId(patient.public_id), facts=stage.order_facts(10), by=cast.stella, now=NOW
    )

    assert PriorAuth.objects.get(patient=patient).prescriber == cast.prescriber


def _order(cast: Cast) -> PriorAuth:
    """Return the request that a ten-day order opened, with the order's number RX-1."""
    patient = register(cast)
    facts = stage.order_facts(10, identifier="RX-1")
    intake.record_prescription(patient_id=PatientId(patient.public_id), facts=facts, by=cast.stella, now=NOW)
    return PriorAuth.objects.get(patient=patient)


def test_the_fill_of_an_order_joins_the_orders_request(cast: Cast) -> None:
    prior_auth = _order(cast)

    fill(cast, prior_auth.patient, 10, prescription_identifier="RX-1", now=later(1))

    assert PriorAuth.objects.get().state == "detected"
    assert OutboxMessage.objects.count() == 1


def test_the_fill_of_an_order_people_have_answered_is_no_new_fact_but_its_refill_is(cast: Cast) -> None:
    prior_auth = _order(cast)
    request.withdraw(prior_auth_id=key_of(prior_auth), reason="Patient stopped.", by=cast.stella, now=NOW)

    fill(cast, prior_auth.patient, 10, prescription_identifier="RX-1", now=later(1))
    assert PriorAuth.objects.count() == 1
    fill(cast, prior_auth.patient, 10, prescription_identifier="RX-1", fill_number=1, now=later(2))

    assert PriorAuth.objects.exclude(pk=prior_auth.pk).get().state == "detected"


def test_the_refills_of_an_order_are_asked_for_although_its_fill_takes_its_place(cast: Cast) -> None:
    patient = register(cast)
    facts = stage.order_facts(5, identifier="RX-1", refills=2)
    intake.record_prescription(patient_id=PatientId(patient.public_id), facts=facts, by=cast.stella, now=NOW)
    fill(cast, patient, 5, prescription_identifier="RX-1")

    fill(cast, patient, 5, prescription_identifier="RX-1", fill_number=1, on=TODAY + timedelta(days=5), now=later(120))

    assert PriorAuth.objects.get(patient=patient).lines.get().refills == 2


def test_the_database_refuses_a_second_active_request_for_an_episode(cast: Cast) -> None:
    prior_auth = stage.detected(cast)
    prior_auth.pk, prior_auth.number, prior_auth.public_id = None, "PA-2", stage.unknown_id()
    prior_auth.record_ids = [stage.unknown_id()]

    with pytest.raises(IntegrityError, match="one_active_request_per_episode"), transaction.atomic():
        prior_auth.save(force_insert=True)


@pytest.mark.django_db(transaction=True)
def test_many_clerks_at_once_open_one_request() -> None:
    cast = stage.assemble()
    patient = register(cast)
    together, failures = Barrier(8), []

    def clerk(number: int) -> None:
        try:
            together.wait(timeout=10)
            fill(cast, patient, 10, identifier=f"F-{number % 4}")
        except Exception as failure:  # noqa: BLE001 - a thread's failure must reach the test
            failures.append(failure)
        finally:
            connections.close_all()

    threads = [Thread(target=clerk, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert failures == []
    assert PriorAuth.objects.count() == 1
    assert OutboxMessage.objects.filter(topic="prior-auth.opened").count() == 1
    assert FillVersion.objects.count() == 4
