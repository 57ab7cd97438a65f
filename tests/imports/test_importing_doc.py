"""docs/importing.md says what the code does."""

import re
from pathlib import Path

from authz.imports.csv_fills import COLUMNS
from authz.imports.documents import Format
from authz.imports.fhir_pain import INSTRUMENTS, OBSERVATION_STATUS
from authz.imports.fhir_records import DISPENSE_STATUS, ORDER_INTENTS, ORDER_STATUS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/importing.md").read_text(encoding="utf-8")


def test_every_code_of_a_refused_line_is_explained() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "authz/imports").rglob("*.py")]
    raised = {code for source in sources for code in re.findall(r'Refusal\(\s*"([a-z0-9-]+)"', source)}

    explained = set(re.findall(r"`([a-z0-9-]+)`", TEXT.split("## Codes of refused lines")[1]))

    assert len(raised) > 30
    assert raised - explained == set()


def test_every_column_format_status_and_intent_is_named() -> None:
    words = {*COLUMNS, *Format, *DISPENSE_STATUS, *ORDER_STATUS, *ORDER_INTENTS, *INSTRUMENTS, *OBSERVATION_STATUS}

    assert {word for word in words if word not in TEXT} == set()
