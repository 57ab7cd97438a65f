"""How fast the pure rule is, on one core. Run: python -m benchmarks.rules_speed

Prints for cases of 10 records how many are evaluated a second, and how many with reading and writing their JSON lines;
and CPU milliseconds of one patient's evaluation with 20 records, `first_known_on` included. Of several batches the
quickest is told. Exits with status 1 when a target is missed.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from itertools import islice
from random import Random
from time import process_time
from typing import Any

from authz.rules.case_json import answers, case_from_json
from authz.rules.evaluate import evaluate
from authz.rules.formulary import packaged

BATCHES = 20
CASES = 100
PATIENTS = 400
CASES_A_SECOND = 2_000
MILLISECONDS_A_PATIENT = 1.0
_CODES = ("1049621", "1049683", "835603", "864706", "197696", "897696")
_POLICIES: dict[str, dict[str, Any]] = {
    "default": {},
    "14 in 45 days": {"limit_days": 14, "window_days": 45, "overlap": "sum"},
    "14 in 45, established": {"limit_days": 14, "window_days": 45, "established_days": 90},
    "per fill": {"mode": "per_fill_naive", "gap_anchor": "fill_date"},
    "shift, elapsed": {"overlap": "shift", "basis": "elapsed"},
    "minors": {"minor_limit_days": 5},
}


def patient(random: Random, records: int, *, policy: dict[str, Any], authorized: bool = False) -> dict[str, Any]:
    """Return a case of fills close to each other; an authorization of all days makes the search for a need longest."""
    day, listed = date(2024, 1, 1), []
    for number in range(records):
        day += timedelta(days=random.randint(1, 40))
        days = random.choice([3, 5, 7, 10, 30])
        listed.append(
            {
                "id": f"r{number}",
                "version": 1,
                "recorded_on": (day + timedelta(days=random.choice([0, 0, 0, 2]))).isoformat(),
                "kind": random.choice(["fill", "fill", "fill", "rx"]),
                "status": random.choice(["active"] * 9 + ["reversed"]),
                "rx_id": f"x{number}",
                "fill_number": 0,
                "start": day.isoformat(),
                "rxcui": random.choice(_CODES),
                "quantity": str(days * random.randint(1, 6)),
                "days_supply": days,
                "daily_units": None,
            }
        )
    return {
        "id": f"p{random.random()}",
        "as_of": "2026-12-31",
        "patient": {"birth_date": "2007-03-01"},
        "policy": policy,
        "records": listed,
        "authorizations": [{"start": None, "end": None}] if authorized else [],
    }


def cases_a_second(policy: dict[str, Any]) -> float:
    """Return how many cases of 10 records are evaluated in a second of CPU."""
    random = Random(1)
    batches = [[case_from_json(patient(random, 10, policy=policy)) for _ in range(CASES)] for _ in range(BATCHES)]
    return CASES / _least(lambda cases: [evaluate(case) for case in cases], batches)


def lines_a_second(policy: dict[str, Any]) -> float:
    """Return how many such cases are read, evaluated and written in a second of CPU, from JSON line to JSON line."""
    random = Random(1)
    batches = [[json.dumps(patient(random, 10, policy=policy)) for _ in range(CASES)] for _ in range(BATCHES)]
    return CASES / _least(lambda lines: [json.dumps(outcome.answer) for outcome in answers(lines)], batches)


def milliseconds_a_patient(policy: dict[str, Any], *, authorized: bool) -> float:
    """Return the CPU of evaluating one patient with 20 records, the mean over a batch of patients."""
    random = Random(2)
    made = (case_from_json(patient(random, 20, policy=policy, authorized=authorized)) for _ in range(PATIENTS))
    batches = [list(islice(made, PATIENTS // BATCHES)) for _ in range(BATCHES)]
    return _least(lambda cases: [evaluate(case) for case in cases], batches) / len(batches[0]) * 1000


def _least(work: Callable[[Any], object], batches: Iterable[Any]) -> float:
    """Return the CPU seconds of the quickest batch: on a shared host the others' work counts into every slower one."""
    spent = []
    for batch in batches:
        began = process_time()
        work(batch)
        spent.append(process_time() - began)
    return min(spent)


def measurements() -> Iterator[bool]:
    """Print one line for each policy and yield whether its targets were met."""
    packaged()
    print(f"{'policy':24}{'cases/s':>10}{'lines/s':>10}{'ms, 20 records':>16}{'ms, all authorized':>20}")
    for name, policy in _POLICIES.items():
        rate, lines = cases_a_second(policy), lines_a_second(policy)
        usual, longest = (milliseconds_a_patient(policy, authorized=authorized) for authorized in (False, True))
        print(f"{name:24}{rate:10.0f}{lines:10.0f}{usual:16.3f}{longest:20.3f}")
        yield rate >= CASES_A_SECOND and usual <= MILLISECONDS_A_PATIENT


if __name__ == "__main__":
    sys.exit(0 if all(list(measurements())) else 1)
