"""`manage.py evaluate`: cases in, verdicts out."""

import gzip
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command

WORKED = Path(__file__).parents[1] / "rules" / "cases" / "worked_cases.jsonl"
LINES = WORKED.read_bytes().splitlines(keepends=True)
EXPECTED = [json.loads(line)["expected"] for line in LINES]


def evaluate(source: object, target: object, **options: Any) -> str:
    """Run the command and return what it wrote to the error stream."""
    errors = io.StringIO()
    call_command("evaluate", input=str(source), output=str(target), stderr=errors, **options)
    return errors.getvalue()


def results(target: Path) -> list[dict[str, Any]]:
    content = gzip.decompress(target.read_bytes()) if target.suffix == ".gz" else target.read_bytes()
    return [json.loads(line) for line in content.splitlines()]


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    file = tmp_path / "cases.jsonl"
    file.write_bytes(b"".join(LINES))
    return file


@pytest.mark.parametrize("name", ["results.jsonl", "results.jsonl.gz"])
def test_every_case_gets_its_result(cases: Path, tmp_path: Path, name: str) -> None:
    errors = evaluate(cases, tmp_path / name)

    assert results(tmp_path / name) == EXPECTED
    assert errors == ""


def test_compressed_cases_are_read(tmp_path: Path) -> None:
    (tmp_path / "cases.jsonl.gz").write_bytes(gzip.compress(b"".join(LINES)))

    evaluate(tmp_path / "cases.jsonl.gz", tmp_path / "results.jsonl")

    assert results(tmp_path / "results.jsonl") == EXPECTED


def test_standard_streams_stand_for_files(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(LINES[1])))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=written))

    evaluate("-", "-")

    assert json.loads(written.getvalue()) == EXPECTED[1]


def test_a_bad_line_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    source, errors = tmp_path / "cases.jsonl", io.StringIO()
    source.write_bytes(LINES[0] + b'{"id": "x"}\n' + b"\xff\n" + LINES[1])

    with pytest.raises(CommandError, match="Refused lines: 2") as stopped:
        call_command("evaluate", input=str(source), output=str(tmp_path / "out"), stderr=errors)

    assert stopped.value.returncode == 1
    assert results(tmp_path / "out") == EXPECTED[:2]
    told = errors.getvalue().splitlines()
    assert told[0] == "line 2: as_of: This is needed."
    assert told[1].startswith("line 3: line: This is not JSON")


def test_more_than_the_exchange_format_is_written_when_asked(cases: Path, tmp_path: Path) -> None:
    evaluate(cases, tmp_path / "out", full=True)

    assert results(tmp_path / "out")[0]["rule_version"] == "1"


def test_a_file_that_cannot_be_read_stops_the_command(tmp_path: Path) -> None:
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(b"".join(LINES))[:-100])
    (tmp_path / "not.jsonl.gz").write_bytes(LINES[0])

    for name in ("missing.jsonl", "cut.jsonl.gz", "not.jsonl.gz"):
        with pytest.raises(CommandError, match="Evaluation stopped"):
            evaluate(tmp_path / name, tmp_path / "out")


def test_the_input_is_never_overwritten(cases: Path) -> None:
    with pytest.raises(CommandError, match="same file"):
        evaluate(cases, cases)

    assert cases.read_bytes() == b"".join(LINES)
