"""A patient who will be without medication: seen beside the deadline, and told to both sides in time, once."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from authz.ids import PatientId
from authz.notifications.selectors import recipients
from authz.outbox.models import OutboxMessage
from authz.policies import regimes
from authz.prior_auths import selectors
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.run_out import RunOut, run_out
from authz.prior_auths.services import intake, request
from authz.prior_auths.services.run_outs import RUNNING_OUT, warn_of_run_outs
from tests import cast as stage
from tests.cast import NOW, TODAY, Cast, key_of, later, order_facts

SATURDAY = date(2025, 3, 8)
NEW_YORK = ZoneInfo("America/New_York")


def found(due_at: datetime | None, regime: str = "generic") -> RunOut:
    newest = regimes.versions(regime)[-1]
    return run_out(last_covered_on=SATURDAY, due_at=due_at, zone=NEW_YORK, regime=newest)


@pytest.mark.parametrize(
    ("due_at", "is_before"),
    [
        (None, False),
        (datetime(2025, 3, 9, 4, 59, 59, tzinfo=UTC), False),  # Saturday, the last second, in New York
        (datetime(2025, 3, 9, 5, 0, tzinfo=UTC), True),
    ],
)
def test_the_supply_ends_with_the_day_in_the_clinic_not_with_the_day_in_utc(
    due_at: datetime | None, is_before: bool
) -> None:
    assert found(due_at).is_before_decision is is_before


def test_it_says_from_which_day_the_patient_is_without_and_when_the_decision_may_come() -> None:
    says = found(datetime(2025, 3, 10, 18, 10, tzinfo=UTC)).says

    assert says == (
        "Without medication from Sunday 9 March 2025, unless more is dispensed. "
        "The decision may come later: it is due Monday 10 March 2025, 14:10 EDT."
    )


def test_medicaid_lets_a_pharmacy_dispense_72_hours_meanwhile_and_says_where_that_stands() -> None:
    medicaid = found(None, "medicaid")

    assert (str(medicaid.emergency_supply), medicaid.citation in medicaid.says) == ("72 hours", True)
    assert "1927(d)(5)" in medicaid.citation
    assert found(None).emergency_supply is None


def test_both_sides_are_told_once_three_days_ahead(cast: Cast) -> None:
    queued = stage.queued(cast)
    PriorAuth.objects.update(runs_out_on=TODAY + timedelta(days=9))

    assert warn_of_run_outs(now=later(24 * 6)) == 0
    assert [warn_of_run_outs(now=later(24 * 7)) for _ in range(2)] == [1, 0]

    message = OutboxMessage.objects.get(topic=RUNNING_OUT)
    told = {recipient.person_id for recipient in recipients(message)}
    assert message.subject_id == queued.public_id
    assert {cast.stella.person_id, cast.jones.person_id, cast.rae.person_id} <= told


def test_a_supply_that_ends_before_the_decision_is_due_is_told_at_once(cast: Cast) -> None:
    cast.plan.regime = "erisa"
    cast.plan.save()
    stage.queued(cast)

    assert warn_of_run_outs(now=NOW) == 1


def test_before_submission_the_insurer_hears_nothing(cast: Cast) -> None:
    stage.detected(cast)
    PriorAuth.objects.update(runs_out_on=TODAY)

    warn_of_run_outs(now=NOW)

    organizations = {r.organization_id for r in recipients(OutboxMessage.objects.get(topic=RUNNING_OUT))}
    assert organizations == {cast.riverside.pk}


def test_what_the_clinic_heard_before_it_submitted_the_insurer_hears_afterwards(cast: Cast) -> None:
    prior_auth = stage.drafted(cast)
    PriorAuth.objects.update(runs_out_on=TODAY)
    before = warn_of_run_outs(now=NOW)
    request.submit(prior_auth_id=key_of(prior_auth), by=cast.stella, now=NOW)

    after = [warn_of_run_outs(now=later(hours)) for hours in (1, 2)]

    told = {one.organization_id for one in recipients(OutboxMessage.objects.filter(topic=RUNNING_OUT).latest("pk"))}
    assert (before, after) == (1, [1, 0])
    assert told == {cast.riverside.pk, cast.evergreen.pk}


def test_what_was_decided_runs_out_of_no_time(cast: Cast) -> None:
    stage.approved(cast)
    PriorAuth.objects.update(runs_out_on=TODAY)

    assert (warn_of_run_outs(now=NOW), selectors.run_out_of(PriorAuth.objects.get())) == (0, None)


def test_an_order_nobody_filled_is_no_supply_in_hand(cast: Cast) -> None:
    patient = stage.register(cast)
    stage.fill(cast, patient, 5)
    intake.record_prescription(patient_id=PatientId(patient.public_id), facts=order_facts(20), by=cast.stella, now=NOW)

    opened = PriorAuth.objects.get()

    assert opened.runs_out_on == TODAY + timedelta(days=4)


def test_what_was_only_ordered_is_told_as_not_dispensed_until_it_is(cast: Cast, client: Client) -> None:
    patient = stage.register(cast)
    intake.record_prescription(patient_id=PatientId(patient.public_id), facts=order_facts(20), by=cast.stella, now=NOW)
    client.force_login(cast.people["stella"])
    opened = PriorAuth.objects.get()

    found, listed = selectors.run_out_of(opened), client.get("/").content.decode()
    stage.fill(cast, patient, 5)
    filled = selectors.run_out_of(PriorAuth.objects.get())

    assert found is not None
    assert found.says.startswith("Not dispensed yet: without medication from Monday 3 March 2025, unless it is.")
    assert ("Not dispensed yet" in listed, "Supply ends" in listed) == (True, False)
    assert filled is not None
    assert (found.is_dispensed, filled.is_dispensed) == (False, True)
