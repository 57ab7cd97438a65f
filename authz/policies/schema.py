"""PURE: reads a policy document, the same for a file of the catalog and for a payer's own, and writes it back.

A document is a mapping as TOML or JSON gives it. Everything that is wrong with one is told at once, each by its path.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from authz.access.specialties import Specialty
from authz.policies.automation import Automation, Criterion
from authz.policies.cited import MARK, read_mark, read_name, read_notes, read_sources, read_validity
from authz.policies.examples import example_document, read_examples
from authz.policies.reading import Reading, join, member
from authz.policies.version import DECIDERS, Mark, PolicyVersion
from authz.rules.policy import Policy
from authz.rules.thresholds import FindingAction, FindingKind, Threshold

TERMS: Final = ("sources", "parameters", "thresholds", "automation", "deciders", "examples", "notes")
"""The parts of a document besides its name and its validity."""

_NEEDED = ("code", "version", "title", "in_force_from", "sources", "parameters", "examples")
_MAY = ("in_force_until", "thresholds", "automation", "deciders", "notes")
_AUTOMATION = ("most_days", "fresh_days", "second_reading_percent")


def read_policy(document: Mapping[str, Any]) -> PolicyVersion:
    """Return the policy version that a document holds. Its examples are read, not run.

    :raises InvalidInput: naming by dotted path everything that is unknown, missing or makes no sense.
    """
    reading = Reading()
    table = reading.table(document, "", needed=_NEEDED, may=_MAY)
    sources = read_sources(reading, table.get("sources", {}))
    parameters, marks = _parameters(reading, table.get("parameters", {}), sources)
    thresholds, threshold_marks = _thresholds(reading, table.get("thresholds", []), sources)
    deciders, decider_marks = _deciders(reading, table.get("deciders"), sources)
    _must_fit(reading, parameters, thresholds)
    first, last = read_validity(reading, table)
    version = PolicyVersion(
        **read_name(reading, table),
        in_force_from=first,
        in_force_until=last,
        sources=sources,
        parameters=parameters,
        thresholds=tuple(thresholds),
        marks=marks | threshold_marks | decider_marks,
        examples=read_examples(reading, table.get("examples", []), threshold_marks),
        notes=read_notes(reading, table.get("notes", [])),
        automation=_automation(reading, table.get("automation")),
        deciders=deciders,
    )
    reading.finish()
    return version


def to_document(policy: PolicyVersion) -> dict[str, Any]:
    """Return a version as plain JSON values; `read_policy` reads it back to the same."""
    until = policy.in_force_until
    values = policy.parameters.to_mapping()
    return {
        "code": policy.code,
        "version": policy.version,
        "title": policy.title,
        "in_force_from": policy.in_force_from.isoformat(),
        "in_force_until": until.isoformat() if until else None,
        "sources": dict(policy.sources),
        "parameters": {
            name: {"value": value, **_mark_document(policy, name)}
            for name, value in values.items()
            if name in policy.marks
        },
        "thresholds": [_threshold_document(policy, threshold) for threshold in policy.thresholds],
        "automation": _automation_document(policy.automation),
        "deciders": _deciders_document(policy),
        "examples": [example_document(example) for example in policy.examples],
        "notes": list(policy.notes),
    }


def _mark_document(policy: PolicyVersion, name: str) -> dict[str, Any]:
    return {"source": policy.marks[name].source, "confirmed": policy.marks[name].confirmed}


def _parameters(reading: Reading, value: object, sources: Mapping[str, str]) -> tuple[Policy, dict[str, Mark]]:
    marks: dict[str, Mark] = {}
    values: dict[str, Any] = {}
    for name, item in reading.named(value, "parameters"):
        path = join("parameters", name)
        stated = reading.table(item, path, needed=("value", *MARK))
        marks[name] = read_mark(reading, stated, path, sources)
        if "value" in stated:
            values[name] = stated["value"]
    parameters = Policy.default()
    with reading.refusals_under("parameters"):
        parameters = Policy.from_mapping(values)
    return parameters, marks


def _thresholds(reading: Reading, value: object, sources: Mapping[str, str]) -> tuple[list[Threshold], dict[str, Mark]]:
    thresholds: list[Threshold] = []
    marks: dict[str, Mark] = {}
    for path, item in reading.rows(value, "thresholds"):
        row = reading.table(item, path, needed=("kind", "action", *MARK), may=("at_least", "spares_established"))
        if not {"kind", "action"} <= set(row):
            continue
        at_least = reading.exact(row["at_least"], join(path, "at_least")) if "at_least" in row else None
        with reading.refusals_under(path):
            threshold = Threshold(
                kind=member(FindingKind, row["kind"]),
                action=member(FindingAction, row["action"]),
                at_least=at_least,
                spares_established=row.get("spares_established", False),
            )
            if threshold.name in marks:
                reading.refuse(path, f"There is {threshold.name} already.")
            marks[threshold.name] = read_mark(reading, row, path, sources)
            thresholds.append(threshold)
    return thresholds, marks


def _threshold_document(policy: PolicyVersion, threshold: Threshold) -> dict[str, Any]:
    return {
        "kind": threshold.kind.value,
        "action": threshold.action.value,
        "at_least": None if threshold.at_least is None else str(threshold.at_least),
        "spares_established": threshold.spares_established,
        **_mark_document(policy, threshold.name),
    }


def _automation(reading: Reading, value: object) -> Automation | None:
    if value is None:
        return None
    path = "automation"
    table = reading.table(value, path, needed=(*_AUTOMATION, "criteria"))
    criteria = []
    for place, item in reading.rows(table.get("criteria", []), join(path, "criteria")):
        row = reading.table(item, place, needed=("question", "is"))
        criteria.append(Criterion(reading.text(row.get("question", "missing"), join(place, "question")), row.get("is")))
    with reading.refusals_under(path):
        numbers: dict[str, Any] = {name: table.get(name) for name in _AUTOMATION}
        return Automation(criteria=tuple(criteria), **numbers)
    return None


def _automation_document(automation: Automation | None) -> dict[str, Any] | None:
    if automation is None:
        return None
    criteria = [{"question": criterion.question, "is": criterion.expected} for criterion in automation.criteria]
    return {
        "most_days": automation.most_days,
        "fresh_days": automation.fresh_days,
        "second_reading_percent": automation.second_reading_percent,
        "criteria": criteria,
    }


def _deciders(
    reading: Reading, value: object, sources: Mapping[str, str]
) -> tuple[tuple[Specialty, ...], dict[str, Mark]]:
    if value is None:
        return (), {}
    stated = reading.table(value, DECIDERS, needed=("specialties", *MARK))
    mark = read_mark(reading, stated, DECIDERS, sources)
    path, named = join(DECIDERS, "specialties"), []
    for place, item in reading.rows(stated.get("specialties", []), path):
        found = member(Specialty, item)
        named.append(found)
        if not isinstance(found, Specialty):
            reading.refuse(place, f"Use one of: {', '.join(Specialty)}.")
    if stated.get("specialties") == []:
        reading.refuse(path, "Name at least one; without this part any may.")
    return tuple(named), {DECIDERS: mark}


def _deciders_document(policy: PolicyVersion) -> dict[str, Any] | None:
    if not policy.deciders:
        return None
    return {"specialties": [named.value for named in policy.deciders], **_mark_document(policy, DECIDERS)}


def _must_fit(reading: Reading, parameters: Policy, thresholds: Sequence[Threshold]) -> None:
    if parameters.established_days is None and any(threshold.spares_established for threshold in thresholds):
        reading.refuse("thresholds", "One spares the established, but established_days is not set, so nobody is.")
