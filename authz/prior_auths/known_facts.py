"""What is known of a request beside its answers: the facts that conditions of the questionnaire name.

They are read off the explanation that the request carries: a worklist asks for them line by line.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from typing import Final

from authz.documentation.questionnaire import as_day
from authz.documentation.standing import Given
from authz.prior_auths.models import PriorAuth
from authz.rules.formulary import Formulary, Product, Standing
from authz.rules.selection import Ignored
from authz.rules.thresholds import FindingKind

_FIRST_REVIEW: Final = timedelta(weeks=4)
_LATER_REVIEW: Final = timedelta(days=91)
"""Within four weeks of the start, then at least every three months (CDC 2022, recommendation 7)."""


@dataclass(frozen=True, slots=True)
class _Supply:
    """A supply of a known product, from its first day until before `stop`."""

    record_id: str
    product: Product
    first: date
    stop: date

    def overlaps(self, other: "_Supply") -> bool:
        return self.first < other.stop and other.first < self.stop


def facts_of(prior_auth: PriorAuth, given: Mapping[str, Given], formulary: Formulary) -> set[str]:
    """Return the facts that hold of a request; `given` are its answers, `formulary` is the one it was evaluated by."""
    asked = _asked(prior_auth, formulary)
    kinds = {finding["kind"] for finding in prior_auth.explanation.get("findings", [])}
    known = {
        "overlapping-opioids": FindingKind.DUPLICATE_LONG_ACTING.value in kinds,
        "two-of-a-kind": any(_are_of_a_kind(one, other) for one, other in combinations(asked, 2)),
        "treated-for-oud": bool(_of_standing(prior_auth, Standing.OPIOID_USE_DISORDER, formulary)),
        "late-review": _is_review_late(prior_auth, given),
    }
    return {name for name, holds in known.items() if holds}


def has_benzodiazepine(prior_auth: PriorAuth, formulary: Formulary) -> bool:
    """Say whether a benzodiazepine is on record beside the opioids asked for, whatever the policy looks for."""
    asked = _asked(prior_auth, formulary)
    benzodiazepines = _of_standing(prior_auth, Standing.BENZODIAZEPINE, formulary)
    return any(one.overlaps(other) for one in benzodiazepines for other in asked)


def _are_of_a_kind(one: _Supply, other: _Supply) -> bool:
    is_same_release = one.product.release is other.product.release
    return is_same_release and one.product.ingredient_rxcui != other.product.ingredient_rxcui and one.overlaps(other)


def _asked(prior_auth: PriorAuth, formulary: Formulary) -> Collection[_Supply]:
    """Return the supplies that count among the request's own records."""
    ids = {str(record_id) for record_id in prior_auth.record_ids}
    return [one for one in _supplies(prior_auth, formulary, because=None) if one.record_id in ids]


def _of_standing(prior_auth: PriorAuth, standing: Standing, formulary: Formulary) -> Collection[_Supply]:
    """Return the supplies of products that the rule leaves out for what they are; reversed ones are not among them."""
    left_out = _supplies(prior_auth, formulary, because=Ignored.EXCLUDED_PRODUCT.value)
    return [one for one in left_out if one.product.standing is standing]


def _supplies(prior_auth: PriorAuth, formulary: Formulary, *, because: str | None) -> Iterator[_Supply]:
    for row in prior_auth.explanation.get("trace", {}).get("records", []):
        product, first = formulary.product(row["rxcui"]), date.fromisoformat(row["start"])
        if product is not None and row["reason"] == because:
            yield _Supply(row["record_id"], product, first, first + timedelta(days=row["days_supply"] or 0))


def _is_review_late(prior_auth: PriorAuth, given: Mapping[str, Given]) -> bool:
    said, kind = given.get("plan.followup"), given.get("req.type")
    day = as_day(said.value) if said else None
    goes_on = kind is not None and kind.value == "continuation"
    within = _LATER_REVIEW if goes_on else _FIRST_REVIEW
    return day is not None and day > prior_auth.pa_required_from + within
