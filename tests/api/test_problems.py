"""A refusal is always a problem: the right status, a code that is documented, no trace of our inside."""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client, override_settings
from rest_framework import exceptions
from rest_framework.exceptions import ErrorDetail
from rest_framework.test import APIRequestFactory

import authz
from authz import clock
from authz.api.problem_page import PAGE
from authz.api.problems import STATUS, as_problem
from authz.errors import AuthzError, InvalidInput
from tests import cast as stage
from tests.api.callers import Caller, field_errors, fill_body, nothing_changes, refused


def every_error() -> Iterator[type[AuthzError]]:
    for module in pkgutil.walk_packages(authz.__path__, "authz."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)
    waiting = [AuthzError]
    while waiting:
        found = waiting.pop().__subclasses__()
        waiting += found
        yield from found


def test_every_error_of_the_product_has_a_status() -> None:
    missing = {error.__qualname__: error.code for error in every_error() if error.code not in STATUS}

    assert missing == {}


def test_every_status_is_one_of_http() -> None:
    assert [code for code, status in STATUS.items() if status < 400 or status not in list(HTTPStatus)] == []


def test_every_code_has_its_paragraph_with_its_status() -> None:
    paragraphs = re.findall(r"^### ([a-z-]+)\n(\d{3})\. \S", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)

    assert sorted((code, int(status)) for code, status in paragraphs) == sorted(STATUS.items())


def test_the_type_of_a_problem_leads_to_its_paragraph(client: Client, db: None) -> None:
    answer = client.get("/api/problems/")

    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/markdown; charset=utf-8"
    assert "### invalid-input\n" in answer.content.decode()


def problem_of(error: Exception) -> Any:
    answer = as_problem(error, {"request": APIRequestFactory().get("/api/v1/fills/")})
    assert answer is not None
    return answer


def test_nested_errors_are_named_by_dotted_path() -> None:
    blank = ErrorDetail("This field may not be blank.", code="blank")
    detail = {
        "items": [{}, {"days_supply": [blank]}],
        "answers": {3: [blank]},
        "non_field_errors": [blank],
        "a": {"b": {"c": [blank, blank]}},
    }

    errors = problem_of(exceptions.ValidationError(detail)).data["errors"]

    assert [error["field"] for error in errors] == ["items[1].days_supply", "answers[3]", "", "a.b.c", "a.b.c"]


def test_the_fields_of_a_service_are_named() -> None:
    answer = problem_of(InvalidInput({"plan": ["There is no such plan."]}))

    assert answer.data["errors"] == [{"field": "plan", "code": "invalid", "detail": "There is no such plan."}]


def test_what_an_error_adds_never_replaces_a_member_of_the_problem() -> None:
    class Odd(AuthzError):
        code = "not-found"

    answer = problem_of(Odd("There is no such thing.", status=200, allowed=["claim"]))

    assert (answer.status_code, answer.data["status"], answer.data["allowed"]) == (404, 404, ["claim"])


def test_a_caller_who_must_wait_is_told_how_long() -> None:
    answer = problem_of(exceptions.Throttled(wait=12.4))

    assert (answer.status_code, answer.data["code"], answer["Retry-After"]) == (429, "throttled", "13")


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["nonsense/", "patients/not-an-id/", "fills", "../v2/fills/", "patients/1/"])
def test_an_unknown_address_is_a_problem_too(path: str) -> None:
    problem = refused(Caller().get(path), 404, "not-found")

    assert problem["detail"] == "There is nothing at this address. Every address of the API ends with a slash."


def test_a_post_without_the_last_slash_is_never_turned_into_a_get(stella: Caller, patient: Any) -> None:
    with nothing_changes():
        answer = stella.post("fills", fill_body(patient))

    refused(answer, 404, "not-found")


def test_an_unknown_address_outside_the_api_is_no_problem_but_a_page(client: Client, db: None) -> None:
    answer = client.get("/nonsense/")

    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")


def test_a_method_the_address_does_not_take_is_named_with_those_it_takes(stella: Caller) -> None:
    answer = stella.send("PUT", "fills/", "{}")

    problem = refused(answer, 405, "method-not-allowed")
    assert problem["detail"] == 'Method "PUT" not allowed.'
    assert answer["Allow"] == "GET, HEAD, POST"


def test_a_body_of_another_type_is_refused(stella: Caller) -> None:
    with nothing_changes():
        answer = stella.send("POST", "fills/", "patient=1", content_type="application/x-www-form-urlencoded")

    refused(answer, 415, "unsupported-media-type")


