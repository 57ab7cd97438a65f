"""Laws that hold for any file: order does not matter, and nothing a sender writes can break a run."""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from authz.errors import AuthzError
from authz.imports.documents import Format, Pass, check, recognise, told_in
from authz.imports.models import ImportRejection, ImportRun
from authz.imports.refusals import ImportTruncated, ImportUnreadable
from authz.prescriptions.models import Coverage, Fill, PatientIdentifier, Prescription
from tests import cast as stage
from tests.imports.builders import (
    LISINOPRIL,
    NEW_OXYCODONE,
    OXYCODONE,
    SYSTEM,
    bundle,
    coverage,
    dispensing,
    file,
    ndjson,
    order,
    patient,
    row,
    rows,
)
from tests.imports.intake import counts, state, take
from tests.imports.reading import RECOGNISER

ALONE = settings(max_examples=300, deadline=None)
WITH_DATABASE = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

FEED: list[dict[str, Any]] = [
    *[patient(number) for number in (1, 2, 3)],
    *[coverage(number, of=number) for number in (1, 2)],
    order(1, of=1, days=10),
    order(2, of=2, days=3),
    dispensing(1, of=1, days=10, authorizingPrescription=[{"reference": "MedicationRequest/rx-1"}]),
    dispensing(2, of=2, on="2025-02-20", days=5),
    dispensing(3, of=2, on="2025-02-25", days=5),
    dispensing(4, of=2, on="2025-02-25", days=0),
    dispensing(5, of=3, on="2014-02-25", days=30),
    dispensing(6, of=3, product=NEW_OXYCODONE),
    dispensing(7, of=3, product=LISINOPRIL),
    dispensing(8, of=1, days=4, status="entered-in-error"),
    {"resourceType": "MedicationDispense", "id": "disp-3", "status": "cancelled"},
    dispensing(9, of="nobody"),
]


@pytest.fixture
def in_order(cast: stage.Cast) -> object:
    return _everything_of(cast, FEED)


@WITH_DATABASE
@given(lines=some.permutations(FEED))
def test_the_order_of_the_lines_does_not_matter(
    cast: stage.Cast, in_order: object, lines: list[dict[str, Any]]
) -> None:
    assert _everything_of(cast, lines) == in_order


def _everything_of(cast: stage.Cast, lines: list[dict[str, Any]]) -> object:
    with on_an_empty_stage():
        run = take(ndjson(*lines), by=cast.stella)
        return counts(run), run.needs_person, state()


@contextmanager
def on_an_empty_stage() -> Iterator[None]:
    """Let a play happen, and undo it."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


JSON = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats(allow_nan=False)
    | some.text(max_size=8)
    | some.sampled_from(["2025-03-01", "completed", SYSTEM, OXYCODONE[0], "d", "\0", "x" * 400, 10**30, 1e300, -1, 0]),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@some.composite
def mutated(draw: some.DrawFn) -> dict[str, Any]:
    """Return one line of the feed in which one element is something else, or missing."""
    resource = copy.deepcopy(draw(some.sampled_from(FEED)))
    place: Any = resource
    while True:
        key = draw(some.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not place[key] or not isinstance(place[key], dict | list) or draw(some.booleans()):
            break
        place = place[key]
    if draw(some.booleans()):
        del place[key]
    else:
        place[key] = draw(JSON)
    return resource


@pytest.mark.django_db
@WITH_DATABASE
@given(lines=some.lists(mutated(), min_size=1, max_size=12))
def test_any_line_is_taken_in_whole_or_refused_whole(cast: stage.Cast, lines: list[dict[str, Any]]) -> None:
    with on_an_empty_stage():
        run = take(ndjson(*lines), by=cast.stella, form=Format.FHIR_NDJSON)

        # Every line met exactly one fate, and every record has what a record needs.
        assert sum(counts(run)) == len(lines)
        assert ImportRejection.objects.filter(run=run).count() == run.rejected
        assert not Fill.objects.filter(versions=None).exists()
        assert not Prescription.objects.filter(versions=None).exists()
        stored = Fill.objects.count() + Prescription.objects.count() + Coverage.objects.count()
        assert stored + PatientIdentifier.objects.filter(assigner=cast.riverside).count() == run.created


@pytest.mark.django_db
@WITH_DATABASE
@given(
    cells=some.lists(
        some.lists(
            some.sampled_from(
                ["MRN-1", "F-1", "2025-03-01", "1049621", "314076", "7", "", "-1", "99999999999", '"', "'"]
            )
            | some.text(max_size=12),
            min_size=5,
            max_size=8,
        ),
        max_size=6,
    )
)
def test_any_csv_is_taken_in_row_by_row_or_refused_whole(cast: stage.Cast, cells: list[list[str]]) -> None:
    lines = [",".join(line) for line in cells]
    content = rows(row(1), *lines, header="patient,fill,dispensed_on,rxcui,days_supply,birth_date")
    with on_an_empty_stage():
        try:
            run = take(content, by=cast.stella, form=Format.CSV)
        except AuthzError:
            assert not ImportRun.objects.exists()
            assert not Fill.objects.exists()
        else:
            assert run.created + run.unchanged + run.corrected + run.not_an_opioid + run.rejected >= 1
            assert Fill.objects.count() == run.by_kind.get("fills", {}).get("created", 0)


STARTS = [b"", b"{", b'{"resourceType": "Bundle", "entry": [', ndjson(patient(1)), rows(row(1)), bundle(*FEED)[:300]]


@ALONE
@given(start=some.sampled_from(STARTS), rest=some.binary(max_size=200))
def test_no_bytes_break_a_reader(start: bytes, rest: bytes) -> None:
    _read_all(start + rest)


@ALONE
@given(start=some.sampled_from(STARTS), value=JSON)
def test_no_json_breaks_a_reader(start: bytes, value: object) -> None:
    _read_all(start + json.dumps(value).encode())
    _read_all(json.dumps({"resourceType": "Bundle", "entry": value}).encode())
    _read_all(json.dumps({"resourceType": "Bundle", "entry": [{"resource": value}]}).encode())


@ALONE
@given(cut=some.integers(min_value=1, max_value=len(bundle(*FEED)) - 1))
def test_a_bundle_cut_anywhere_is_refused(cut: int) -> None:
    assert _read_all(bundle(*FEED)[:cut]) is None


def _read_all(content: bytes) -> int | None:
    """Return how many lines were read, None when the file was refused whole. Anything else is an error."""
    try:
        form = recognise(file(content))
        check(file(content), form)
    except (ImportTruncated, ImportUnreadable):
        return None
    lines = [
        line
        for reading in Pass
        for line in told_in(file(content), form, reading, identifier_system=SYSTEM, recogniser=RECOGNISER)
    ]
    assert all((line.told is None) != (line.refusal is None) for line in lines)
    assert len({line.number for line in lines}) == len(lines)
    return len(lines)
