"""PURE: what a version of a policy says, setting by setting: in words, with its source and whether it is confirmed."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from authz.access.specialties import in_words
from authz.policies.version import DECIDERS, PolicyVersion
from authz.rules.policy import GapAnchor, Mode, Policy
from authz.rules.thresholds import FindingAction, FindingKind, Threshold

Value = str | int | bool | list[str] | None


class Standing(StrEnum):
    """How far a setting can be relied on. An unconfirmed one must be compared with the payer's current document."""

    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"
    PRODUCT_DEFAULT = "product_default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One parameter, threshold or who may decide, with its value, in words too.

    `source` is where it was read, empty for a default.
    """

    name: str
    value: Value
    says: str
    source: str
    standing: Standing


_LABELS = {
    "mode": "What is counted",
    "limit_days": "Days that need nothing",
    "minor_age": "A minor is younger than",
    "minor_limit_days": "Days that need nothing for a minor",
    "gap_days": "Days without an opioid after which use begins anew",
    "gap_anchor": "These days are counted from",
    "window_days": "Only so many days back are counted",
    "horizon_days": "Only so many first days of an episode are looked at",
    "overlap": "Days that two supplies cover",
    "basis": "Supply in hand",
    "count_pain_buprenorphine": "Buprenorphine for pain counts",
    "count_written": "Orders not yet dispensed count",
    "written_expiry_days": "Days for which they do",
    "exempt_categories": "Exempt",
    "established_days": "Days of use that release a patient",
    "established_window": "Among so many days before",
    "mme_table": "Table of MME factors",
    "mme_overlap": "MME of overlapping supplies",
}
_VALUES = {
    "cumulative": "the days of an episode",
    "per_fill_naive": "one fill to a patient free of opioids",
    "supply_end": "the end of the supply",
    "fill_date": "the day of the fill",
    "union": "count once",
    "shift": "supply in hand is used first",
    "sum": "are added up",
    "projected": "counts when dispensed",
    "elapsed": "counts as its days pass",
    "shift_same_product": "supply of the same product is used first",
    "sickle_cell": "sickle cell disease",
    "palliative": "palliative care",
    "ltc": "long-term care",
}
_FOUND = {
    FindingKind.DUPLICATE_LONG_ACTING: "Two long-acting opioids at once",
    FindingKind.OPIOID_WITH_BENZODIAZEPINE: "An opioid with a benzodiazepine",
}
_FOLLOWS = {
    FindingAction.INFORM: "informs, and requires nothing",
    FindingAction.REQUIRE_AUTHORIZATION: "requires authorization",
}


def settings_of(version: PolicyVersion) -> tuple[Setting, ...]:
    """Return every parameter in the rule's order, then every threshold, then who may decide, where that is said."""
    parameters = version.parameters.to_mapping().items()
    return (
        *(_setting(version, name, value, f"{_LABELS[name]}: {_words(value)}") for name, value in parameters),
        *(_setting(version, found.name, found.action.value, _threshold(found)) for found in version.thresholds),
        *_deciders(version),
    )


def _deciders(version: PolicyVersion) -> Iterator[Setting]:
    if named := [specialty.value for specialty in version.deciders]:
        yield _setting(version, DECIDERS, named, f"Who may decide against a request: {in_words(named)}")


def _setting(version: PolicyVersion, name: str, value: Value, says: str) -> Setting:
    mark = version.marks.get(name)
    if mark is None:
        return Setting(name=name, value=value, says=says, source="", standing=Standing.PRODUCT_DEFAULT)
    standing = Standing.CONFIRMED if mark.confirmed else Standing.UNCONFIRMED
    return Setting(name=name, value=value, says=says, source=version.sources[mark.source], standing=standing)


def _words(value: Value) -> str:
    if value is None:
        return "off"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_VALUES.get(item, item) for item in value) or "nobody"
    return _VALUES.get(str(value), str(value))


def _threshold(threshold: Threshold) -> str:
    found = _FOUND.get(threshold.kind, f"{threshold.at_least} MME a day or more")
    spared = ", but not of an established patient" if threshold.spares_established else ""
    return f"{found}: {_FOLLOWS[threshold.action]}{spared}"


def clause_sentences(version: PolicyVersion) -> list[str]:
    """Return the clause on days in sentences: the rule, where its limit was read, and what is still to be confirmed."""
    return [f"{_rule(version.parameters)}.", _limit_source(version), *_to_confirm(version)]


def _rule(policy: Policy) -> str:
    if policy.mode is Mode.PER_FILL_NAIVE:
        taken = "dispensed" if policy.gap_anchor is GapAnchor.FILL_DATE else "in use"
        before = f"no opioid was {taken} in the {policy.gap_days} days before"
        rule = f"A fill of {_limit(policy)} needs authorization if {before}"
    else:
        rule = f"Use on {_limit(policy)}{_scope(policy)} needs authorization; {_end_of_episode(policy)}"
    if policy.established_days is not None:
        rule += f"; none after use on at least {policy.established_days} of the {policy.established_window} days before"
    return rule


def _limit(policy: Policy) -> str:
    for_minors = f" ({policy.minor_limit_days} while younger than {policy.minor_age})"
    return f"more than {policy.limit_days} days{'' if policy.minor_limit_days is None else for_minors}"


def _scope(policy: Policy) -> str:
    counted = " by days' supply" if policy.counts_days_supplied else ""
    width = "of one episode" if policy.window_days is None else f"in any {policy.window_days} days"
    horizon = "" if policy.horizon_days is None else f", within its first {policy.horizon_days} days,"
    return f"{counted} {width}{horizon}"


def _end_of_episode(policy: Policy) -> str:
    if policy.gap_anchor is GapAnchor.FILL_DATE:
        return f"more than {policy.gap_days} days from fill to fill end an episode"
    return f"{policy.gap_days} days without an opioid end an episode"


def _limit_source(version: PolicyVersion) -> str:
    mark = version.marks.get("limit_days")
    if mark is None:
        return "The limit is the product's default."
    return f"The limit was read in: {version.sources[mark.source]}."


def _to_confirm(version: PolicyVersion) -> Iterator[str]:
    if number := len(version.unconfirmed):
        named = "1 setting is" if number == 1 else f"{number} settings are"
        yield f"{named} not confirmed: compare with the payer's current document."


def clause_to_json(version: PolicyVersion) -> dict[str, Any]:
    """Return which policy it is and what it says, as plain JSON values."""
    return {
        "code": version.code,
        "version": version.version,
        "title": version.title,
        "source": version.source,
        "confirmed": version.confirmed,
        "sentences": clause_sentences(version),
        "settings": [
            {
                "name": setting.name,
                "value": setting.value,
                "says": setting.says,
                "source": setting.source,
                "standing": setting.standing.value,
            }
            for setting in settings_of(version)
        ],
    }
