"""POST /api/v1/imports/: the raw file as the body."""

import io
import json
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from authz.imports.models import ImportRun
from authz.prescriptions.models import Fill
from tests import cast as stage
from tests.api.callers import Caller, machine, nothing_changes, person, refused
from tests.imports.builders import bundle, dispensing, ndjson, patient, row, rows

pytestmark = pytest.mark.django_db

NDJSON = "application/fhir+ndjson"
FILE = ndjson(patient(1), dispensing(1, days=10), {"resourceType": "Condition"})


@pytest.fixture
def stella(cast: stage.Cast) -> Caller:
    return person("stella")


def send(caller: Caller, content: bytes, content_type: str = NDJSON, key: str | None = None) -> Any:
    return caller.send("POST", "imports/", content, content_type=content_type, key=key)


def test_a_file_is_taken_in_and_every_refused_line_told(stella: Caller) -> None:
    answer = send(stella, FILE)

    told = answer.json()
    assert answer.status_code == 201
    assert (told["created"], told["rejected"], told["needs_person"]) == (2, 1, 1)
    assert told["format"] == "fhir-ndjson"
    assert told["id"] == str(ImportRun.objects.get().public_id)
    assert told["rejections"] == [
        {
            "line": 3,
            "code": "not-taken-in",
            "path": "resourceType",
            "reason": "Condition is not taken in; "
            "only Patient, Coverage, MedicationRequest, MedicationDispense, Observation are.",
        }
    ]


@pytest.mark.parametrize(
    ("content_type", "content", "form"),
    [
        (NDJSON, FILE, "fhir-ndjson"),
        ("application/x-ndjson; charset=utf-8", FILE, "fhir-ndjson"),
        ("application/fhir+json", bundle(patient(1)), "fhir-bundle"),
        ("application/fhir+json; fhirVersion=4.0", bundle(patient(1)), "fhir-bundle"),
        ("text/csv", rows(row(1)), "csv"),
    ],
)
def test_the_content_type_says_the_format(stella: Caller, content_type: str, content: bytes, form: str) -> None:
    answer = send(stella, content, content_type)

    assert (answer.status_code, answer.json()["format"]) == (201, form)


def test_the_same_file_again_changes_nothing(stella: Caller) -> None:
    send(stella, FILE)

    told = send(stella, FILE).json()

    assert (told["created"], told["unchanged"]) == (0, 2)
    assert Fill.objects.count() == 1


def test_a_key_sent_again_is_answered_again_without_another_run(stella: Caller) -> None:
    first = send(stella, FILE, key="abc")

    again = send(stella, FILE, key="abc")

    assert again.json() == first.json()
    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")
    assert ImportRun.objects.count() == 1


def test_a_key_with_another_file_is_refused(stella: Caller) -> None:
    send(stella, FILE, key="abc")

    with nothing_changes():
        answer = send(stella, ndjson(patient(2)), key="abc")

    assert "another request" in refused(answer, 422, "idempotency-key-reused")["detail"]


class Pipe(io.BytesIO):
    """A body that comes over the wire, and remembers how much of it was read."""

    read_bytes = 0

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        self.read_bytes += len(piece)
        return piece


def announced(caller: Caller, pipe: Pipe, length: int) -> Any:
    """Send a body whose announced length is this."""
    return Client(raise_request_exception=False).post(
        "/api/v1/imports/",
        data=b"{}",
        content_type=NDJSON,
        headers={"Authorization": f"Bearer {caller.token}"},
        **{"wsgi.input": pipe, "CONTENT_LENGTH": str(length)},  # type: ignore[arg-type]
    )


def test_three_hundred_megabytes_are_refused_before_they_are_read(stella: Caller) -> None:
    pipe = Pipe(FILE)

    with nothing_changes():
        answer = announced(stella, pipe, 300 * 1024 * 1024)

    detail = refused(answer, 413, "import-too-large")["detail"]
    assert str(25 * 1024 * 1024) in detail
    assert "manage.py import" in detail
    assert pipe.read_bytes == 0


def test_the_cap_is_a_setting(stella: Caller, settings: LazySettings) -> None:
    settings.IMPORT_MAX_BYTES = len(FILE)
    assert send(stella, FILE).status_code == 201

    settings.IMPORT_MAX_BYTES = len(FILE) - 1
    with nothing_changes():
        refused(send(stella, FILE), 413, "import-too-large")


def test_a_body_shorter_than_announced_is_refused(stella: Caller) -> None:
    with nothing_changes():
        answer = announced(stella, Pipe(FILE), len(FILE) + 100)

    assert f"{len(FILE)} of the {len(FILE) + 100} bytes" in refused(answer, 422, "import-truncated")["detail"]


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        (NDJSON, FILE[:-10]),
        ("application/fhir+json", bundle(patient(1), dispensing(1))[:-10]),
        ("text/csv", rows(row(1))[:-2]),
    ],
)
def test_a_file_that_was_cut_off_is_refused_and_the_line_named(
    stella: Caller, content_type: str, content: bytes
) -> None:
    with nothing_changes():
        answer = send(stella, content, content_type)

    problem = refused(answer, 422, "import-truncated")
    assert "line" in problem["detail"]
    assert problem["line"] >= 1


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        (NDJSON, b""),
        (NDJSON, b"\n"),
        ("application/fhir+json", json.dumps(patient(1)).encode()),
        ("text/csv", b"a,b,c\r\n1,2,3\r\n"),
    ],
)
def test_a_file_that_is_not_what_it_is_said_to_be_is_refused(stella: Caller, content_type: str, content: bytes) -> None:
    with nothing_changes():
        refused(send(stella, content, content_type), 422, "import-unreadable")


@pytest.mark.parametrize("content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain"])
def test_other_content_types_are_refused(stella: Caller, content_type: str) -> None:
    with nothing_changes():
        refused(send(stella, FILE, content_type), 415, "unsupported-media-type")


@pytest.mark.parametrize("name", ["rae", "patel"])
def test_who_may_not_import_is_refused(cast: stage.Cast, name: str) -> None:
    caller = person(name)

    with nothing_changes():
        refused(send(caller, FILE), 403, "forbidden")


def test_a_stranger_is_refused(cast: stage.Cast) -> None:
    with nothing_changes():
        refused(send(Caller(), FILE), 401, "not-authenticated")


def test_a_machine_of_the_clinic_may_import(cast: stage.Cast) -> None:
    caller = machine(cast.riverside, *cast.stella.roles)

    assert send(caller, FILE).status_code == 201


def test_each_clinic_takes_in_its_own(stella: Caller) -> None:
    send(stella, FILE)

    answer = send(person("mallory"), FILE)

    assert answer.json()["created"] == 2
    assert Fill.objects.values("organization", "patient").distinct().count() == 2
