"""What would hold if something more were dispensed: the rule's own answer, and nothing is written."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from authz.errors import InvalidInput
from authz.ids import PatientId
from authz.outbox.models import OutboxMessage
from authz.prescriptions.models import FillVersion, Patient
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.opioid_use import known_patient, opioid_use
from authz.prior_auths.what_if import Plan, WhatIf, what_if
from tests.cast import NOW, OXYCODONE_5, TODAY, Cast, fill, register


def asked(cast: Cast, patient: Patient, days: int, on: date = TODAY, rxcui: str = "") -> WhatIf:
    known = known_patient(cast.stella, PatientId(patient.public_id), now=NOW)
    return what_if(known, Plan(days_supply=days, starts_on=on, rxcui=rxcui))


@pytest.mark.parametrize(
    ("days", "needs_from"), [(3, None), (4, TODAY + timedelta(days=3)), (20, TODAY + timedelta(days=3))]
)
def test_the_answer_is_that_of_the_same_days_dispensed(cast: Cast, days: int, needs_from: date | None) -> None:
    patient = register(cast)
    fill(cast, patient, 4, on=TODAY - timedelta(days=4))

    planned = asked(cast, patient, days)
    fill(cast, patient, days)

    truly = opioid_use(cast.stella, PatientId(patient.public_id), now=NOW).payer.verdict.episodes
    assert planned.needs_from == needs_from == truly[-1].pa_required_from


def test_the_last_dose_goes_on_and_the_smallest_change_is_told(cast: Cast) -> None:
    patient = register(cast)
    fill(cast, patient, 4, on=TODAY - timedelta(days=4))

    planned = asked(cast, patient, 5)

    assert (planned.record.rxcui, planned.record.quantity) == (OXYCODONE_5, Decimal(20))
    assert "for 2 fewer days (3 instead of 5)" in planned.ways_out[0]


def test_nothing_is_written(cast: Cast) -> None:
    patient = register(cast)
    fill(cast, patient, 4)
    before = FillVersion.objects.count(), PriorAuth.objects.count(), OutboxMessage.objects.count()

    asked(cast, patient, 30)

    assert (FillVersion.objects.count(), PriorAuth.objects.count(), OutboxMessage.objects.count()) == before


def test_what_cannot_be_is_named_all_at_once(cast: Cast) -> None:
    patient = register(cast)

    with pytest.raises(InvalidInput) as refused:
        asked(cast, patient, 0, TODAY - timedelta(days=1))
    with pytest.raises(InvalidInput) as unknown:
        asked(cast, patient, 5, rxcui="1")

    assert set(refused.value.fields) == {"days_supply", "starts_on", "rxcui"}
    assert set(unknown.value.fields) == {"rxcui"}
    assert asked(cast, patient, 8, rxcui=OXYCODONE_5).needs_from == TODAY + timedelta(days=7)
