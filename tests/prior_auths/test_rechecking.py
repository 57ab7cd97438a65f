"""Who is rechecked though nobody recorded anything of them: after a day, after a change of policy, when asked for."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from django.db import connection, transaction

from authz.access import selectors as access_selectors
from authz.access import services as access
from authz.access.models import Organization
from authz.access.roles import Actor, OrganizationKind, Role
from authz.errors import NotFound
from authz.ids import PatientId
from authz.notifications import services as notifications
from authz.outbox import leases
from authz.policies import catalog
from authz.policies import services as policies
from authz.policies.models import Plan
from authz.prescriptions.models import Patient
from authz.prior_auths.models import Evaluation, PriorAuth, Recheck
from authz.prior_auths.services import intake, rechecking
from tests import cast as stage
from tests.cast import NOW, TODAY, Cast, fill, later, register
from tests.policies.documents import limit
from tests.policies.office import Office, an_office
from tests.policies.test_policy_in_force import insured_under

A_MARK = {"source": "handbook", "confirmed": True}


@pytest.fixture
def office(cast: Cast) -> Office:
    return an_office(cast)


def told(now: datetime = NOW) -> None:
    """Have every announced fact told."""
    while notifications.fan_out_next(now=now):
        pass


def rechecked(now: datetime = NOW) -> int:
    """Return how many patients were waiting, all of them rechecked now."""
    count = 0
    while rechecking.recheck_next(now=now):
        count += 1
    return count


def asked() -> set[Patient]:
    return {recheck.patient for recheck in rechecking.waiting()}


def own_default(days: int, **changes: Any) -> dict[str, Any]:
    return limit(days, code="default", version="own", **changes)


def staff_of(organization: Organization) -> Actor:
    person = access.create_person(email="lani@example.org", full_name="Lani", password=stage.PASSWORD)
    access.add_membership(person=person, organization=organization, role=Role.STAFF)
    return access_selectors.actor_for(person=person, organization=organization)


def rule(**settings: Any) -> dict[str, Any]:
    """Return the settings of a document."""
    return {name: {"value": value, **A_MARK} for name, value in settings.items()}


# -- after a change of policy


def test_a_policy_that_comes_into_force_opens_what_it_needs(office: Office) -> None:
    patient = register(office.cast)
    fill(office.cast, patient, 5)
    assert not PriorAuth.objects.exists()

    office.active(own_default(3))
    told()

    assert rechecked() == 1
    assert PriorAuth.objects.get(patient=patient).policy_version == "own"


def test_a_policy_that_ends_takes_back_what_it_needed(office: Office) -> None:
    row = office.active(own_default(3))
    patient = register(office.cast)
    fill(office.cast, patient, 5)
    told()

    policies.retire_policy(policy_id=row.public_id, retired_on=TODAY, by=office.ada, now=NOW)
    told()

    assert rechecked() == 1
    assert PriorAuth.objects.get(patient=patient).state == "lapsed"


def test_only_patients_under_the_policy_with_something_on_its_days_are_rechecked(office: Office) -> None:
    concerned, elsewhere, before, uninsured = (
        register(office.cast),
        insured_under(office.cast, "part_d_2019"),
        register(office.cast),
        register(office.cast, insured=False),
    )
    for patient in (concerned, elsewhere, uninsured):
        fill(office.cast, patient, 5)
    fill(office.cast, before, 5, on=TODAY - timedelta(days=1))

    office.active(own_default(3, in_force_from=TODAY.isoformat()))
    told()

    assert asked() == {concerned}


def test_a_draft_concerns_nobody(office: Office) -> None:
    fill(office.cast, register(office.cast), 5)

    office.drafted(own_default(3))
    told()

    assert not Recheck.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_policy_waits_for_those_who_are_being_rechecked_under_the_old_one() -> None:
    office = an_office(stage.assemble())
    row, patient = office.drafted(own_default(3)), register(office.cast)
    holds, may_end = Event(), Event()

    def record_slowly() -> None:
        with transaction.atomic():
            fill(office.cast, patient, 5)
            holds.set()
            assert may_end.wait(30)
        connection.close()

    def activate() -> str:
        assert holds.wait(30)
        state = policies.activate_policy(policy_id=row.public_id, by=office.ben, now=NOW).state
        connection.close()
        return state

    with ThreadPoolExecutor(2) as pool:
        recording = pool.submit(record_slowly)
        activation = pool.submit(activate)
        while not _somebody_waits():
            assert not activation.done()
        may_end.set()
        assert (recording.result(30), activation.result(30)) == (None, "active")
    told()
    assert asked() == {patient}


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")
        return bool(cursor.fetchone()[0])


# -- after a day


def test_an_order_for_a_later_day_opens_a_request_when_that_day_comes(cast: Cast) -> None:
    patient = register(cast)
    facts = stage.order_facts(10, on=TODAY + timedelta(days=2))
    intake.record_prescription(patient_id=PatientId(patient.public_id), facts=facts, by=cast.stella, now=NOW)
    assert not PriorAuth.objects.exists()

    assert rechecking.ask_for_due(now=later(24)) == 0
    assert rechecking.ask_for_due(now=later(48)) == 1

    assert rechecked(later(48)) == 1
    assert PriorAuth.objects.filter(patient=patient).count() == 1


def test_nobody_is_rechecked_before_their_clinics_day_has_come(cast: Cast) -> None:
    stage.detected(cast)
    one_in_the_morning_utc = later(10)

    assert rechecking.ask_for_due(now=one_in_the_morning_utc) == 0
    assert rechecking.ask_for_due(now=later(24)) == 1


def test_a_patient_is_asked_for_once_a_day_whatever_became_of_it(cast: Cast) -> None:
    stage.detected(cast)

    counts = [rechecking.ask_for_due(now=later(24)), rechecking.ask_for_due(now=later(25))]
    rechecked(later(25))
    counts += [rechecking.ask_for_due(now=later(26)), rechecking.ask_for_due(now=later(48))]

    assert counts == [1, 0, 0, 1]


def test_each_clinics_patients_have_their_own_midnight(cast: Cast) -> None:
    stage.detected(cast)
    hawaii = access.create_organization(kind=OrganizationKind.CLINIC, name="Hilo", time_zone="Pacific/Honolulu")
    lani = staff_of(hawaii)
    fill(cast, register(cast, by=lani, insured=False), 10, by=lani)

    counts = [rechecking.ask_for_due(now=later(hours)) for hours in (14, 19)]

    assert counts == [1, 1]


def test_supply_in_hand_opens_a_request_on_the_day_on_which_too_much_of_it_is_used(office: Office) -> None:
    elapsing = own_default(3)
    elapsing["parameters"] |= rule(basis="elapsed")
    for example in elapsing["examples"]:
        example["as_of"] = "2025-02-01"
    office.active(elapsing)
    patient = register(office.cast)
    fill(office.cast, patient, 5)

    opened = []
    for day in range(1, 5):
        rechecking.ask_for_due(now=later(24 * day))
        rechecked(later(24 * day))
        opened.append(PriorAuth.objects.filter(patient=patient).count())

    assert opened == [0, 0, 1, 1]


def test_supply_in_hand_is_not_looked_at_daily_where_it_counts_at_once(cast: Cast) -> None:
    fill(cast, register(cast), 5)

    assert rechecking.ask_for_due(now=later(24)) == 0


def test_an_unfilled_order_that_expires_may_make_a_patient_naive(office: Office) -> None:
    patient = insured_under(office.cast, "part_d_2019")
    facts = stage.order_facts(3, on=TODAY - timedelta(days=29))
    intake.record_prescription(patient_id=PatientId(patient.public_id), facts=facts, by=office.cast.stella, now=NOW)
    fill(office.cast, patient, 10)
    assert not PriorAuth.objects.exists()

    counts = [rechecking.ask_for_due(now=later(24 * day)) for day in (1, 2)]
    rechecked(later(48))

    assert counts == [0, 1]
    assert PriorAuth.objects.filter(patient=patient).exists()


def test_no_policy_of_the_catalog_needs_a_daily_look_at_everybody() -> None:
    settings = [version.parameters for versions in catalog.policies().values() for version in versions]

    assert {setting.basis for setting in settings} == {"projected"}


# -- asked for, whatever dies


def everybody() -> Any:
    return Patient.objects.all()


def test_who_waits_is_asked_for_once_and_who_is_under_way_once_more(cast: Cast) -> None:
    fill(cast, register(cast), 5)
    rechecking.ask_for(patients=everybody(), now=NOW)
    rechecking.ask_for(patients=everybody(), now=NOW)
    assert Recheck.objects.count() == 1

    leases.lease_next(rechecking.waiting(), now=NOW)
    rechecking.ask_for(patients=everybody(), now=NOW)

    assert Recheck.objects.count() == 2
    assert rechecked() == 1


def test_a_worker_that_dies_loses_nothing_and_doubles_nothing(office: Office) -> None:
    patient = register(office.cast)
    fill(office.cast, patient, 5)
    office.active(own_default(3))
    told()
    leases.lease_next(rechecking.waiting(), now=NOW)  # and is gone

    assert rechecked() == 0
    assert rechecked(later(1)) == 1
    assert rechecked(later(2)) == 0
    assert PriorAuth.objects.filter(patient=patient).count() == 1


def test_a_patient_who_cannot_be_rechecked_stops_no_other(office: Office) -> None:
    broken, sound = insured_under(office.cast, "part_d_2019"), register(office.cast)
    Plan.objects.filter(code="part_d_2019").update(regime="gone")
    for patient in (broken, sound):
        fill(office.cast, patient, 5)
    rechecking.ask_for(patients=everybody(), now=NOW)
    office.active(own_default(3))
    office.active(limit(3, code="part_d_2019", version="own"))

    with pytest.raises(NotFound):
        rechecking.recheck_next(now=NOW)
    assert rechecked() == 1

    assert PriorAuth.objects.get().patient == sound
    assert asked() == {broken}


def test_what_a_clinic_further_east_knows_already_is_not_forgotten(cast: Cast) -> None:
    patient = register(cast)
    tomorrow = later(24)
    fill(cast, patient, 10, on=TODAY + timedelta(days=1), now=tomorrow)

    rechecking.ask_for(patients=everybody(), now=NOW)
    rechecked(NOW)

    assert PriorAuth.objects.get(patient=patient).state == "detected"
    assert Evaluation.objects.filter(patient=patient).latest("pk").as_of == date(2025, 3, 4)


def test_a_patient_without_records_is_left_as_they_are(cast: Cast) -> None:
    register(cast)
    rechecking.ask_for(patients=everybody(), now=NOW)

    assert rechecked() == 1
    assert not Evaluation.objects.exists()


def test_many_patients_are_asked_for_in_batches(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rechecking, "_BATCH", 2)
    patients = {register(cast, insured=False) for _ in range(5)}

    assert rechecking.ask_for(patients=everybody(), now=NOW) == 5

    assert asked() == patients