def test_an_answer_exists_only_as_json(stella: Caller) -> None:
    answer = stella.client.get(
        "/api/v1/fills/", headers={"Authorization": f"Bearer {stella.token}", "Accept": "text/html"}
    )

    refused(answer, 406, "not-acceptable")


@override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=1000)
def test_a_body_over_the_limit_is_refused_with_the_limit(stella: Caller, patient: Any) -> None:
    with nothing_changes():
        answer = stella.post("fills/", fill_body(patient, product_name="x" * 1000))

    problem = refused(answer, 413, "body-too-large")
    assert problem["detail"] == "The body may have at most 1000 bytes."


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("prior-authorizations/{id}/submit/", "application/json"),
        ("prior-authorizations/{id}/claim/", "application/json"),
        ("fills/", "application/json"),
        ("fills/", ""),
        ("imports/", "text/csv"),
        ("imports/", "application/json"),
    ],
)
def test_a_body_in_chunks_of_no_announced_length_is_never_taken_for_no_body(
    stella: Caller, cast: stage.Cast, path: str, content_type: str
) -> None:
    prior_auth = stage.drafted(cast, now=clock.now())

    with nothing_changes():
        answer = stella.in_chunks(path.format(id=prior_auth.public_id), content_type=content_type)

    problem = refused(answer, 411, "length-required")
    assert problem["detail"] == "Send the body with a Content-Length; it came in chunks of no announced length."


def test_nobody_logs_in_with_a_body_in_chunks(cast: stage.Cast) -> None:
    refused(Caller().in_chunks("tokens/"), 411, "length-required")


def test_a_stranger_with_a_body_in_chunks_is_told_nothing_but_to_log_in(db: None) -> None:
    refused(Caller().in_chunks("fills/"), 401, "not-authenticated")


def test_a_body_in_chunks_that_a_proxy_has_put_together_is_read(stella: Caller, patient: Any) -> None:
    body = json.dumps(fill_body(patient))

    answer = stella.client.post(
        "/api/v1/fills/",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {stella.token}", "Transfer-Encoding": "chunked"},
    )

    assert answer.status_code == 201


def test_a_foreign_host_is_refused(client: Client, db: None) -> None:
    refused(client.get("/api/v1/meta/lifecycle/", headers={"Host": "evil.example"}), 400, "malformed-request")


def test_our_own_fault_says_nothing_of_our_inside(
    stella: Caller, patient: Any, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ROOT_URLCONF = "tests.api.broken_urls"

    answer = stella.get("broken/")

    problem = refused(answer, 500, "server-error")
    assert problem["detail"] == "Something went wrong on our side; nothing was changed."
    assert "the inside" not in answer.content.decode()


def test_an_unknown_query_parameter_is_refused_by_name(stella: Caller) -> None:
    errors = field_errors(stella.get("fills/", pateint="x", limit="5"))

    assert errors == {"pateint": ("unknown-parameter", "There is no such query parameter here.")}


@pytest.mark.parametrize("wanted", ["json", "xml"])
def test_no_query_parameter_chooses_the_format(stella: Caller, wanted: str) -> None:
    errors = field_errors(stella.get("patients/", format=wanted))

    assert errors == {"format": ("unknown-parameter", "There is no such query parameter here.")}


def test_a_query_parameter_is_given_once(stella: Caller) -> None:
    answer = stella.client.get(
        "/api/v1/prior-authorizations/?state=draft&state=queued", headers={"Authorization": f"Bearer {stella.token}"}
    )

    assert field_errors(answer) == {"state": ("repeated-parameter", "Give this query parameter once.")}


@pytest.mark.parametrize("name", ["state", "patient", "number", "needs_act", "limit", "cursor"])
@pytest.mark.parametrize("value", ["", " "])
def test_a_filter_that_says_nothing_is_not_taken_for_no_filter(stella: Caller, name: str, value: str) -> None:
    errors = field_errors(stella.get("prior-authorizations/", **{name: value}))

    assert errors == {name: ("empty-parameter", "Give this query parameter a value, or leave it out.")}


def test_a_post_takes_no_query_parameters(stella: Caller, patient: Any) -> None:
    with nothing_changes():
        answer = stella.post("fills/?dry_run=true", fill_body(patient))

    assert field_errors(answer) == {"dry_run": ("unknown-parameter", "There is no such query parameter here.")}


def test_nothing_between_us_and_the_caller_may_keep_an_answer(stella: Caller) -> None:
    assert stella.get("patients/")["Cache-Control"] == "no-store"
    assert Caller().get("patients/")["Cache-Control"] == "no-store"
