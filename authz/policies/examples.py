"""PURE: a policy's own examples, at least one each way: how they are written, and whether the policy agrees."""

import re
from collections.abc import Collection, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from authz.policies.reading import Reading, join
from authz.policies.version import Dispensed, Example, PolicyVersion
from authz.rules.evaluate import evaluate
from authz.rules.formulary import packaged
from authz.rules.policy import ExemptionCategory
from authz.rules.records import Case, Exemption, Record, RecordKind, RecordStatus
from authz.rules.thresholds import BenzodiazepineDays, findings

_NEEDED = ("name", "needs_authorization", "fills")
_MAY = ("as_of", "birth_date", "exemptions", "benzodiazepines", "required_from", "findings")
_RXCUI = re.compile(r"\d{1,8}")
_FILL = "start, days' supply, RxNorm product and quantity"
_EXEMPTION = "category, first day and, unless it is open, last day"
_BENZODIAZEPINE = "ingredient, first and last day"
_INGREDIENT = re.compile(r"[a-z0-9][a-z0-9 -]{0,99}")
_YEARS = range(1900, 2201)
# Far more than a person checks by hand; a document is read, and its examples are run, while its sender waits.
_MOST_EXAMPLES, _MOST_FILLS = 200, 100


def failures(policy: PolicyVersion) -> Iterator[tuple[str, str]]:
    """Run the examples. Yield the path and a sentence of everything in which the policy does not agree with one."""
    for n, example in enumerate(policy.examples):
        for sentence in disagreements(policy, example):
            yield f"examples[{n}]", f"{example.name}: {sentence}"


def disagreements(policy: PolicyVersion, example: Example) -> Iterator[str]:
    """Run one example. Yield a sentence of everything in which the policy does not agree with it."""
    case = _case(policy, example)
    formulary = packaged()  # not the one in use: an example means the same everywhere, and as long as its version
    verdict = evaluate(case, formulary)
    found = findings(case, verdict, policy.thresholds, benzodiazepine_days=example.benzodiazepines, formulary=formulary)
    days = [episode.pa_required_from for episode in verdict.episodes] + [finding.required_from for finding in found]
    required_from = min((day for day in days if day), default=None)
    if (required_from is not None) != example.needs_authorization:
        yield f"the policy requires authorization from {required_from} on." if required_from else "it requires none."
    elif example.required_from not in (None, required_from):
        yield f"authorization is required from {required_from} on, not from {example.required_from}."
    names = {finding.name for finding in found}
    if example.findings is not None and set(example.findings) != names:
        yield f"what is found is {', '.join(sorted(names)) or 'nothing'}."


def _case(policy: PolicyVersion, example: Example) -> Case:
    """Return the example as the rule reads it: every fill was learned on the day it was dispensed."""
    return Case(
        id="example",
        as_of=example.as_of or max(fill.start for fill in example.fills),
        birth_date=example.birth_date,
        policy=policy.parameters,
        records=tuple(_record(f"fill {n}", fill) for n, fill in enumerate(example.fills, start=1)),
        exemptions=example.exemptions,
    )


def _record(name: str, fill: Dispensed) -> Record:
    return Record(
        id=name,
        version=1,
        recorded_on=fill.start,
        kind=RecordKind.FILL,
        status=RecordStatus.ACTIVE,
        rx_id=None,
        fill_number=None,
        start=fill.start,
        rxcui=fill.rxcui,
        quantity=fill.quantity,
        days_supply=fill.days_supply,
        daily_units=None,
    )


def read_examples(reading: Reading, value: object, names: Collection[str]) -> tuple[Example, ...]:
    """Return a document's examples; `names` are those of its thresholds."""
    rows = _few(reading, value, "examples", _MOST_EXAMPLES)
    examples = [
        _example(reading, reading.table(row, path, needed=_NEEDED, may=_MAY), path, names) for path, row in rows
    ]
    if {example.needs_authorization for example in examples} != {True, False}:
        reading.refuse("examples", "At least one that needs authorization and one that does not are needed.")
    return tuple(examples)


def _example(reading: Reading, row: dict[str, Any], path: str, names: Collection[str]) -> Example:
    days = {
        name: _day(reading, row[name], join(path, name)) if name in row else None
        for name in ("as_of", "birth_date", "required_from")
    }
    needs = reading.switch(row.get("needs_authorization", False), join(path, "needs_authorization"))
    if days["required_from"] and not needs:
        reading.refuse(join(path, "required_from"), "An example that needs no authorization has no such day.")
    return Example(
        name=reading.text(row.get("name", "missing"), join(path, "name")),
        needs_authorization=needs,
        fills=_fills(reading, row.get("fills", []), join(path, "fills")),
        exemptions=_exemptions(reading, row.get("exemptions", []), join(path, "exemptions")),
        benzodiazepines=_benzodiazepines(reading, row.get("benzodiazepines", []), join(path, "benzodiazepines")),
        findings=_findings(reading, row["findings"], join(path, "findings"), names) if "findings" in row else None,
        **days,
    )


