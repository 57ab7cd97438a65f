"""What is published equals what is computed anew from the events, figure by figure, for whoever asks."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import urlencode

import pytest

from authz.ids import AppealId
from authz.prior_auths.appeal_lifecycle import AppealOutcome
from authz.prior_auths.lifecycle import ENDED
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import appeal_decisions
from authz.reporting.figures import Figure, Speed
from authz.reporting.periods import Every, Period, pieces
from tests import cast as stage
from tests.api.callers import person
from tests.api.test_review_queue import every_page
from tests.prior_auths.test_independent_review import forwarded_on_appeal, reviewed
from tests.reporting.oracle import Life, figures, lives
from tests.reporting.world import record_random_requests

pytestmark = pytest.mark.thorough

WHOLE = Period(stage.TODAY + timedelta(days=10), stage.TODAY + timedelta(days=95))
DAYS = {"since": WHOLE.since.isoformat(), "until": WHOLE.until.isoformat()}


@pytest.fixture
def world(cast: stage.Cast) -> list[Life]:
    record_random_requests(cast, Random(7), 150)
    return lives()


def blocks(told: Any) -> dict[tuple[str, str | None, str, str], Any]:
    return {
        (row["payer"]["name"], row["plan"] and row["plan"]["name"], row["since"], row["until"]): {
            speed.value: row[speed.value] for speed in Speed
        }
        for row in told["results"]
    }


def recomputed(seen: list[Life], by: str, every: Every | None) -> dict[tuple[str, str | None, str, str], Any]:
    def whose(life: Life) -> tuple[str, str | None]:
        assert life.request.insurer is not None
        assert life.request.coverage is not None
        plan = life.request.coverage.plan
        return life.request.insurer.name, plan.name if plan and by == "plan" else None

    counting = {whose(life) for life in seen if any(on in WHOLE for on in life.figures().values())}
    return {
        (*key, part.since.isoformat(), part.until.isoformat()): figures(
            [life for life in seen if whose(life) == key], part.since, part.until
        )
        for key in counting
        for part in pieces(WHOLE, every)
    }


def test_the_published_figures_are_those_of_the_events(cast: stage.Cast, world: list[Life]) -> None:
    own: list[tuple[str, Callable[[PriorAuth], bool]]] = [
        ("nora", lambda row: row.insurer == cast.evergreen),
        ("oscar", lambda row: row.insurer == cast.summit),
        ("stella", lambda row: row.clinic == cast.riverside),
    ]
    wishes: list[tuple[str, Every | None]] = [("payer", None), ("payer", Every.QUARTER), ("plan", Every.MONTH)]

    for name, sees in own:
        caller, seen = person(name), [life for life in world if sees(life.request)]
        for by, every in wishes:
            answer = caller.get("metrics/", **DAYS, by=by, **({"period": every.value} if every else {}))
            assert blocks(answer.json()) == recomputed(seen, by, every), (name, by, every)


def test_behind_every_figure_stand_as_many_requests(cast: stage.Cast, world: list[Life]) -> None:
    nora, seen = person("nora"), [life for life in world if life.request.insurer == cast.evergreen]

    for figure in Figure:
        days = [(life, on) for life in seen for name, on in life.figures().items() if name == figure and on in WHOLE]
        page = every_page(nora, f"metrics/requests/?{urlencode(DAYS)}&figure={figure}&limit=25")
        told = {(row["number"], row["urgency"], row["counted_on"]) for row in page}
        assert told == {(life.request.number, life.urgency, on.isoformat()) for life, on in days}
        assert len(told) == len(page) > 0, figure

    assert {life.request.state for life in world} >= {state.value for state in ENDED}


def test_what_an_appeal_overturned_is_approved_after_appeal_and_stays_a_denial(cast: stage.Cast) -> None:
    denied, uma = stage.denied(cast), stage.appeal_reviewer(cast)
    appeal = stage.appeal_in_review(cast, denied, by=uma, now=stage.later(30))
    appeal_decisions.overturn(appeal_id=AppealId(appeal.public_id), reason="Met.", by=uma, now=stage.later(40))

    day = {"since": stage.TODAY.isoformat(), "until": (stage.TODAY + timedelta(days=3)).isoformat()}
    (block,) = person("nora").get("metrics/", **day).json()["results"]

    counts = block["all"]["counts"]
    assert (counts["decided"], counts["denied"], counts["approved_after_appeal"], counts["approved"]) == (1, 1, 1, 0)


def test_what_the_independent_reviewer_overturned_is_approved_after_appeal_as_well(cast: stage.Cast) -> None:
    reviewed(cast, forwarded_on_appeal(cast), AppealOutcome.OVERTURNED)

    since, until = stage.TODAY, stage.TODAY + timedelta(days=3)
    (block,) = person("nora").get("metrics/", since=since.isoformat(), until=until.isoformat()).json()["results"]

    counts = block["all"]["counts"]
    assert (counts["decided"], counts["denied"], counts["approved_after_appeal"], counts["approved"]) == (1, 1, 1, 0)
    assert counts == figures(lives(), since, until)["all"]["counts"]
