"""Random cases for comparing two readings of the rule: dense enough in time that every clause bites often."""

from datetime import date, timedelta
from random import Random
from typing import Any

from tests.rules.oracle import PRODUCTS

_FIRST_DAY = date(2024, 1, 20)  # a leap year, so that 29 February lies among the days
_CODES = [*PRODUCTS, *["1049621"] * 12, *["864706"] * 6, "9999999"]
_STATUSES = ["active"] * 20 + ["reversed", "cancelled", "entered_in_error"]
_SUPPLIES = [1, 2, 3, 3, 4, 4, 5, 5, 5, 6, 6, 7, 7, 7, 8, 8, 9, 10, 11, 12, 14, 15, 20, None, None, 0, -1, 367]
_CATEGORIES = ["cancer", "sickle_cell", "hospice", "palliative", "ltc", "surgery"]


def random_case(random: Random) -> dict[str, Any]:
    """Return one case as plain JSON values."""
    as_of = _some_day(random, random.choice([0, 30, 50]), 70)
    records: list[dict[str, Any]] = []
    for number in range(random.choice([0, 1, 2, 3, 4, 4, 5, 6])):
        records += _versions(random, number)
    return {
        "id": "random",
        "as_of": as_of,
        "history_start": random.choice([None, None, _some_day(random, -40, 40)]),
        "patient": {"birth_date": random.choice([None, "1970-05-05", "2006-02-10", "2004-02-29", "2012-02-29"])},
        "policy": random_policy(random),
        "records": records,
        "exemptions": [
            {"category": random.choice(_CATEGORIES), **_period(random)}
            for _ in range(random.choice([0, 0, 0, 0, 1, 2]))
        ],
        "authorizations": [_period(random) for _ in range(random.choice([0, 0, 0, 0, 1, 2]))],
    }


def random_policy(random: Random) -> dict[str, Any]:
    """Return some settings; about half of them are left to their defaults."""
    choices: dict[str, list[Any]] = {
        "mode": ["cumulative", "cumulative", "per_fill_naive"],
        "limit_days": [0, 1, 3, 5, 7, 14],
        "minor_age": [12, 18, 20],
        "minor_limit_days": [None, 0, 3, 5, 10],
        "gap_days": [1, 2, 3, 5, 9, 20, 60],
        "gap_anchor": ["supply_end", "fill_date"],
        "window_days": [None, 1, 3, 10, 45],
        "horizon_days": [None, 1, 5, 12, 30],
        "overlap": ["union", "shift", "sum"],
        "basis": ["projected", "elapsed"],
        "count_pain_buprenorphine": [True, False],
        "count_written": [True, False],
        "written_expiry_days": [0, 1, 5, 30],
        "exempt_categories": [[], ["cancer"], ["hospice", "ltc"], ["cancer", "sickle_cell", "hospice", "palliative"]],
        "established_days": [None, 1, 3, 8],
        "established_window": [1, 4, 10, 30, 120],
        "mme_table": ["2022", "2016"],
        "mme_overlap": ["sum", "shift_same_product"],
    }
    share = random.choice([0.1, 0.5, 0.9])
    return {name: random.choice(values) for name, values in choices.items() if random.random() < share}


def _versions(random: Random, number: int) -> list[dict[str, Any]]:
    """Return one record, now and then with later versions of it."""
    first = _record(random, number)
    versions = [first]
    while random.random() < 0.2:
        later = {**first, **_correction(random), "version": len(versions) + 1}
        later["recorded_on"] = _later(random, versions[-1]["recorded_on"])
        versions.append(later)
    return versions


def _correction(random: Random) -> dict[str, Any]:
    return random.choice(
        [
            {"status": random.choice(_STATUSES)},
            {"days_supply": random.choice(_SUPPLIES)},
            {"start": _some_day(random, 0, 60)},
            {"rx_id": "p"},
        ]
    )


def _record(random: Random, number: int) -> dict[str, Any]:
    start = _some_day(random, 0, random.choice([10, 30, 60]))
    return {
        "id": random.choice("abcdefgh") + str(number),
        "version": 1,
        "recorded_on": random.choice([start, start, _later(random, start), _some_day(random, 0, 60)]),
        "kind": random.choice(["fill", "fill", "fill", "rx"]),
        "status": random.choice(_STATUSES),
        "rx_id": random.choice([None, "p", "p", "q", f"x{number}", f"x{number}"]),
        "fill_number": random.choice([None, 0, 0, 1]),
        "start": random.choice([start, start, "2024-02-01"]),
        "rxcui": random.choice(_CODES),
        "quantity": random.choice([None, 0, "-3", 1, "10", 20, 28, "30", "7.5", "120"]),
        "days_supply": random.choice(_SUPPLIES),
        "daily_units": random.choice([None, 0, "1", 2, "2.5", "4"]),
    }


def _period(random: Random) -> dict[str, Any]:
    start = _some_day(random, -5, 60)
    end = _later(random, start)
    return {"start": random.choice([None, start, start, start]), "end": random.choice([None, end, end, end])}


def _some_day(random: Random, least: int, most: int) -> str:
    return (_FIRST_DAY + timedelta(days=random.randint(least, most))).isoformat()


def _later(random: Random, day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=random.choice([0, 1, 2, 4, 8, 16]))).isoformat()
