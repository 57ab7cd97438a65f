"""Bad input is answered with its status, code, field and sentence, and changes nothing."""

import json
from typing import Any

import pytest

from authz import clock
from authz.prescriptions.models import Fill, FillVersion, Patient
from tests import cast as stage
from tests.api.callers import (
    BAD_NPI,
    Caller,
    days_ago,
    field_errors,
    fill_body,
    nothing_changes,
    order_body,
    refused,
)

AT_LEAST_ONE = ("min-value", "Ensure this value is greater than or equal to 1.")
AT_MOST_366 = ("max-value", "Ensure this value is less than or equal to 366.")
NOT_POSITIVE = ("not-positive", "The amount must be more than 0.")
NO_FIELD = ("unknown-field", "There is no such field.")
NO_DAY = ("no-such-day", "The calendar has no such day.")
BAD_NPI_TOLD = ("invalid-npi", "Not a National Provider Identifier: ten digits, the last of which is a check digit.")
NO_PRODUCT = ("unknown-product", "The formulary knows no product of this RxNorm code.")

FAULTS: list[tuple[dict[str, Any], dict[str, tuple[str, str]]]] = [
    ({"colour": "blue"}, {"colour": NO_FIELD}),
    ({"status": "reversed"}, {"status": NO_FIELD}),
    ({"days_supply": "7"}, {"days_supply": ("invalid", "A whole number is needed.")}),
    ({"days_supply": 7.0}, {"days_supply": ("invalid", "A whole number is needed.")}),
    ({"days_supply": True}, {"days_supply": ("invalid", "A whole number is needed.")}),
    ({"days_supply": None}, {"days_supply": ("null", "This field may not be null.")}),
    ({"days_supply": 0}, {"days_supply": AT_LEAST_ONE}),
    ({"days_supply": -3}, {"days_supply": AT_LEAST_ONE}),
    ({"days_supply": 367}, {"days_supply": AT_MOST_366}),
    ({"quantity": -20}, {"quantity": NOT_POSITIVE}),
    ({"quantity": "-0.5"}, {"quantity": NOT_POSITIVE}),
    ({"quantity": 0}, {"quantity": NOT_POSITIVE}),
    ({"quantity": True}, {"quantity": ("invalid", 'An amount is needed, as a number or as a text such as "2.5".')}),
    ({"rxcui": "9999999"}, {"rxcui": NO_PRODUCT}),
    ({"rxcui": 1049621}, {"rxcui": ("invalid", "A text is needed.")}),
    ({"ndc": "00406055201"}, {"ndc": ("one-of-two", "Give the RxNorm code or the NDC, not both.")}),
    ({"prescriber_npi": BAD_NPI}, {"prescriber_npi": BAD_NPI_TOLD}),
    (
        {"prescriber_npi": "1003000126"},
        {"prescriber_npi": ("invalid", "No prescriber is recorded under this NPI. Record the prescriber first.")},
    ),
    ({"identifier": ["F-1"]}, {"identifier": ("invalid", "A text is needed.")}),
    ({"identifier": "F\0-1"}, {"identifier": ("null-characters-not-allowed", "Null characters are not allowed.")}),
    ({"patient": "MRN-1"}, {"patient": ("invalid", "An id is needed, as a UUID.")}),
    (
        {"patient": "00000000-0000-4000-8000-000000000000"},
        {"patient": ("not-found", "There is no such patient.")},
    ),
    (
        {"days_supply": 0, "quantity": -1, "prescriber_npi": BAD_NPI, "rxcui": "1", "note": "x"},
        {
            "days_supply": AT_LEAST_ONE,
            "quantity": NOT_POSITIVE,
            "prescriber_npi": BAD_NPI_TOLD,
            "rxcui": NO_PRODUCT,
            "note": NO_FIELD,
        },
    ),
]
DAYS: list[tuple[object, tuple[str, str]]] = [
    ("2025-02-30", NO_DAY),
    ("2023-02-29", NO_DAY),
    ("03/02/2025", ("invalid", "A day is needed, as YYYY-MM-DD.")),
    (20250302, ("invalid", "A day is needed, as YYYY-MM-DD.")),
    ("1025-03-02", ("too-early", "The day must not be before 1990-01-01.")),
]


@pytest.mark.parametrize(("change", "expected"), FAULTS)
def test_a_fill_with_bad_fields(
    stella: Caller, patient: Patient, change: dict[str, Any], expected: dict[str, tuple[str, str]]
) -> None:
    with nothing_changes():
        answer = stella.post("fills/", fill_body(patient, **change))

    assert field_errors(answer) == expected


