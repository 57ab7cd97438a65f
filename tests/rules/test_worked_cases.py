"""Cases worked out by hand: the product and the oracle must both give exactly their answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from authz.rules.case_json import case_from_json, read_line
from authz.rules.evaluate import evaluate
from authz.rules.records import AuthorizedPeriod, Exemption
from authz.rules.verdict import smallest_json, verdict_to_json
from tests.rules import oracle
from tests.rules.builders import day, fill, verdict

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

    assert (full["rule_version"], full["formulary_version"], full["overlap"]) == ("1", "2025.2", "union")
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


def test_the_full_answer_tells_what_released_each_day_and_what_is_not_known() -> None:
    given = verdict(
        fill("a", "2025-01-01", 15),
        fill("b", "2025-01-02", 2, quantity=None),
        known_from="2025-01-01",
        exemptions=[Exemption(category="cancer", start=day("2025-01-08"), end=day("2025-01-10"))],
        authorizations=[AuthorizedPeriod(start=day("2025-01-11"), end=day("2025-01-11"))],
        established_days=14,
    )

    full = verdict_to_json(given)

    assert full["episodes"] == [
        {
            "start": "2025-01-01",
            "end": "2025-01-15",
            "covered_days": 15,
            "records": ["a", "b"],
            "naive_at_start": "unknown",
            "exceeded_on": "2025-01-08",
            "pa_required_from": "2025-01-12",
            "pa_required_days": 3,
            "trigger_record": "a",
            "limit_days": 7,
            "count": 8,
            "releases": [
                {"by": "exemption", "category": "cancer", "first": "2025-01-08", "last": "2025-01-10", "days": 3},
                {"by": "authorization", "category": None, "first": "2025-01-11", "last": "2025-01-11", "days": 1},
                {"by": "established", "category": None, "first": "2025-01-15", "last": "2025-01-15", "days": 1},
            ],
        }
    ]
    assert full["mme"] == {
        "series": [
            ["2025-01-01", "2025-01-01", "30.00", True],
            ["2025-01-02", "2025-01-03", "30.00", False],
            ["2025-01-04", "2025-01-15", "30.00", True],
        ],
        "peak": "30.00",
        "peak_on": "2025-01-01",
        "days_ge_50": 0,
        "days_ge_90": 0,
        "on_as_of": "0.00",
        "table": "2022",
        "overlap": "sum",
        "days_ge_200": 0,
        "is_complete": False,
        "sources": ["cdc_2022"],
        "parts": [
            {"record": "a", "amount": "30.00", "source": "cdc_2022", "is_fallback": False, "no_mme_by_rule": False},
            {"record": "b", "amount": None, "source": "cdc_2022", "is_fallback": False, "no_mme_by_rule": False},
        ],
    }
    assert full["attention"] == [["a", "history_incomplete"], ["b", "no_quantity"]]
    assert (full["as_of"], full["history_incomplete"]) == ("2025-12-31", True)
