"""A file taken in: what is recorded, what is refused, and that doing it again changes nothing."""

from typing import Any

import pytest

from authz.access.models import Organization
from authz.audit.models import AuditEntry
from authz.imports.documents import Pass
from authz.imports.models import ImportRejection, ImportRun
from authz.imports.refusals import ImportTruncated, ImportUnreadable
from authz.imports.services import runs
from authz.outbox.models import OutboxMessage
from authz.prescriptions.models import (
    Fill,
    FillVersion,
    Patient,
    Prescription,
)
from authz.prior_auths.models import PriorAuth
from authz.rules.records import RecordStatus
from tests import cast as stage
from tests.imports.builders import (
    LISINOPRIL,
    NEW_OXYCODONE,
    bundle,
    coverage,
    dispensing,
    file,
    ndjson,
    order,
    patient,
    row,
    rows,
    without,
)
from tests.imports.intake import counts, fills, refusals, state, take, take_all

pytestmark = pytest.mark.django_db


def at(minute: int) -> dict[str, Any]:
    """Return when the sender last changed a resource."""
    return {"meta": {"lastUpdated": f"2025-03-02T09:{minute:02}:00Z"}}


# -- the whole story ------------------------------------------------------------------------------------------------


def test_a_file_of_everything_opens_the_request_it_should(cast: stage.Cast) -> None:
    prescriber = {"identifier": {"system": "http://hl7.org/fhir/sid/us-npi", "value": stage.JONES_NPI}}
    content = ndjson(
        patient(1, name=[{"family": "Doe", "given": ["Pat"]}]),
        coverage(1),
        order(1, days=10, requester=prescriber),
        dispensing(1, days=10, authorizingPrescription=[{"reference": "MedicationRequest/rx-1"}]),
    )

    run = take(content, by=cast.stella)

    assert counts(run) == (4, 0, 0, 0, 0)
    assert run.finished_at is not None
    request = PriorAuth.objects.exclude(state="lapsed").get()
    assert request.insurer == cast.evergreen
    assert request.clinic == cast.riverside
    assert request.prescriber == cast.prescriber
    assert Fill.objects.get().versions.get().prescription == Prescription.objects.get()
    assert OutboxMessage.objects.filter(topic="prior-auth.opened", subject_id=request.public_id).count() == 1
    assert AuditEntry.objects.filter(action="import", subject_id=run.public_id).count() == 1


def test_the_same_file_again_changes_nothing(cast: stage.Cast) -> None:
    content = ndjson(patient(1), coverage(1), order(1), dispensing(1, days=10), dispensing(2, product=LISINOPRIL))
    first = take(content, by=cast.stella)
    before = state()

    again = take(content, by=cast.stella)

    assert counts(again) == (0, 4, 0, 1, 0)
    assert again.file_sha256 == first.file_sha256
    assert state() == before
    assert FillVersion.objects.count() == 1


def test_a_killed_import_run_again_comes_to_the_same_end(cast: stage.Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "CHUNK", 2)
    content = ndjson(*[patient(n) for n in (1, 2)], *[dispensing(n, of=1 + n % 2, days=n) for n in range(1, 8)])

    class Killed(Exception):
        pass

    def kill(progress: runs.Progress) -> None:
        if progress.reading is Pass.FILLS and Fill.objects.count() >= 4:
            raise Killed

    source = runs.Source(name="x", stream=file(content))
    with pytest.raises(Killed):
        runs.take_in(sources=[source], by=cast.stella, now=lambda: stage.NOW, on_progress=kill)
    half_way = Fill.objects.count()
    take(content, by=cast.stella)
    interrupted_end = state()

    assert half_way == 4
    assert ImportRun.objects.filter(finished_at=None).count() == 1
    assert len(fills()) == 7
    assert FillVersion.objects.count() == 7
    assert interrupted_end["fills"]
    take(content, by=cast.stella)
    assert state() == interrupted_end


