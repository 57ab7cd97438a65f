"""Observations of pain, told by their LOINC codes."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from authz.imports.fhir_pain import LOINC
from authz.imports.told import EndTold, Kind, PainTold, PatientRef
from authz.pain.facts import PainScoreFacts
from authz.pain.models import PainScoreVersion
from authz.rules.pain_signal import Instrument
from authz.rules.records import RecordStatus
from tests.cast import Cast
from tests.imports.builders import ndjson, patient, without
from tests.imports.intake import counts, refusals, take
from tests.imports.reading import refused, told


def coded(code: str) -> dict[str, Any]:
    return {"coding": [{"system": LOINC, "code": code}]}


def rating(number: int | str = 1, *, code: str = "72514-3", pain: Any = 6, **other: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"pain-{number}",
        "status": "final",
        "code": coded(code),
        "subject": {"reference": "Patient/syn-1"},
        "effectiveDateTime": "2025-03-01T23:30:00-05:00",
        "valueInteger": pain,
    } | other


def peg(*answers: int, code: str = "91148-7", **other: Any) -> dict[str, Any]:
    codes = ("75893-8", "91145-3", "91146-1")
    components = [
        {"code": coded(code), "valueQuantity": {"value": answer, "unit": "{score}"}}
        for code, answer in zip(codes, answers, strict=False)
    ]
    return without(rating(code=code), "valueInteger") | {"component": components} | other


@pytest.mark.parametrize(
    ("code", "instrument"), [("72514-3", Instrument.PAIN_NOW), ("75893-8", Instrument.PAIN_PAST_WEEK)]
)
def test_one_rating_is_told_by_its_code(code: str, instrument: Instrument) -> None:
    assert told(rating(code=code, meta={"lastUpdated": "2025-03-02T09:00:00Z"})) == PainTold(
        patient=PatientRef(address="Patient/syn-1"),
        path="Observation",
        facts=PainScoreFacts(
            identifier="Observation/pain-1",
            scored_on=date(2025, 3, 1),
            instrument=instrument,
            pain=6,
            source_updated_at=datetime(2025, 3, 2, 9, tzinfo=UTC),
        ),
    )


@pytest.mark.parametrize("code", ["91148-7", "91147-9"])
def test_a_peg_brings_its_three_answers(code: str) -> None:
    facts = told(peg(7, 6, 5, code=code, valueQuantity={"value": 6.0})).facts

    assert (facts.instrument, facts.pain, facts.enjoyment, facts.activity) == (Instrument.PEG, 7, 6, 5)


@pytest.mark.parametrize(
    ("resource", "code", "path"),
    [
        (peg(7, 6), "peg-without-answers", "Observation.component"),
        (rating(code="91147-9"), "peg-without-answers", "Observation.component"),
        (rating(code="718-7"), "not-a-pain-score", "Observation.code"),
        (rating(code="91145-3"), "not-a-pain-score", "Observation.code"),
        (rating(code="718-7", status="entered-in-error"), "not-a-pain-score", "Observation.code"),
        (rating(pain=11), "invalid-input", "Observation.pain"),
        (without(rating(), "valueInteger"), "no-answer", "Observation.valueInteger"),
        (rating(pain=6.5), "not-whole", "Observation.valueInteger"),
        (rating(status="preliminary"), "status-unknown", "Observation.status"),
        (rating(effectiveDateTime="2025-03"), "day-unknown", "Observation.effectiveDateTime"),
        (without(rating(), "effectiveDateTime"), "day-unknown", "Observation.effectiveDateTime"),
        (without(rating(), "subject"), "no-patient", "Observation.subject"),
        (peg(7, 6, 5) | {"component": [{"code": coded("75893-8"), "valueQuantity": {"value": 7, "unit": "mm"}}]},
         "unit-unknown", "Observation.component[0].valueQuantity.code"),
        (without(rating(), "valueInteger") | {"valueQuantity": {"value": 5, "comparator": ">"}},
         "not-exact", "Observation.valueQuantity.comparator"),
    ],
)  # fmt: skip
def test_what_is_no_exact_pain_score_is_refused(resource: dict[str, Any], code: str, path: str) -> None:
    resource = {name: Decimal(str(value)) if isinstance(value, float) else value for name, value in resource.items()}

    assert refused(resource) == (code, path)


def test_an_error_needs_no_more_than_its_number() -> None:
    found = told({"resourceType": "Observation", "id": "pain-1", "status": "entered-in-error"})

    assert found == EndTold(
        kind=Kind.PAIN_SCORE,
        identifier="Observation/pain-1",
        status=RecordStatus.ENTERED_IN_ERROR,
        path="Observation",
    )


def test_scores_are_taken_in_corrected_and_taken_back(cast: Cast) -> None:
    feed = [patient(1), rating(1), peg(7, 6, 5, id="peg-1"), rating(2, code="718-7")]

    first, again = take(ndjson(*feed), by=cast.stella), take(ndjson(*feed), by=cast.stella)
    ended = take(ndjson(rating(1, status="entered-in-error")), by=cast.stella)
    bare = {"resourceType": "Observation", "status": "entered-in-error"}
    emptied = take(ndjson(bare | {"id": "peg-1"}, bare | {"id": "nobody"}), by=cast.stella)

    assert (counts(first), counts(again)) == ((3, 0, 0, 0, 1), (0, 3, 0, 0, 1))
    assert refusals(first) == [(4, "not-a-pain-score", "Observation.code")]
    assert first.by_kind["pain_scores"] == {"created": 2}
    assert refusals(ended) == [(1, "patient-unknown", "Observation.subject")]
    assert (counts(emptied), refusals(emptied)) == (
        (0, 0, 1, 0, 1),
        [(2, "nothing-to-take-back", "Observation.status")],
    )
    newest = PainScoreVersion.objects.get(record__identifier="Observation/peg-1", version=2)
    assert (newest.status, newest.enjoyment) == ("entered_in_error", 6)


def test_an_insurer_brings_no_scores(cast: Cast) -> None:
    run = take(ndjson(patient(1), rating(1)), by=cast.oscar)

    assert refusals(run) == [(2, "forbidden", "Observation")]
    assert not PainScoreVersion.objects.exists()
