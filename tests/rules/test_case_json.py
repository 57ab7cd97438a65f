"""Cases as JSON: what is read, and that every refusal names its field."""

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from authz.errors import InvalidInput
from authz.rules.case_json import answers, case_from_json, read_line, reason_of
from authz.rules.formulary import Formulary, packaged
from authz.rules.policy import Policy
from authz.rules.records import Record, RecordKind, RecordStatus
from authz.rules.verdict import verdict_to_json

RECORD = {
    "id": "a",
    "version": 1,
    "recorded_on": "2025-01-01",
    "kind": "fill",
    "status": "active",
    "rx_id": "p",
    "fill_number": 0,
    "start": "2025-01-01",
    "rxcui": "1049621",
    "quantity": "32",
    "days_supply": 8,
    "daily_units": None,
}
CASE = {"id": "c1", "as_of": "2025-01-31", "records": [RECORD]}


def with_record(**changes: Any) -> dict[str, Any]:
    return {**CASE, "records": [RECORD, {**RECORD, "id": "b", **changes}]}


def without(name: str) -> dict[str, Any]:
    return {**CASE, "records": [{key: value for key, value in RECORD.items() if key != name}]}


def refusal(facts: Any) -> dict[str, list[str]]:
    with pytest.raises(InvalidInput) as refused:
        case_from_json(facts)
    return refused.value.fields


def test_a_whole_case_is_read() -> None:
    case = case_from_json(
        {
            **CASE,
            "history_start": "2024-01-01",
            "patient": {"birth_date": "1970-05-05"},
            "policy": {"limit_days": 5},
            "exemptions": [{"category": "cancer", "start": "2024-01-01", "end": None}],
            "authorizations": [{"start": "2025-01-01", "end": "2025-01-14"}],
        }
    )

    assert case.records == (
        Record(
            id="a",
            version=1,
            recorded_on=date(2025, 1, 1),
            kind=RecordKind.FILL,
            status=RecordStatus.ACTIVE,
            rx_id="p",
            fill_number=0,
            start=date(2025, 1, 1),
            rxcui="1049621",
            quantity=Decimal(32),
            days_supply=8,
            daily_units=None,
        ),
    )
    assert (case.as_of, case.history_start, case.birth_date) == (date(2025, 1, 31), date(2024, 1, 1), date(1970, 5, 5))
    assert case.policy == Policy(limit_days=5)
    assert (case.exemptions[0].category, case.exemptions[0].end) == ("cancer", None)
    assert case.authorizations[0].end == date(2025, 1, 14)


def test_what_a_case_leaves_out_is_not_known() -> None:
    case = case_from_json(
        {"id": "c1", "as_of": "2025-01-31", "patient": None, "policy": None, "records": None, "note": "kept apart"}
    )

    assert (case.history_start, case.birth_date, case.records, case.policy) == (None, None, (), Policy.default())


def test_a_record_without_its_optional_facts_is_read() -> None:
    optional = ("rx_id", "fill_number", "rxcui", "quantity", "days_supply", "daily_units")

    (record,) = case_from_json({**CASE, "records": [{k: v for k, v in RECORD.items() if k not in optional}]}).records

    assert (record.rx_id, record.fill_number, record.rxcui, record.quantity, record.days_supply) == (
        None,
        None,
        "",
        None,
        None,
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ('"28"', "28"),
        ("28", "28"),
        ("7.50", "7.50"),
        ('"0.1"', "0.1"),
        ("0.1", "0.1"),
        ("-3", "-3"),
        ("1e2", "1E+2"),
        ("0.12345678901234567890", "0.12345678901234567890"),
        ("null", None),
    ],
)
def test_quantities_are_exact_as_text_or_number(text: str, number: str | None) -> None:
    case = read_line(json.dumps(CASE).replace('"32"', text))

    assert case.records[0].quantity == (None if number is None else Decimal(number))


