"""Lists come a page at a time, and nobody is shown twice or missed."""

from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests import cast as stage
from tests.api.callers import Caller, field_errors


def walk(caller: Caller, path: str, **parameters: str) -> list[list[Any]]:
    pages = []
    while True:
        answer = caller.get(path, **parameters)
        assert answer.status_code == 200
        pages.append(answer.json()["results"])
        following = answer.json()["next"]
        if following is None:
            return pages
        assert urlsplit(following).path == f"/api/v1/{path}"
        parameters = {name: values[0] for name, values in parse_qs(urlsplit(following).query).items()}


def test_the_pages_hold_everybody_once_newest_first(cast: stage.Cast, stella: Caller) -> None:
    mrns = [f"MRN-{number}" for number in range(5)]
    for mrn in mrns:
        stage.register(cast, mrn=mrn, insured=False)

    pages = walk(stella, "patients/", limit="2")

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [row["identifier"] for page in pages for row in page] == list(reversed(mrns))


def test_a_row_that_comes_between_two_pages_disturbs_nobody(cast: stage.Cast, stella: Caller) -> None:
    for number in range(4):
        stage.register(cast, mrn=f"MRN-{number}", insured=False)
    first = stella.get("patients/", limit="2").json()
    stage.register(cast, mrn="MRN-late", insured=False)

    cursor = parse_qs(urlsplit(first["next"]).query)["cursor"][0]
    second = stella.get("patients/", limit="2", cursor=cursor).json()

    assert [row["identifier"] for row in second["results"]] == ["MRN-1", "MRN-0"]
    assert second["next"] is None


def test_the_next_page_keeps_the_filters(cast: stage.Cast, stella: Caller) -> None:
    patient = stage.register(cast)
    for _ in range(3):
        stage.fill(cast, patient, 1)
    stage.fill(cast, stage.register(cast), 1)

    pages = walk(stella, "fills/", patient=str(patient.public_id), limit="2")

    assert [len(page) for page in pages] == [2, 1]


def test_events_come_oldest_first(cast: stage.Cast, stella: Caller) -> None:
    drafted = stage.drafted(cast)

    pages = walk(stella, f"prior-authorizations/{drafted.public_id}/events/", limit="2")

    assert [event["step"] for page in pages for event in page] == [
        "open",
        "take_up",
        "ask_prescriber",
        "answer_prescriber",
    ]


@pytest.mark.parametrize("limit", ["0", "201", "-1", "ten", "1.5", "٣", "1e2"])
def test_a_limit_is_from_1_to_200(stella: Caller, limit: str) -> None:
    assert field_errors(stella.get("patients/", limit=limit)) == {
        "limit": ("invalid", "A whole number from 1 to 200 is needed.")
    }


@pytest.mark.parametrize(
    "cursor", ["nonsense", "%%%", "é", urlsafe_b64encode(b"after:abc").decode(), urlsafe_b64encode(b"7").decode()]
)
def test_a_cursor_is_one_of_ours(stella: Caller, cursor: str) -> None:
    assert field_errors(stella.get("patients/", cursor=cursor)) == {
        "cursor": ("invalid", "Not a cursor of this list; take it from `next`.")
    }
