"""The product and the slow oracle, on random cases under random policies."""

import json
from random import Random

import pytest

from authz.rules.case_json import case_from_json
from authz.rules.evaluate import evaluate
from authz.rules.verdict import smallest_json
from tests.rules import oracle
from tests.rules.random_cases import random_case

BATCHES = 10
CASES_PER_BATCH = 250


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in range(1, BATCHES))])
def test_the_product_and_the_oracle_agree(seed: int) -> None:
    random = Random(seed)
    needs = 0

    for _ in range(CASES_PER_BATCH):
        case = random_case(random)
        expected = oracle.evaluate(case)
        needs += expected["pa_required"]
        assert smallest_json(evaluate(case_from_json(case))) == expected, json.dumps(case)

    assert needs > CASES_PER_BATCH // 10, (
        "Too few of the random cases need anything: the comparison would prove little."
    )
