"""The walk over bare days says what the rule says."""

from collections.abc import Iterator
from datetime import date
from random import Random
from typing import Any

import pytest

from authz.rules.case_json import case_from_json
from authz.rules.evaluate import evaluate
from authz.rules.policy import Policy
from authz.rules.use_days import circumstances_of
from authz.simulations.crossings import Crossing, can_walk, crossings
from tests.rules.random_cases import random_policy

DAY_1 = date(2025, 1, 1).toordinal()


def found(supplies: list[tuple[int, int]], **settings: Any) -> list[tuple[int, int]]:
    """Return (first day beyond, start of the cause) of each episode in need, as days from 1 on."""
    placed = [(DAY_1 + start - 1, days) for start, days in sorted(supplies)]
    walked = crossings(placed, Policy.from_mapping(settings))
    assert walked is not None
    return [(one.exceeded - DAY_1 + 1, one.caused - DAY_1 + 1) for one in walked]


@pytest.mark.parametrize(
    ("supplies", "settings", "needs"),
    [
        ([(1, 7)], {}, []),
        ([(1, 8)], {}, [(8, 1)]),
        ([(1, 4), (5, 4)], {}, [(8, 5)]),
        ([(1, 5), (3, 5)], {}, []),  # seven days, two of them covered twice
        ([(1, 5), (3, 5)], {"overlap": "sum"}, [(3, 3)]),
        ([(1, 8), (69, 8)], {}, [(8, 1), (76, 69)]),  # sixty uncovered days make a new episode
        ([(1, 8), (68, 8)], {}, [(8, 1)]),
        ([(1, 5), (20, 5)], {"horizon_days": 10}, []),
        ([(1, 5), (30, 5), (45, 5)], {"window_days": 20}, [(47, 45)]),
        ([(1, 5), (30, 5), (45, 5)], {"window_days": 20, "overlap": "sum"}, [(45, 45)]),
        ([(1, 5), (6, 30)], {"mode": "per_fill_naive"}, []),
        ([(1, 30), (6, 30)], {"mode": "per_fill_naive"}, [(8, 1)]),
        ([(1, 30), (62, 30)], {"mode": "per_fill_naive", "gap_anchor": "fill_date"}, [(8, 1), (69, 62)]),
    ],
)
def test_a_walk_finds_the_supply_that_passes_the_limit(
    supplies: list[tuple[int, int]], settings: dict[str, Any], needs: list[tuple[int, int]]
) -> None:
    assert found(supplies, **settings) == needs


@pytest.mark.parametrize(
    "settings",
    [
        {"overlap": "shift"},
        {"basis": "elapsed"},
        {"gap_anchor": "fill_date"},
        {"established_days": 7},
        {"established_days": 60, "established_window": 120},
    ],
)
def test_what_a_walk_cannot_tell_is_left_to_the_rule(settings: dict[str, Any]) -> None:
    assert not can_walk(Policy.from_mapping(settings))


def test_the_established_of_indiana_are_established_too_late_to_matter() -> None:
    indiana = Policy.from_mapping({"limit_days": 14, "window_days": 45, "established_days": 90})

    assert can_walk(indiana)


def test_released_days_within_a_window_are_left_to_the_rule() -> None:
    supplies = [(DAY_1, 30)]
    released = [(DAY_1 + 10, DAY_1 + 12)]

    assert crossings(supplies, Policy.from_mapping({"window_days": 45}), released) is None
    assert crossings(supplies, Policy.default(), released) == [Crossing(DAY_1, DAY_1, DAY_1 + 7, DAY_1 + 30)]


def _walkable(random: Random) -> Iterator[dict[str, Any]]:
    while True:
        settings = random_policy(random) | {"minor_limit_days": None}
        if can_walk(Policy.from_mapping(settings)):
            yield settings


@pytest.mark.parametrize("seed", range(4))
def test_a_walk_agrees_with_the_rule_on_any_use_under_any_policy_that_it_claims(seed: int) -> None:
    random = Random(seed)
    policies = _walkable(random)
    walks = 0

    for _ in range(600):
        case = case_from_json(_case(random, next(policies)))
        verdict = evaluate(case)
        supplies = sorted(
            (record.start.toordinal(), record.days_supply or 0)
            for record in case.records
            if record.id in verdict.counted
        )
        walked = crossings(supplies, case.policy, circumstances_of(case).released)
        starts = {record.id: record.start.toordinal() for record in case.records}
        by_rule = [
            (episode.start.toordinal(), starts[episode.trigger_record])
            for episode in verdict.episodes
            if episode.trigger_record is not None
        ]
        if walked is not None:
            walks += 1
            assert [(one.first, one.caused) for one in walked] == by_rule, case

    assert walks > 400


def _case(random: Random, settings: dict[str, Any]) -> dict[str, Any]:
    """Return a case of fills that all count, with exemptions of every category in a third of them."""
    day, records = date(2025, 1, 1).toordinal(), []
    for number in range(random.randint(1, 9)):
        day += random.choice([0, 0, 1, 2, 3, 4, 5, 6, 8, 10, 21, 30, 60, 70])
        start = date.fromordinal(day).isoformat()
        records.append(
            {
                "id": f"r{number}",
                "version": 1,
                "recorded_on": start,
                "kind": "fill",
                "status": "active",
                "rxcui": "1049621",
                "start": start,
                "days_supply": random.choice([1, 2, 3, 4, 5, 7, 8, 10, 14, 30]),
            }
        )
    first = date(2025, 1, 1).toordinal() + random.randint(0, 60)
    exempt = [
        {
            "category": random.choice(["cancer", "hospice", "ltc"]),
            "start": date.fromordinal(first).isoformat(),
            "end": random.choice([None, date.fromordinal(first + random.randint(0, 40)).isoformat()]),
        }
    ]
    return {
        "id": "random",
        "as_of": "2026-12-31",
        "policy": settings,
        "records": records,
        "exemptions": exempt if random.random() < 0.34 else [],
    }