@pytest.mark.parametrize(("change", "expected"), FAULTS)
def test_an_order_with_bad_fields(
    stella: Caller, patient: Patient, change: dict[str, Any], expected: dict[str, tuple[str, str]]
) -> None:
    with nothing_changes():
        answer = stella.post("prescriptions/", order_body(patient, **change))

    assert field_errors(answer) == expected


@pytest.mark.parametrize(("day", "expected"), DAYS)
def test_a_day_that_is_none(stella: Caller, patient: Patient, day: object, expected: tuple[str, str]) -> None:
    with nothing_changes():
        fill = stella.post("fills/", fill_body(patient, dispensed_on=day))
        order = stella.post("prescriptions/", order_body(patient, written_on=day))

    assert field_errors(fill) == {"dispensed_on": expected}
    assert field_errors(order) == {"written_on": expected}


def test_a_fill_is_not_dispensed_in_the_future(stella: Caller, patient: Patient) -> None:
    with nothing_changes():
        answer = stella.post("fills/", fill_body(patient, dispensed_on=days_ago(-1)))

    sentence = f"The day must not be after {days_ago(0)}; today is {days_ago(0)}."
    assert field_errors(answer) == {"dispensed_on": ("in-the-future", sentence)}


def test_every_missing_field_is_named(stella: Caller) -> None:
    with nothing_changes():
        answer = stella.post("fills/", {})

    required = ("required", "This field is required.")
    names = {"patient", "identifier", "dispensed_on", "quantity", "days_supply"}
    assert field_errors(answer) == dict.fromkeys(names, required) | {
        "rxcui": ("required", "Give the RxNorm code of the product, or its NDC as `ndc`.")
    }


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"patient": ', "The body is not JSON: line 1, column 13: Expecting value."),
        (
            b"{'patient': 1}",
            "The body is not JSON: line 1, column 2: Expecting property name enclosed in double quotes.",
        ),
        (b"[]", "The body must be one JSON object."),
        (b'"fill"', "The body must be one JSON object."),
        (b'{"days_supply": 5, "days_supply": 50}', "The body names 'days_supply' twice in one object."),
        (b'{"quantity": NaN}', "NaN is not a JSON number."),
        (b'{"a":' + b"[" * 5000, "The body is nested deeper than 32 levels."),
        (b"\xff\xfe", "The body is not UTF-8: byte 1 cannot be read."),
        (rb'{"\ud800": 1}', "The body holds half a surrogate pair, which is no character."),
    ],
)
def test_a_malformed_body(stella: Caller, body: bytes, sentence: str) -> None:
    with nothing_changes():
        answer = stella.send("POST", "fills/", body)

    assert refused(answer, 400, "malformed-body")["detail"] == sentence


def test_a_fill_for_a_patient_of_another_clinic_finds_no_such_patient(mallory: Caller, patient: Patient) -> None:
    with nothing_changes():
        answer = mallory.post("fills/", fill_body(patient))

    assert field_errors(answer) == {"patient": ("not-found", "There is no such patient.")}


def test_a_fill_number_of_one_patient_is_never_another_patients(
    cast: stage.Cast, stella: Caller, patient: Patient
) -> None:
    other = stage.register(cast)
    stella.post("fills/", fill_body(patient))

    with nothing_changes():
        answer = stella.post("fills/", fill_body(other))

    sentence = "This number is already a record of another patient."
    assert field_errors(answer) == {"identifier": ("invalid", sentence)}


def test_a_fill_of_an_unknown_order_is_refused(stella: Caller, patient: Patient) -> None:
    with nothing_changes():
        answer = stella.post("fills/", fill_body(patient, prescription="RX-unknown"))

    assert field_errors(answer) == {"prescription": ("invalid", "This patient has no prescription of that number.")}


def batch(patient: Patient, *changes: dict[str, Any]) -> dict[str, Any]:
    return {"items": [fill_body(patient, identifier=f"F-{n}", **change) for n, change in enumerate(changes)]}


def test_one_wrong_item_refuses_the_whole_batch_and_is_named(stella: Caller, patient: Patient) -> None:
    with nothing_changes():
        answer = stella.post("fills/batch/", batch(patient, {}, {}, {}, {"days_supply": 0}, {"colour": "x"}))

    assert field_errors(answer) == {"items[3].days_supply": AT_LEAST_ONE, "items[4].colour": NO_FIELD}


def test_an_item_that_only_the_service_can_refuse_is_named_too(stella: Caller, patient: Patient) -> None:
    with nothing_changes():
        answer = stella.post("fills/batch/", batch(patient, {}, {}, {"prescription": "RX-unknown"}, {}))

    sentence = "This patient has no prescription of that number."
    assert field_errors(answer) == {"items[2].prescription": ("invalid", sentence)}


