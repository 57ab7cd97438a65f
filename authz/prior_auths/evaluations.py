"""PURE: what an evaluation keeps: the inputs that the rule read and the answer it gave, each with one canonical text.

Kept inputs are plain JSON and complete, so the same answer can be computed from them years later.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

from authz.errors import InvalidInput
from authz.prior_auths.authorization import Granted
from authz.rules.case_json import case_from_json
from authz.rules.records import Case
from authz.rules.thresholds import Finding, finding_to_json
from authz.rules.verdict import Verdict, verdict_to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Something that is not as it was kept. `says` names it without any patient's facts; `values` may hold them."""

    says: str
    values: str = ""


def canonical(value: Any) -> str:
    """Return the one JSON text of a value: keys sorted, no spaces; days and exact numbers as texts."""
    return json.dumps(value, default=str, sort_keys=True, separators=(",", ":"))


def sha256_of(inputs: Mapping[str, Any]) -> str:
    """Return the hash by which two evaluations are known to rest on the same inputs."""
    return sha256(canonical(inputs).encode()).hexdigest()


def inputs_of(case: Case, policy_version: tuple[str, str], rights: Sequence[Granted] = ()) -> dict[str, Any]:
    """Return everything an answer depends on as plain JSON; `policy_version` is the policy's code and version.

    `rights` are the authorizations in force, from which the days that the case tells of were worked out. They are left
    out where there are none, so that nobody's answer without any rests on other inputs than before.
    """
    facts = asdict(case) | {"policy_version": policy_version}
    if rights:
        facts["granted"] = [asdict(right) for right in rights]
    inputs: dict[str, Any] = json.loads(canonical(facts))
    return inputs


def case_from(inputs: Mapping[str, Any]) -> Case:
    """Return the case that kept inputs tell of.

    :raises InvalidInput: naming the field, when they are not what `inputs_of` writes.
    """
    return case_from_json({**inputs, "patient": {"birth_date": inputs.get("birth_date")}})


def rights_from(inputs: Mapping[str, Any]) -> list[Granted] | None:
    """Return the authorizations in force that kept inputs tell of; None where they tell only of days, as they once did.

    :raises InvalidInput: when they are not what `inputs_of` writes.
    """
    if "granted" not in inputs:
        return None
    try:
        return [_right(facts) for facts in inputs["granted"]]
    except (ArithmeticError, KeyError, TypeError, ValueError) as error:
        raise InvalidInput({"granted": ["Authorizations are needed, each with product, days and quantity."]}) from error


def _right(facts: Mapping[str, Any]) -> Granted:
    quantity = facts["quantity"]
    return Granted(
        rxcui=facts["rxcui"],
        starts_on=date.fromisoformat(facts["starts_on"]),
        ends_on=date.fromisoformat(facts["ends_on"]),
        days=facts["days"],
        quantity=None if quantity is None else Decimal(quantity),
    )


def answer_of(verdict: Verdict, findings: Iterable[Finding]) -> dict[str, Any]:
    """Return the verdict and what the policy's thresholds find beside it as plain JSON."""
    return verdict_to_json(verdict) | {"findings": [finding_to_json(finding) for finding in findings]}


def differing(then: Any, now: Any, path: str) -> Iterator[Difference]:
    """Yield every place in which two JSON values differ; no difference means that their canonical texts are equal."""
    if isinstance(then, dict) and isinstance(now, dict):
        parts = [(f"{path}.{key}", key) for key in sorted(then.keys() | now.keys())]
        yield from _each(then, now, parts)
    elif isinstance(then, list) and isinstance(now, list):
        places = [(f"{path}[{place}]", place) for place in range(max(len(then), len(now)))]
        yield from _each(dict(enumerate(then)), dict(enumerate(now)), places)
    elif canonical(then) != canonical(now):
        yield Difference(says=path, values=f"{canonical(then)} then, {canonical(now)} now")


def _each(then: Mapping[Any, Any], now: Mapping[Any, Any], parts: Iterable[tuple[str, Any]]) -> Iterator[Difference]:
    for path, key in parts:
        if key not in now:
            yield Difference(says=path, values=f"{canonical(then[key])} then, not there now")
        elif key not in then:
            yield Difference(says=path, values=f"not there then, {canonical(now[key])} now")
        else:
            yield from differing(then[key], now[key], path)
