"""PURE: the rule's sentences with each record called by what it is, where people read them."""

import re
from collections.abc import Mapping
from typing import Any, Final

from authz.rules.records import RecordKind

KIND: Final[Mapping[RecordKind, str]] = {RecordKind.FILL: "Fill", RecordKind.RX: "Written order"}
_A_RECORD = re.compile(r"\b[Rr]ecord ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b")


def sentences_told(explanation: Mapping[str, Any]) -> list[str]:
    """Return why a request is needed, in sentences; those opened before traces were kept know no record's name."""
    names = record_names(explanation["trace"]) if "trace" in explanation else {}
    return [with_records_named(said, names) for said in explanation["sentences"]]


def record_names(trace: Mapping[str, Any]) -> dict[str, str]:
    """Return what to call each record of a trace, by its id."""
    return {record["record_id"]: _name(record) for record in trace["records"]}


def _name(record: Mapping[str, Any]) -> str:
    kind = KIND[RecordKind(record["kind"])].lower()
    return f"the {kind} of {record['start']} ({record['product_name'] or record['rxcui']})"


def with_records_named(sentence: str, names: Mapping[str, str]) -> str:
    """Return the rule's sentence with each record called by its name, or by the start of its id when it has none."""

    def name(found: re.Match[str]) -> str:
        called = names.get(found[1], f"record {found[1][:8]}")
        return called[:1].upper() + called[1:] if found.start() == 0 else called

    return _A_RECORD.sub(name, sentence)
