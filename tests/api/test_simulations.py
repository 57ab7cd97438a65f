"""Simulations over the API: asked for by an administrator, run by a worker, read by the insurer's people alone."""

from typing import Any

import pytest

from authz import clock
from tests import cast as stage
from tests.api.callers import Caller, days_ago, field_errors, nothing_changes, person, refused, today
from tests.api.test_policies import drafted, path_of
from tests.cast import Cast
from tests.policies.documents import limit
from tests.policies.office import an_office
from workers.tasks import run_simulations


@pytest.fixture
def ada(cast: Cast) -> Caller:
    an_office(cast)
    return person("ada")


def wish(cast: Cast, **other: Any) -> dict[str, Any]:
    return {"since": days_ago(6), "until": str(today()), "plans": [str(cast.plan.public_id)], **other}


@pytest.mark.django_db(transaction=True)
def test_an_administrator_asks_a_worker_runs_and_the_figures_can_be_read(cast: Cast, ada: Caller) -> None:
    stage.fill(cast, stage.register(cast), 5, on=today(), now=clock.now())
    path = f"{path_of(drafted(ada, limit(3, thresholds=[])))}simulations/"

    asked = ada.post(path, wish(cast), key="once")
    again = ada.post(path, wish(cast), key="once")
    waiting = ada.get(f"{path}{asked.json()['id']}/").json()
    run_simulations()
    done = person("rae").get(path).json()["results"]

    assert (asked.status_code, asked["Location"]) == (202, f"/api/v1/{path}{asked.json()['id']}/")
    assert again.json() == asked.json()
    assert (waiting["state"], waiting["report"]) == ("waiting", None)
    assert [(row["state"], row["patients_done"], row["report"]["newly_caught"]) for row in done] == [("done", 1, 1)]


def test_what_is_wrong_is_named_and_nothing_is_asked(cast: Cast, ada: Caller) -> None:
    path = f"{path_of(drafted(ada, limit(3)))}simulations/"

    with nothing_changes():
        answers = [
            ada.post(path, {"until": "soon", "minutes_a_request": 0, "who": "all"}),
            ada.post(path, wish(cast, until=days_ago(9))),
            ada.post(path, wish(cast, plans=[str(stage.unknown_id())])),
        ]

    named = [set(field_errors(answer)) for answer in answers]
    assert named == [{"since", "until", "minutes_a_request", "who"}, {"until"}, {"plans"}]


def test_only_the_insurers_own_people_ask_and_see(cast: Cast, ada: Caller) -> None:
    path = f"{path_of(drafted(ada, limit(3)))}simulations/"
    row = f"{path}{ada.post(path, wish(cast)).json()['id']}/"

    with nothing_changes():
        refused(person("rae").post(path, wish(cast)), 403, "forbidden")
        for stranger in (person("oscar"), person("stella")):
            for answer in (stranger.get(path), stranger.get(row)):
                assert answer.status_code in {403, 404}
            assert stranger.post(path, wish(cast)).status_code in {403, 404}
        refused(ada.get(f"{path}{stage.unknown_id()}/"), 404, "not-found")
