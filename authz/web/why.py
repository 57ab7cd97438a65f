"""PURE: why something needs authorization, as a page shows it: the policy's clause, the count day by day, the ways out.

Reads the plain JSON that a request keeps (`authz.prior_auths.services.detection`) and `opioid-use` answers with.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from authz.policies.clause import Standing
from authz.prior_auths.record_words import record_names, with_records_named
from authz.rules.verdict import ReleasedBy

_RELEASED = {
    ReleasedBy.EXEMPTION: "exempt",
    ReleasedBy.AUTHORIZATION: "authorized",
    ReleasedBy.ESTABLISHED: "established patient",
}
_STANDING = {
    Standing.CONFIRMED: "",
    Standing.UNCONFIRMED: "Confirm against the payer's current document",
    Standing.PRODUCT_DEFAULT: "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSetting:
    """One setting of the policy; `to_do` is empty unless somebody must confirm it."""

    says: str
    source: str
    to_do: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedDay:
    """One covered day with its count; `count` is None where the policy does not limit the day."""

    number: int
    on: date
    count: int | None
    limit: int
    covered_by: list[str]
    standing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """What stands under "Why this needs authorization". `are_days_cut` says that some days are left out."""

    policy: str
    rule: list[str]
    settings: list[ShownSetting]
    is_payer_rule_unknown: bool
    days: list[CountedDay]
    are_days_cut: bool
    ways_out: list[str]


def why(
    policy: Mapping[str, Any],
    trace: Mapping[str, Any],
    *,
    episode: int | None,
    ways_out: Iterable[str],
    is_payer_rule_unknown: bool,
) -> Why:
    """Return what a page shows of a clause and a trace; `episode` is the place of the one whose days are listed."""
    names = record_names(trace)
    days = [] if episode is None else [_day(day, names) for day in trace["episodes"][episode]["days"]]
    return Why(
        policy=f"{policy['title']} ({policy['code']}, version {policy['version']})",
        rule=policy["sentences"],
        settings=[_setting(setting) for setting in policy["settings"]],
        is_payer_rule_unknown=is_payer_rule_unknown,
        days=days,
        are_days_cut=[day.number for day in days] != list(range(1, len(days) + 1)),
        ways_out=[with_records_named(way, names) for way in ways_out],
    )


def _setting(setting: Mapping[str, Any]) -> ShownSetting:
    return ShownSetting(
        says=setting["says"],
        source=setting["source"] or "The product's default",
        to_do=_STANDING[Standing(setting["standing"])],
    )


def _day(day: Mapping[str, Any], names: Mapping[str, str]) -> CountedDay:
    return CountedDay(
        number=day["number"],
        on=date.fromisoformat(day["on"]),
        count=day["count"],
        limit=day["limit"],
        covered_by=[names[record_id] for record_id in day["records"]],
        standing=_standing(day),
    )


def _standing(day: Mapping[str, Any]) -> str:
    if day["is_required"]:
        return "beyond the limit, needs authorization"
    if day["is_beyond"]:
        return f"beyond the limit, released: {', '.join(_RELEASED[ReleasedBy(by)] for by in day['released_by'])}"
    return "not limited" if day["count"] is None else "within the limit"
