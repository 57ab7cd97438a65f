"""Cases and verdicts as JSON lines: one case in, one result out. Every refusal names the field.

Quantities may be texts or numbers; parse numbers as `Decimal` (as `read_line` does) to keep them exact.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import fields
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple, NoReturn, TypeVar

from authz.errors import InvalidInput
from authz.rules.evaluate import evaluate
from authz.rules.formulary import Formulary
from authz.rules.policy import Policy
from authz.rules.records import AuthorizedPeriod, Case, Exemption, Record, RecordKind, RecordStatus
from authz.rules.verdict import Verdict, smallest_json

_Part = TypeVar("_Part", Record, Exemption, AuthorizedPeriod)

_RECORD_KEYS = frozenset(field.name for field in fields(Record))
_KINDS: dict[str, RecordKind] = {kind.value: kind for kind in RecordKind}
_STATUSES: dict[str, RecordStatus] = {status.value: status for status in RecordStatus}


class Outcome(NamedTuple):
    """What became of one line of input: its number from 1, and either the result or the reason it was refused."""

    number: int
    answer: dict[str, Any] | None
    reason: str | None


def answers(
    lines: Iterable[str | bytes],
    formulary: Formulary | None = None,
    *,
    render: Callable[[Verdict], dict[str, Any]] = smallest_json,
) -> Iterator[Outcome]:
    """Yield the outcome of each line (text, or UTF-8) that is not blank; a bad line does not stop the others."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            answer = render(evaluate(read_line(line), formulary))
        except InvalidInput as refusal:
            yield Outcome(number, None, reason_of(refusal))
        else:
            yield Outcome(number, answer, None)


def reason_of(refusal: InvalidInput) -> str:
    """Return the refusal as one line: each field and what is wrong with it."""
    return "; ".join(f"{name}: {' '.join(sentences)}" for name, sentences in refusal.fields.items())


def read_line(line: str | bytes) -> Case:
    """Return the case that one line of JSON holds.

    :raises InvalidInput: when it is not JSON, or not a case.
    """
    try:
        facts = json.loads(line, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidInput({"line": [f"This is not JSON: {error}."]}) from error
    return case_from_json(facts)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def case_from_json(facts: Any) -> Case:
    """Return the case in the exchange format; further keys beside the case's own are left alone.

    :raises InvalidInput: naming the first wrong part by dotted path.
    """
    facts = _object(facts, "case")
    patient = _object_or_nothing(facts, "patient")
    return Case(
        id=_needed(facts, "id", "id"),
        as_of=_needed_day(facts, "as_of", "as_of"),
        history_start=_day(facts, "history_start", "history_start"),
        birth_date=_day(patient, "birth_date", "patient.birth_date"),
        policy=_policy(_object_or_nothing(facts, "policy")),
        records=_all(facts, "records", _record),
        exemptions=_all(facts, "exemptions", _exemption),
        authorizations=_all(facts, "authorizations", _authorization),
    )


def _policy(facts: Mapping[str, Any]) -> Policy:
    try:
        return Policy.from_mapping(facts)
    except InvalidInput as refusal:
        raise _under("policy", refusal) from refusal


def _all(facts: Mapping[str, Any], name: str, read: Callable[[Mapping[str, Any]], _Part]) -> tuple[_Part, ...]:
    listed = facts.get(name)
    if listed is None:
        return ()
    if not isinstance(listed, list | tuple):
        raise InvalidInput({name: ["A list is needed."]})
    return tuple(_read_at(f"{name}[{place}]", item, read) for place, item in enumerate(listed))


def _read_at(path: str, item: Any, read: Callable[[Mapping[str, Any]], _Part]) -> _Part:
    facts = _object(item, path)
    try:
        return read(facts)
    except InvalidInput as refusal:
        raise _under(path, refusal) from refusal


def _record(facts: Mapping[str, Any]) -> Record:
    _refuse_unknown(facts, _RECORD_KEYS)
    return Record(
        id=_needed(facts, "id", "id"),
        version=_needed(facts, "version", "version"),
        recorded_on=_needed_day(facts, "recorded_on", "recorded_on"),
        kind=_one_of(_KINDS, _needed(facts, "kind", "kind")),
        status=_one_of(_STATUSES, _needed(facts, "status", "status")),
        rx_id=facts.get("rx_id"),
        fill_number=facts.get("fill_number"),
        start=_needed_day(facts, "start", "start"),
        rxcui="" if facts.get("rxcui") is None else facts["rxcui"],
        quantity=_number(facts, "quantity"),
        days_supply=facts.get("days_supply"),
        daily_units=_number(facts, "daily_units"),
    )


def _one_of(members: Mapping[str, Any], value: Any) -> Any:
    """Return the member of that name, or None, which the record refuses."""
    return members.get(value) if isinstance(value, str) else None


def _exemption(facts: Mapping[str, Any]) -> Exemption:
    _refuse_unknown(facts, {"category", "start", "end"})
    category = _needed(facts, "category", "category")
    return Exemption(category=category, start=_day(facts, "start", "start"), end=_day(facts, "end", "end"))


def _authorization(facts: Mapping[str, Any]) -> AuthorizedPeriod:
    _refuse_unknown(facts, {"start", "end"})
    return AuthorizedPeriod(start=_day(facts, "start", "start"), end=_day(facts, "end", "end"))


def _under(path: str, refusal: InvalidInput) -> InvalidInput:
    return InvalidInput({f"{path}.{name}": sentences for name, sentences in refusal.fields.items()})


def _object(facts: Any, path: str) -> Mapping[str, Any]:
    if not isinstance(facts, Mapping):
        raise InvalidInput({path: ["An object is needed."]})
    return facts


def _object_or_nothing(facts: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = facts.get(name)
    return {} if value is None else _object(value, name)


def _refuse_unknown(facts: Mapping[str, Any], known: Set[str]) -> None:
    if not facts.keys() <= known:
        raise InvalidInput({str(name): ["There is no such field."] for name in sorted(facts.keys() - known)})


def _needed(facts: Mapping[str, Any], name: str, path: str) -> Any:
    value = facts.get(name)
    if value is None:
        raise InvalidInput({path: ["This is needed."]})
    return value


def _needed_day(facts: Mapping[str, Any], name: str, path: str) -> date:
    return _date(_needed(facts, name, path), path)


def _day(facts: Mapping[str, Any], name: str, path: str) -> date | None:
    value = facts.get(name)
    return None if value is None else _date(value, path)


def _date(value: Any, path: str) -> date:
    """Read YYYY-MM-DD and nothing else: `fromisoformat` alone would also take week dates and dates without hyphens."""
    try:
        if isinstance(value, str) and len(value) == 10 and value[4] == value[7] == "-":
            return date.fromisoformat(value)
    except ValueError as error:
        raise InvalidInput({path: [f"{value!r} is not a day of the calendar."]}) from error
    raise InvalidInput({path: [f"{value!r} is not a calendar date (YYYY-MM-DD)."]})


def _number(facts: Mapping[str, Any], name: str) -> Decimal | None:
    value = facts.get(name)
    if value is None or type(value) is Decimal:
        return value
    try:
        if type(value) is int or (isinstance(value, str) and "_" not in value):
            return Decimal(value)
        if isinstance(value, float):
            return Decimal(repr(value))
    except InvalidOperation as error:
        raise InvalidInput({name: [f"{value!r} is not a number."]}) from error
    raise InvalidInput({name: [f"{value!r} is not a number."]})