def test_a_float_already_parsed_is_read_as_it_prints() -> None:
    assert case_from_json(with_record(quantity=0.1)).records[1].quantity == Decimal("0.1")


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ([], "case"),
        ({"as_of": "2025-01-31"}, "id"),
        ({"id": 5, "as_of": "2025-01-31"}, "id"),
        ({"id": "c1"}, "as_of"),
        ({**CASE, "as_of": "2025-02-30"}, "as_of"),
        ({**CASE, "as_of": "20250131"}, "as_of"),
        ({**CASE, "as_of": "2025-W05-5"}, "as_of"),
        ({**CASE, "as_of": "9999-12-31"}, "as_of"),
        ({**CASE, "as_of": 20250131}, "as_of"),
        ({**CASE, "history_start": "soon"}, "history_start"),
        ({**CASE, "patient": "Jones"}, "patient"),
        ({**CASE, "patient": {"birth_date": "5 May"}}, "patient.birth_date"),
        ({**CASE, "policy": []}, "policy"),
        ({**CASE, "patient": ""}, "patient"),
        ({**CASE, "policy": ["x"]}, "policy"),
        ({**CASE, "policy": {"limit": 5}}, "policy.limit"),
        ({**CASE, "policy": {"limit_days": "5"}}, "policy.limit_days"),
        ({**CASE, "records": {}}, "records"),
        ({**CASE, "records": ["a"]}, "records[0]"),
        (without("id"), "records[0].id"),
        (without("version"), "records[0].version"),
        (without("recorded_on"), "records[0].recorded_on"),
        (without("start"), "records[0].start"),
        (without("kind"), "records[0].kind"),
        (without("status"), "records[0].status"),
        (with_record(id=""), "records[1].id"),
        (with_record(id=7), "records[1].id"),
        (with_record(version="1"), "records[1].version"),
        (with_record(version=True), "records[1].version"),
        (with_record(start="2025-02-30"), "records[1].start"),
        (with_record(start="2025-01-01T00:00:00Z"), "records[1].start"),
        (with_record(recorded_on=None), "records[1].recorded_on"),
        (with_record(kind="refill"), "records[1].kind"),
        (with_record(status="paid"), "records[1].status"),
        (with_record(status=["active"]), "records[1].status"),
        (with_record(rx_id=7), "records[1].rx_id"),
        (with_record(rxcui=1049621), "records[1].rxcui"),
        (with_record(fill_number="0"), "records[1].fill_number"),
        (with_record(days_supply="8"), "records[1].days_supply"),
        (with_record(days_supply=8.0), "records[1].days_supply"),
        (with_record(days_supply=Decimal("8.5")), "records[1].days_supply"),
        (with_record(days_supply=False), "records[1].days_supply"),
        (with_record(quantity="many"), "records[1].quantity"),
        (with_record(quantity="1_000"), "records[1].quantity"),
        (with_record(quantity="NaN"), "records[1].quantity"),
        (with_record(quantity="Infinity"), "records[1].quantity"),
        (with_record(quantity="1E999999999"), "records[1].quantity"),
        (with_record(quantity="1E-999999999"), "records[1].quantity"),
        (with_record(quantity=True), "records[1].quantity"),
        (with_record(quantity=[28]), "records[1].quantity"),
        (with_record(daily_units="few"), "records[1].daily_units"),
        (with_record(day_supply=8), "records[1].day_supply"),
        ({**CASE, "exemptions": [{"start": "2025-01-01"}]}, "exemptions[0].category"),
        ({**CASE, "exemptions": [{"category": 1}]}, "exemptions[0].category"),
        ({**CASE, "exemptions": [{"category": "cancer", "until": None}]}, "exemptions[0].until"),
        ({**CASE, "exemptions": [{"category": "cancer", "end": "2025-13-01"}]}, "exemptions[0].end"),
        ({**CASE, "exemptions": [{"category": "cancer", "start": 5}]}, "exemptions[0].start"),
        ({**CASE, "exemptions": [{"category": "cancer", "b": 5, "a": 5}]}, "exemptions[0].a exemptions[0].b"),
        ({**CASE, "authorizations": [{"start": 1}]}, "authorizations[0].start"),
        ({**CASE, "authorizations": [{"end": "2025-1-14"}]}, "authorizations[0].end"),
        ({**CASE, "authorizations": [{"number": "PA-1"}]}, "authorizations[0].number"),
        ({**CASE, "records": [RECORD, {**RECORD, "days_supply": 9}]}, "records[1].version"),
    ],
)
def test_what_is_wrong_is_refused_by_its_path(facts: Any, field: str) -> None:
    assert list(refusal(facts)) == field.split()


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ([], "An object is needed."),
        ({**CASE, "patient": "Jones"}, "An object is needed."),
        ({**CASE, "records": {}}, "A list is needed."),
        ({"id": "c1"}, "This is needed."),
        (with_record(day_supply=8), "There is no such field."),
        ({**CASE, "policy": {"limit": 5}}, "There is no such setting."),
        ({**CASE, "as_of": "2025-02-30"}, "'2025-02-30' is not a day of the calendar."),
        ({**CASE, "as_of": "2025/01/31"}, "'2025/01/31' is not a calendar date (YYYY-MM-DD)."),
        ({**CASE, "as_of": "2025-01/31"}, "'2025-01/31' is not a calendar date (YYYY-MM-DD)."),
        ({**CASE, "as_of": 20250131}, "20250131 is not a calendar date (YYYY-MM-DD)."),
        ({**CASE, "as_of": "9001-01-01"}, "A calendar date no later than the year 9000 is needed."),
        (with_record(quantity="many"), "'many' is not a number."),
        (with_record(quantity="1_000"), "'1_000' is not a number."),
        (with_record(daily_units="few"), "'few' is not a number."),
        (with_record(quantity="1E41"), "A finite number of at most 40 digits is needed."),
        (with_record(daily_units="NaN"), "A finite number of at most 40 digits is needed."),
        (with_record(id=""), "A text is needed."),
        (with_record(version="1"), "A whole number is needed."),
        (with_record(kind="refill"), "One of fill, rx is needed."),
        (with_record(status="paid"), "One of active, reversed, cancelled, entered_in_error is needed."),
        (with_record(rx_id=7), "A text or null is needed."),
        (with_record(days_supply="8"), "A whole number or null is needed."),
        ({**CASE, "id": 5}, "A text is needed."),
        ({**CASE, "exemptions": [{"category": 1}]}, "A text is needed."),
        (
            {**CASE, "records": [RECORD, {**RECORD, "days_supply": 9}]},
            "Record 'a' has version 1 of 2025-01-01 twice, with different content.",
        ),
    ],
)
def test_a_refusal_says_what_is_needed(facts: Any, says: str) -> None:
    assert list(refusal(facts).values()) == [[says]]


