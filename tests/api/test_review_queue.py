"""The review queue over the API."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authz.prior_auths.services import questions
from tests import cast as stage
from tests.api.callers import Caller, field_errors, nothing_changes, person, refused
from tests.prior_auths.test_queue import copies


@pytest.fixture
def rae(cast: stage.Cast) -> Caller:
    return person("rae")


def every_page(caller: Caller, path: str) -> list[Any]:
    seen: list[Any] = []
    while path:
        page = caller.get(path).json()
        seen += page["results"]
        path = (page["next"] or "").partition("/api/v1/")[2]
    return seen


def test_a_page_of_fifty_takes_five_queries_however_long_the_queue_is(cast: stage.Cast, rae: Caller) -> None:
    copies(stage.queued(cast), 60)

    with CaptureQueriesContext(connection) as queries:
        page = rae.get("review-queue/").json()

    asked = [query["sql"][:80] for query in queries.captured_queries if "SAVEPOINT" not in query["sql"]]
    assert len(page["results"]) == 50
    assert len(asked) <= 5 + 1, asked  # and one notes whose data was shown


@pytest.mark.parametrize("path", ["review-queue/", "prior-authorizations/"])
def test_a_list_takes_no_more_queries_the_more_of_it_waits_for_an_answer(
    cast: stage.Cast, rae: Caller, path: str
) -> None:
    def asked() -> None:
        held = stage.key_of(stage.in_review(cast))
        questions.ask(prior_auth_id=held, questions=["Which?"], by=cast.rae, now=stage.NOW)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            rae.get(path)
        return sum("SAVEPOINT" not in query["sql"] for query in captured)

    asked()
    short = queries()
    for _ in range(3):
        asked()

    assert queries() == short


def test_an_empty_queue_answers_a_claim_sent_twice_the_same_way(cast: stage.Cast, rae: Caller) -> None:
    answers = [rae.post("review-queue/next/", key="once") for _ in range(2)]

    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b""), (204, b"")]


def test_pages_follow_the_order_and_show_everything_once(cast: stage.Cast, rae: Caller) -> None:
    waiting = stage.incomplete(cast)
    copies(stage.queued(cast), 5)
    stage.queued(cast, now=stage.later(1))

    seen = every_page(rae, "review-queue/?limit=2")

    assert len({row["id"] for row in seen}) == len(seen) == 8
    assert seen[-1]["id"] == str(waiting.public_id)


@pytest.mark.parametrize("cursor", ["x", "YWI=", "fHw=", "MjAyNS0wMS0wMXx8"])
def test_what_is_no_cursor_is_refused(rae: Caller, cursor: str) -> None:
    refused(rae.get(f"review-queue/?cursor={cursor}"), 422, "invalid-input")


def test_filters_tell_whose_and_what_is_at_risk(cast: stage.Cast, rae: Caller) -> None:
    held = stage.in_review(cast)
    stage.queued(cast)

    def ids(parameters: str) -> list[str]:
        return [row["id"] for row in rae.get(f"review-queue/?{parameters}").json()["results"]]

    assert ids("whose=mine") == [str(held.public_id)]
    assert len(ids("whose=unassigned")) == len(ids("state=queued")) == 1
    assert (len(ids("breach_risk=true")), len(ids("breach_risk=false"))) == (2, 0)
    refused(rae.get("review-queue/?whose=yours"), 422, "invalid-input")


def test_the_next_one_is_claimed_and_then_there_is_nothing(cast: stage.Cast, rae: Caller) -> None:
    queued = stage.queued(cast)

    answer = rae.post("review-queue/next/")

    assert (answer.status_code, answer.json()["id"], answer.json()["state"]) == (
        200,
        str(queued.public_id),
        "in_review",
    )
    assert rae.post("review-queue/next/").status_code == 204
    assert rae.get("review-queue/workload/").json()["results"][1]["in_hand"] == 1


def test_a_step_that_says_everything_itself_takes_no_field(cast: stage.Cast, rae: Caller) -> None:
    waiting, held = stage.key_of(stage.queued(cast)), stage.key_of(stage.in_review(cast))
    paths = ["review-queue/next/", f"prior-authorizations/{held}/heartbeat/"]

    with nothing_changes():
        answers = [rae.post(path, {"x": 1}) for path in paths]

    assert [field_errors(answer) for answer in answers] == [{"x": ("unknown-field", "There is no such field.")}] * 2
    assert rae.post("review-queue/next/").json()["id"] == str(waiting)


def test_a_heartbeat_is_refused_to_who_does_not_have_it(cast: stage.Cast, rae: Caller) -> None:
    queued = stage.queued(cast)

    refused(rae.post(f"prior-authorizations/{queued.public_id}/heartbeat/"), 409, "not-in-hand")


def test_a_reviewer_says_that_they_are_away_and_that_they_are_back(cast: stage.Cast, rae: Caller) -> None:
    away = {"starts_at": "2025-03-03T12:00:00Z", "ends_at": "2125-03-10T12:00:00Z"}

    noted = rae.post("review-queue/absences/", away)
    listed = rae.get("review-queue/absences/").json()["results"]
    later = rae.post(
        "review-queue/absences/", {"starts_at": "2126-01-01T12:00:00Z", "ends_at": "2126-01-02T12:00:00Z"}
    ).json()
    here = rae.post("review-queue/absences/end/", {}).json()["results"]
    back = rae.post("review-queue/absences/end/", {"starts_at": later["starts_at"]})

    assert here == [later]
    assert noted.status_code == 201
    assert listed == [noted.json()]
    assert (listed[0]["person"]["name"], listed[0]["starts_at"]) == ("Rae Quinn", "2025-03-03T12:00:00Z")
    assert (back.status_code, back.json()) == (200, {"results": []})


def test_the_queue_says_who_has_a_request_and_until_when(cast: stage.Cast, rae: Caller) -> None:
    stage.queued(cast)
    held = stage.in_review(cast)

    rows = {row["id"]: row for row in rae.get("review-queue/").json()["results"]}

    assert [row["reviewer"] and row["reviewer"]["name"] for row in rows.values()] == [None, "Rae Quinn"]
    assert rows[str(held.public_id)]["leased_until"] == "2025-03-03T15:30:00Z"
