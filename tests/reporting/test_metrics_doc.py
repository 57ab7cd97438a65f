"""docs/metrics.md defines every figure there is, and its example comes out."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from authz.api.productivity import ProductivityOut
from authz.prior_auths.determination import Basis, Outcome
from authz.prior_auths.lifecycle import State
from authz.reporting.aging import Age, TimeLeft
from authz.reporting.courses import Course, Ruling
from authz.reporting.figures import PERCENTAGES, Figure, Tally, counted
from authz.reporting.sheet import published

TEXT = (Path(__file__).resolve().parents[2] / "docs/metrics.md").read_text(encoding="utf-8")
NOON = datetime(2025, 3, 3, 12, tzinfo=UTC)


def decided(outcome: Outcome, hours: float, basis: Basis = Basis.PERSON, **other: bool) -> Ruling:
    return Ruling(outcome=outcome, basis=basis, at=NOON + timedelta(hours=hours), **other)


def received(*rulings: Ruling, given_up: State | None = None, **other: bool) -> Course:
    given_up_at = NOON if given_up else None
    return Course(received_at=NOON, rulings=rulings, given_up=given_up, given_up_at=given_up_at, **other)


EXAMPLE = [
    received(decided(Outcome.APPROVED, 20)),
    received(decided(Outcome.APPROVED, 1, Basis.RULE)),
    received(decided(Outcome.APPROVED, 40), is_extended=True, is_notified_late=True),
    received(decided(Outcome.DEEMED_APPROVED, 73, Basis.LAW, was_late=True), is_notified_late=True),
    received(decided(Outcome.DEEMED_ADVERSE, 73, Basis.LAW, was_late=True), is_notified_late=True),
    received(decided(Outcome.PARTIALLY_APPROVED, 50)),
    received(decided(Outcome.DENIED, 30), decided(Outcome.APPROVED, 750, on_appeal=True)),
    received(decided(Outcome.DENIED, 60)),
    received(given_up=State.WITHDRAWN),
    received(given_up=State.DISMISSED),
    received(),
]
"""The one that was voided has no course."""


def the_example() -> Tally:
    tally = Tally()
    for course in EXAMPLE:
        for figure, _ in counted(course):
            tally.count(figure, course)
    return tally


def test_every_figure_has_a_row_and_the_example_comes_out() -> None:
    told = published(the_example())
    rows = re.findall(r"^\| `(\w+)` \| .+ \| .+ \| (\d+) \| (?:([\d.]+) % )?\|$", TEXT, flags=re.MULTILINE)

    assert [name for name, _, _ in rows] == [figure.value for figure in Figure]
    assert {name: int(many) for name, many, _ in rows} == told["counts"]
    percentages = {name: percent for name, _, percent in rows if percent}
    assert percentages == {figure: told["percentages"][figure]["percent"] for figure in PERCENTAGES}


def test_the_examples_means_and_medians_come_out() -> None:
    times = published(the_example())["time_to_decision"]

    assert (
        f"the mean is {times['mean_hours']} hours or {times['mean_days']} days, "
        f"the median {times['median_hours']} hours or {times['median_days']} days"
    ) in TEXT


def test_every_bracket_and_every_figure_of_productivity_is_explained() -> None:
    said = set(re.findall(r"`(\w+)`", TEXT))

    assert {*Age, *TimeLeft} - said == set()
    assert set(ProductivityOut().fields) - {"since", "until"} - said == set()
