"""Cases worked out by hand: the product and the oracle must both give exactly their answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from authz.rules.case_json import case_from_json, read_line
from authz.rules.evaluate import evaluate
from authz.rules.verdict import smallest_json, verdict_to_json
from tests.rules import oracle

LINES = Path(__file__).with_name("cases").joinpath("worked_cases.jsonl").read_text(encoding="utf-8").splitlines()
CASES = [json.loads(line) for line in LINES]
NAMES = [case["name"] for case in CASES]


def test_all_worked_cases_are_there() -> None:
    assert len(CASES) == 25


@pytest.mark.parametrize("worked", CASES, ids=NAMES)
def test_a_worked_case_gets_its_answer(worked: dict[str, Any]) -> None:
    assert smallest_json(evaluate(case_from_json(worked))) == worked["expected"]


@pytest.mark.parametrize("worked", CASES, ids=NAMES)
def test_the_oracle_reads_the_rule_the_same_way(worked: dict[str, Any]) -> None:
    assert oracle.evaluate(worked) == worked["expected"]


@pytest.mark.parametrize("line", LINES, ids=NAMES)
def test_the_full_answer_only_adds_to_the_smallest(line: str) -> None:
    verdict = evaluate(read_line(line))

    smallest, full = smallest_json(verdict), verdict_to_json(verdict)

    assert {name: full[name] for name in smallest if name not in ("episodes", "mme")} == {
        name: smallest[name] for name in smallest if name not in ("episodes", "mme")
    }
    assert all(
        item.items() >= small.items() for item, small in zip(full["episodes"], smallest["episodes"], strict=True)
    )
    assert full["mme"].items() >= smallest["mme"].items()
    assert json.loads(json.dumps(full)) == full


def test_the_full_answer_names_its_table_its_versions_and_its_overlaps() -> None:
    full = verdict_to_json(evaluate(case_from_json(CASES[-1])))

    assert (full["rule_version"], full["formulary_version"], full["overlap"]) == ("1", "2025.1", "union")
    assert full["mme"]["table"] == "2016"
    assert full["mme"]["overlap"] == "sum"
    assert full["mme"]["sources"] == ["cdc_2018", "cms_tiers"]
    assert full["mme"]["days_ge_200"] == 30
    assert full["attention"] == []
    assert full["mme"]["parts"][2] == {
        "record": "c",
        "amount": "180.00",
        "source": "cdc_2018",
        "is_fallback": False,
        "no_mme_by_rule": False,
    }