def test_an_item_for_a_patient_of_another_clinic_is_named(
    cast: stage.Cast, stella: Caller, mallory: Caller, patient: Patient
) -> None:
    own = stage.register(cast, by=cast.mallory, insured=False)
    items = [fill_body(own, prescriber_npi=None), fill_body(patient, identifier="F-2", prescriber_npi=None)]

    with nothing_changes():
        answer = mallory.post("fills/batch/", {"items": items})

    assert field_errors(answer) == {"items[1].patient": ("not-found", "There is no such patient.")}


def test_an_identifier_comes_once_in_a_batch(stella: Caller, patient: Patient) -> None:
    body = batch(patient, {}, {})
    body["items"][1]["identifier"] = "F-0"

    with nothing_changes():
        answer = stella.post("fills/batch/", body)

    told = ("repeated-identifier", "items[0] has the same identifier.")
    assert field_errors(answer) == {"items[1].identifier": told}


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([], ("min-length", "Ensure this field has at least 1 elements.")),
        ([{}] * 501, ("max-length", "Ensure this field has no more than 500 elements.")),
        ("none", ("not-a-list", 'Expected a list of items but got type "str".')),
        (None, ("null", "This field may not be null.")),
    ],
)
def test_a_batch_is_a_list_of_1_to_500(stella: Caller, items: object, expected: tuple[str, str]) -> None:
    with nothing_changes():
        answer = stella.post("fills/batch/", {"items": items})

    assert field_errors(answer) == {"items": expected}


def test_an_item_that_is_no_object_is_named(stella: Caller, patient: Patient) -> None:
    with nothing_changes():
        answer = stella.post("fills/batch/", {"items": [fill_body(patient), 7]})

    assert field_errors(answer) == {"items[1]": ("invalid", "An object is needed.")}


def test_a_stale_if_match_decides_nothing(cast: stage.Cast, rae: Caller) -> None:
    case = stage.in_review(cast)

    with nothing_changes():
        answer = rae.post(f"prior-authorizations/{case.public_id}/approve/", if_match=f'"{case.version - 1}"')

    problem = refused(answer, 412, "stale-version")
    assert problem["detail"] == f"The request is at version {case.version} now; you read version {case.version - 1}."


def test_a_decision_needs_if_match(cast: stage.Cast, rae: Caller) -> None:
    case = stage.in_review(cast)

    with nothing_changes():
        answer = rae.post(f"prior-authorizations/{case.public_id}/approve/")

    problem = refused(answer, 428, "if-match-required")
    assert problem["detail"] == "Send If-Match with the ETag of what you decide on, as you read it."


@pytest.mark.parametrize("header", ["*", 'W/"7"', "7", '"seven"', '"7", "8"', '"7', ""])
def test_if_match_is_one_etag_of_ours(cast: stage.Cast, rae: Caller, header: str) -> None:
    case = stage.in_review(cast)

    with nothing_changes():
        answer = rae.post(f"prior-authorizations/{case.public_id}/approve/", if_match=header)

    problem = refused(answer, 400, "if-match-invalid")
    assert problem["detail"] == 'If-Match must be one ETag as this API gave it, such as "7".'


def test_submitting_needs_an_idempotency_key(cast: stage.Cast, stella: Caller) -> None:
    case = stage.drafted(cast, now=clock.now())

    with nothing_changes():
        answer = stella.post(f"prior-authorizations/{case.public_id}/submit/", {})

    refused(answer, 400, "idempotency-key-required")


def test_a_field_error_never_quotes_what_was_sent(stella: Caller, patient: Patient) -> None:
    answer = stella.post("fills/", fill_body(patient, identifier="Quincy-Canary" * 20, rxcui="Canary-drug"))

    assert answer.status_code == 422
    assert "canary" not in answer.content.decode().lower()


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("patients/", {"family_name": 5}, {"identifier", "family_name", "given_name", "birth_date"}),
        ("coverages/", {"starts_on": "2025-02-30"}, {"patient", "member_id", "starts_on"}),
        ("exemptions/", {"category": "mood"}, {"patient", "category", "evidence"}),
        ("prescribers/", {"npi": BAD_NPI}, {"npi", "family_name", "given_name"}),
    ],
)
def test_the_other_resources_name_their_fields_too(
    stella: Caller, path: str, body: dict[str, Any], expected: set[str]
) -> None:
    with nothing_changes():
        answer = stella.post(path, body)

    assert set(field_errors(answer)) == expected


def test_an_amount_sent_as_a_json_number_is_kept_exactly(stella: Caller, patient: Patient) -> None:
    raw = json.dumps(fill_body(patient, quantity=0)).replace('"quantity": 0', '"quantity": 0.1')

    answer = stella.send("POST", "fills/", raw)

    assert answer.json()["quantity"] == "0.1"
    assert str(FillVersion.objects.get().quantity) == "0.1000"
    assert Fill.objects.count() == 1