def test_a_changed_resource_is_a_new_version_and_an_older_telling_is_not(cast: stage.Cast) -> None:
    take(ndjson(patient(1), dispensing(1, days=5, **at(1))), by=cast.stella)

    corrected = take(ndjson(patient(1), dispensing(1, days=9, **at(2))), by=cast.stella)
    older = take(ndjson(patient(1), dispensing(1, days=5, **at(1))), by=cast.stella)

    assert counts(corrected) == (0, 1, 1, 0, 0)
    assert counts(older) == (0, 2, 0, 0, 0)
    assert fills()["MedicationDispense/disp-1"].days_supply == 9
    assert FillVersion.objects.count() == 2


# -- nothing is dropped silently ------------------------------------------------------------------------------------


def test_unknown_products_and_silly_supplies_are_kept_and_put_before_a_person(cast: stage.Cast) -> None:
    content = ndjson(
        patient(1),
        dispensing(1, product=NEW_OXYCODONE),
        dispensing(2, days=0),
        dispensing(3, days=-3),
        dispensing(4, days=371),
        without(dispensing(5), "daysSupply"),
        dispensing(6, days=5, quantity={"value": 20}),
    )

    run = take(content, by=cast.stella)

    assert counts(run) == (7, 0, 0, 0, 0)
    assert len(fills()) == 6
    assert run.needs_person == 5
    assert run.by_kind["needs_person"] == {
        "unknown_product": 1,
        "no_days_supply": 3,
        "implausible_days_supply": 1,
    }


def test_every_refused_line_is_named_with_its_reason_and_the_rest_goes_on(cast: stage.Cast) -> None:
    content = (
        ndjson(patient(1), {"resourceType": "Condition"}, dispensing(1, whenHandedOver="2025-02-30"))
        + b"not json\n"
        + ndjson(dispensing(2, of="nobody"), dispensing(3), patient(2, identifier=[]))
    )

    run = take(content, by=cast.stella)

    assert refusals(run) == [
        (2, "not-taken-in", "resourceType"),
        (3, "not-a-date", "MedicationDispense.whenHandedOver"),
        (4, "not-json", ""),
        (5, "patient-unknown", "MedicationDispense.subject"),
        (7, "no-identifier", "Patient.identifier"),
    ]
    assert counts(run) == (2, 0, 0, 0, 5)
    assert run.by_kind["lines"] == {"rejected": 5}


def test_a_product_that_is_no_opioid_is_counted_and_not_stored(cast: stage.Cast) -> None:
    run = take(ndjson(patient(1), dispensing(1, product=LISINOPRIL)), by=cast.stella)

    assert counts(run) == (1, 0, 0, 1, 0)
    assert Fill.objects.count() == 0


def test_a_fill_that_turns_out_to_be_no_opioid_is_taken_back(cast: stage.Cast) -> None:
    take(ndjson(patient(1), dispensing(1, days=10)), by=cast.stella)
    assert PriorAuth.objects.get().state == "detected"

    run = take(ndjson(patient(1), dispensing(1, days=10, product=LISINOPRIL)), by=cast.stella)
    again = take(ndjson(patient(1), dispensing(1, days=10, product=LISINOPRIL)), by=cast.stella)

    assert counts(run) == (0, 1, 1, 0, 0)
    assert counts(again) == (0, 1, 0, 1, 0)
    assert fills()["MedicationDispense/disp-1"].status == RecordStatus.ENTERED_IN_ERROR
    assert PriorAuth.objects.get().state == "lapsed"


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_a_bare_cancellation_takes_back_what_is_known(cast: stage.Cast, status: str) -> None:
    take(ndjson(patient(1), order(1, days=10), dispensing(1, days=10)), by=cast.stella)
    bare = {"resourceType": "MedicationDispense", "id": "disp-1", "status": status}
    bare_order = {"resourceType": "MedicationRequest", "id": "rx-1", "status": status, "intent": "order"}

    run = take(ndjson(bare, bare_order), by=cast.stella)
    again = take(ndjson(bare, bare_order), by=cast.stella)

    assert counts(run) == (0, 0, 2, 0, 0)
    assert counts(again) == (0, 2, 0, 0, 0)
    assert fills()["MedicationDispense/disp-1"].status == status.replace("-", "_")
    assert PriorAuth.objects.get().state == "lapsed"