@pytest.mark.parametrize("digits", ["1E40", "-1E40", "1E-40"])
def test_a_number_of_forty_digits_is_still_read(digits: str) -> None:
    assert case_from_json(with_record(quantity=digits)).records[1].quantity == Decimal(digits)


def test_the_same_version_twice_with_the_same_content_is_no_contradiction() -> None:
    twice = {**CASE, "records": [RECORD, {**RECORD, "quantity": "32.0"}]}

    assert len(case_from_json(twice).records) == 2


@pytest.mark.parametrize(
    "line",
    ["{", "", "nonsense", '{"id": NaN}', "[" * 100_000, b"\xff\xfe", b'{"id": "\xff"}'],
    ids=["cut", "empty", "word", "NaN", "deep", "bytes", "text"],
)
def test_a_line_that_is_not_json_is_refused(line: str | bytes) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_line(line)

    assert list(refused.value.fields) == ["line"]


def test_a_line_with_a_number_that_json_does_not_have_is_told_which() -> None:
    with pytest.raises(InvalidInput) as refused:
        read_line('{"id": NaN}')

    assert refused.value.fields == {"line": ["This is not JSON: NaN is not a number."]}


def test_a_refusal_is_one_line() -> None:
    assert reason_of(InvalidInput({"a": ["One.", "Two."], "b": ["Three."]})) == "a: One. Two.; b: Three."


def test_a_bad_line_does_not_stop_the_others() -> None:
    lines = [
        json.dumps(CASE),
        "",
        "{",
        json.dumps({**CASE, "as_of": "never"}),
        json.dumps({**CASE, "id": "c5"}).encode(),
    ]

    outcomes = list(answers(lines))

    assert [outcome.number for outcome in outcomes] == [1, 3, 4, 5]
    assert [outcome.answer and outcome.answer["id"] for outcome in outcomes] == ["c1", None, None, "c5"]
    assert outcomes[2].reason == "as_of: 'never' is not a calendar date (YYYY-MM-DD)."


@pytest.mark.parametrize(("render", "keys"), [(None, 7), (verdict_to_json, 13)])
def test_answers_are_the_exchange_format_unless_more_is_asked(render: Callable[..., Any] | None, keys: int) -> None:
    (outcome,) = answers([json.dumps(CASE)], **({"render": render} if render else {}))

    assert outcome.answer is not None
    assert len(outcome.answer) == keys


def test_answers_go_by_the_formulary_that_is_given() -> None:
    nothing_known = Formulary("none", {})

    (own,), (shipped,) = answers([json.dumps(CASE)], nothing_known), answers([json.dumps(CASE)], packaged())

    assert own.answer is not None
    assert own.answer["ignored"] == [["a", "unknown_product"]]
    assert shipped.answer is not None
    assert shipped.answer["counted"] == ["a"]