def _fills(reading: Reading, value: object, path: str) -> tuple[Dispensed, ...]:
    rows = _few(reading, value, path, _MOST_FILLS)
    if not rows:
        reading.refuse(path, "At least one fill is needed.")
    fills = [_fill(reading, row, place) for place, row in rows]
    return tuple(fill for fill in fills if fill is not None)


def _fill(reading: Reading, row: object, path: str) -> Dispensed | None:
    columns = reading.columns(row, path, _FILL, lengths={4})
    if not columns:
        return None
    rxcui = reading.text(columns[2], f"{path}[2]", _RXCUI)
    if rxcui and packaged().product(rxcui) is None:
        reading.refuse(f"{path}[2]", "The packaged formulary, on which examples run, has no such product.")
    return Dispensed(
        start=_day(reading, columns[0], f"{path}[0]") or date.min,
        days_supply=reading.whole(columns[1], f"{path}[1]"),
        rxcui=rxcui,
        quantity=reading.exact(columns[3], f"{path}[3]") or Decimal(0),
    )


def _few(reading: Reading, value: object, path: str, most: int) -> list[tuple[str, Any]]:
    rows = reading.rows(value, path)
    if len(rows) > most:
        reading.refuse(path, f"At most {most} are taken; there are {len(rows)}.")
    return rows[:most]


def _day(reading: Reading, value: object, path: str) -> date | None:
    day = reading.day(value, path)
    if day is not None and day.year not in _YEARS:
        reading.refuse(path, f"A day from {_YEARS[0]} to {_YEARS[-1]} is needed.")
    return day


def _exemptions(reading: Reading, value: object, path: str) -> tuple[Exemption, ...]:
    exemptions = []
    for place, row in reading.rows(value, path):
        columns = reading.columns(row, place, _EXEMPTION, lengths={2, 3})
        if not columns:
            continue
        if columns[0] not in list(ExemptionCategory):
            reading.refuse(f"{place}[0]", f"Use one of: {', '.join(ExemptionCategory)}.")
        first, *last = (reading.day(day, f"{place}[{n}]") for n, day in enumerate(columns[1:], start=1))
        exemptions.append(Exemption(category=str(columns[0]), start=first, end=last[0] if last else None))
    return tuple(exemptions)


def _benzodiazepines(reading: Reading, value: object, path: str) -> tuple[BenzodiazepineDays, ...]:
    periods = []
    for place, row in reading.rows(value, path):
        columns = reading.columns(row, place, _BENZODIAZEPINE, lengths={3})
        if not columns:
            continue
        ingredient = reading.text(columns[0], f"{place}[0]", _INGREDIENT)
        first, last = reading.day(columns[1], f"{place}[1]"), reading.day(columns[2], f"{place}[2]")
        with reading.refusals_under(place):
            if first and last:
                periods.append(BenzodiazepineDays(ingredient=ingredient, first=first, last=last))
    return tuple(periods)


def _findings(reading: Reading, value: object, path: str, names: Collection[str]) -> tuple[str, ...]:
    rows = reading.rows(value, path)
    for place, name in rows:
        if name not in list(names):  # a list asks only for equality: the name may be anything
            reading.refuse(place, f"It names none of the thresholds: {', '.join(names) or 'there are none'}.")
    return tuple(str(name) for _, name in rows)


def example_document(example: Example) -> dict[str, Any]:
    """Return an example as plain JSON values; what is not set is left out."""
    optional = {
        "as_of": _text(example.as_of),
        "birth_date": _text(example.birth_date),
        "exemptions": [_row(item.category, item.start, item.end) for item in example.exemptions] or None,
        "benzodiazepines": [_row(item.ingredient, item.first, item.last) for item in example.benzodiazepines] or None,
        "required_from": _text(example.required_from),
        "findings": None if example.findings is None else list(example.findings),
    }
    return {
        "name": example.name,
        "needs_authorization": example.needs_authorization,
        "fills": [[fill.start.isoformat(), fill.days_supply, fill.rxcui, str(fill.quantity)] for fill in example.fills],
        **{name: value for name, value in optional.items() if value is not None},
    }


def _row(name: str, *days: date | None) -> list[str]:
    return [name, *(day.isoformat() for day in days if day is not None)]


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None