def test_a_bare_cancellation_of_what_nobody_told_us_is_refused(cast: stage.Cast) -> None:
    run = take(ndjson({"resourceType": "MedicationDispense", "id": "x", "status": "cancelled"}), by=cast.stella)

    assert refusals(run) == [(1, "nothing-to-take-back", "MedicationDispense.status")]


def test_a_record_with_two_questions_needs_a_person_once(cast: stage.Cast) -> None:
    benzhydrocodone = ("2001358", "acetaminophen 325 MG / benzhydrocodone 6.12 MG Oral Tablet")

    run = take(ndjson(patient(1), dispensing(1, product=benzhydrocodone)), by=cast.stella)

    assert run.by_kind["needs_person"] == {"no_quantity": 1, "unconfirmed_factor": 1}
    assert run.needs_person == 1


def test_the_largest_figures_fit_their_request_together(cast: stage.Cast) -> None:
    huge = [dispensing(number, days=10, quantity={"value": 99_999_999}) for number in (1, 2)]

    run = take(ndjson(patient(1), *huge), by=cast.stella)

    assert refusals(run) == []
    assert sorted(fills()) == ["MedicationDispense/disp-1", "MedicationDispense/disp-2"]


# -- whole files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        ndjson(patient(1), dispensing(1))[:-20],
        bundle(patient(1), dispensing(1))[:-20],
        rows(row(1), row(2))[:-3],
    ],
    ids=["ndjson", "bundle", "csv"],
)
def test_a_file_that_was_cut_off_leaves_nothing_behind(cast: stage.Cast, content: bytes) -> None:
    with pytest.raises(ImportTruncated):
        take_all(ndjson(patient(9)), content, by=cast.stella)

    assert ImportRun.objects.count() == 0
    assert Patient.objects.count() == 0


@pytest.mark.parametrize("content", [b"", b"hello\n", b"a,b\n1,2\n", b"\x89PNG\r\n\x1a\n", b"[1]", b"<Bundle/>"])
def test_a_file_of_no_known_format_is_refused(cast: stage.Cast, content: bytes) -> None:
    with pytest.raises(ImportUnreadable):
        take(content, by=cast.stella)

    assert ImportRun.objects.count() == 0


@pytest.mark.parametrize(
    ("content", "form"),
    [
        (ndjson(patient(1)), "fhir-ndjson"),
        (bundle(patient(1)), "fhir-bundle"),
        (bundle(patient(1), indent=2), "fhir-bundle"),
        (rows(row(1)), "csv"),
    ],
)
def test_the_format_is_told_by_the_first_line(cast: stage.Cast, content: bytes, form: str) -> None:
    assert take(content, by=cast.stella).format == form


def test_many_chunks_come_to_the_same_end_as_one(cast: stage.Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    content = ndjson(
        *[dispensing(n, of=1 + n % 3, on=f"2025-02-{n:02}", days=n % 9) for n in range(1, 21)],
        *[patient(n) for n in (1, 2, 3)],
    )
    take(content, by=cast.stella)
    at_once = state()

    monkeypatch.setattr(runs, "CHUNK", 1)
    run = take(content, by=cast.mallory)

    assert counts(run) == (23, 0, 0, 0, 0)
    assert len(at_once["fills"]) == 20  # type: ignore[arg-type]
    hillside = Organization.objects.get(name="Hillside Clinic")
    mine = FillVersion.objects.filter(fill__organization=hillside).values_list("fill__identifier", "days_supply")
    theirs = FillVersion.objects.exclude(fill__organization=hillside).values_list("fill__identifier", "days_supply")
    assert sorted(mine) == sorted(theirs)


def test_no_refusal_quotes_what_the_line_said(cast: stage.Cast) -> None:
    secret = "Zebulon"
    content = (
        ndjson(
            patient(1, name=[{"family": secret * 30}]),
            patient(2, birthDate=secret),
            dispensing(1, status=secret),
            dispensing(2, subject={"display": secret}),
            {"resourceType": secret + "7"},
            dispensing(3, meta={"lastUpdated": secret}),
            dispensing(4, of=secret),
        )
        + f'{{"{secret}": \n'.encode()
    )

    run = take(content, by=cast.stella)

    assert run.rejected == 8
    told = ImportRejection.objects.values_list("code", "path", "reason")
    assert not [text for line in told for text in line if secret in text]
