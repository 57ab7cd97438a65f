"""A CSV of fills taken in."""

import pytest

from authz.prescriptions.models import (
    Patient,
)
from authz.prior_auths.models import PriorAuth
from tests import cast as stage
from tests.formulary.rrf import LISINOPRIL_NDC, OXYCODONE_7, OXYCODONE_NDC, in_use
from tests.imports.builders import (
    CSV_HEADER,
    row,
    rows,
)
from tests.imports.intake import counts, fills, refusals, take

pytestmark = pytest.mark.django_db


def test_a_csv_of_fills_belongs_to_patients_already_known(cast: stage.Cast) -> None:
    stage.register(cast, mrn="MRN-1")

    run = take(rows(row(1, days=10), row(2, of=2)), by=cast.stella)

    assert refusals(run) == [(3, "patient-unknown", "patient")]
    assert counts(run) == (1, 0, 0, 0, 1)
    assert PriorAuth.objects.count() == 1


def test_a_csv_with_birth_dates_registers_its_patients(cast: stage.Cast) -> None:
    header = f"{CSV_HEADER},birth_date"
    content = rows(f"{row(1)},1970-05-05", f"{row(2)},1970-05-05", f"{row(3, of=2)},1980-01-01", header=header)

    run = take(content, by=cast.stella)
    again = take(content, by=cast.stella)

    assert run.by_kind["patients"] == {"created": 2}
    assert run.by_kind["fills"] == {"created": 3}
    assert counts(again) == (0, 3, 0, 0, 0)


def test_a_refused_row_registers_nobody(cast: stage.Cast) -> None:
    header = f"{CSV_HEADER},birth_date"
    lines = [f"{row(1, on='never')},1970-05-05", "MRN-3,F-3,2025-03-01,314076,7,lisinopril,1970-05-05"]

    run = take(rows(*lines, header=header), by=cast.stella)

    assert counts(run) == (0, 0, 0, 1, 1)
    assert Patient.objects.count() == 0


def test_a_row_with_another_birth_date_is_refused_and_its_neighbour_is_not(cast: stage.Cast) -> None:
    header = f"{CSV_HEADER},birth_date"
    content = rows(f"{row(1)},1970-05-05", f"{row(2)},1971-05-05", header=header)

    run = take(content, by=cast.stella)

    assert refusals(run) == [(3, "invalid-input", "birth_date")]
    assert list(fills()) == ["F-1"]


def test_ndcs_are_resolved_by_the_release_in_use(cast: stage.Cast) -> None:
    stage.register(cast, mrn="MRN-1")
    header = "patient,fill,dispensed_on,ndc,days_supply"
    lines = [f"MRN-1,F-{n},2025-03-01,{ndc},10" for n, ndc in enumerate([OXYCODONE_NDC, LISINOPRIL_NDC, "9"])]
    content = rows(*lines, header=header)

    before = take(content, by=cast.stella)
    in_use()
    after = take(content, by=cast.stella)

    assert [code for _, code, _ in refusals(before)] == ["no-ndc-codes", "no-ndc-codes", "not-an-ndc"]
    assert refusals(after) == [(4, "not-an-ndc", "ndc")]
    assert (counts(after), fills()["F-0"].rxcui) == ((1, 0, 0, 1, 1), OXYCODONE_7)
    assert PriorAuth.objects.count() == 1
