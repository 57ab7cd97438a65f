"""What no honest sender writes: feeds with one element that is something else, and bytes that only look like a file."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from hypothesis import strategies as some

from authz.errors import AuthzError
from authz.imports.documents import Format, Pass, check, recognise, told_in
from authz.imports.models import ImportRejection, ImportRun
from authz.imports.refusals import ImportTruncated, ImportUnreadable
from authz.prescriptions.models import Coverage, Fill, PatientIdentifier, Prescription
from tests.cast import Cast
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
from tests.imports.intake import counts, take
from tests.imports.reading import RECOGNISER

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


CELLS = some.lists(
    some.lists(
        some.sampled_from(["MRN-1", "F-1", "2025-03-01", "1049621", "314076", "7", "", "-1", "99999999999", '"', "'"])
        | some.text(max_size=12),
        min_size=5,
        max_size=8,
    ),
    max_size=6,
)
STARTS = [b"", b"{", b'{"resourceType": "Bundle", "entry": [', ndjson(patient(1)), rows(row(1)), bundle(*FEED)[:300]]


@contextmanager
def on_an_empty_stage() -> Iterator[None]:
    """Let a play happen, and undo it."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def read_all(content: bytes) -> int | None:
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


def as_csv(cells: list[list[str]]) -> bytes:
    """Return rows of these cells, below one that is right."""
    lines = [",".join(line) for line in cells]
    return rows(row(1), *lines, header="patient,fill,dispensed_on,rxcui,days_supply,birth_date")


def is_taken_line_by_line(cast: Cast, lines: list[dict[str, Any]]) -> bool:
    """Take lines in, and undo it; tell whether each met exactly one fate, and every record has what a record needs."""
    with on_an_empty_stage():
        run = take(ndjson(*lines), by=cast.stella, form=Format.FHIR_NDJSON)
        stored = Fill.objects.count() + Prescription.objects.count() + Coverage.objects.count()
        return (
            sum(counts(run)) == len(lines)
            and ImportRejection.objects.filter(run=run).count() == run.rejected
            and not Fill.objects.filter(versions=None).exists()
            and not Prescription.objects.filter(versions=None).exists()
            and stored + PatientIdentifier.objects.filter(assigner=cast.riverside).count() == run.created
        )


def is_taken_row_by_row(cast: Cast, cells: list[list[str]]) -> bool:
    """Take rows in, and undo it; tell whether they were taken in row by row, or nothing of them was."""
    with on_an_empty_stage():
        try:
            run = take(as_csv(cells), by=cast.stella, form=Format.CSV)
        except AuthzError:
            return not ImportRun.objects.exists() and not Fill.objects.exists()
        met = run.created + run.unchanged + run.corrected + run.not_an_opioid + run.rejected
        return met >= 1 and Fill.objects.count() == run.by_kind.get("fills", {}).get("created", 0)
