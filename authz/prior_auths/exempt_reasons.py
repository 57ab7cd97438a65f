"""PURE: the exemption that a questionnaire's answers name, and what the policy makes of it."""

from collections.abc import Collection, Mapping
from typing import Final

from authz.documentation.conditions import JsonValue
from authz.documentation.questionnaire import as_day
from authz.errors import InvalidInput
from authz.prescriptions.facts import ExemptionFacts
from authz.rules.records import ExemptionCategory

ANSWER_FOR: Final[Mapping[ExemptionCategory, str]] = {
    ExemptionCategory.CANCER: "active_cancer_pain",
    ExemptionCategory.SICKLE_CELL: "sickle_cell_disease",
    ExemptionCategory.HOSPICE: "hospice",
    ExemptionCategory.PALLIATIVE: "palliative_or_end_of_life",
    ExemptionCategory.LTC: "long_term_care_resident",
}
"""What `ex.reason` is answered with, by the category that a policy exempts."""

TREATS_OUD: Final = "opioid_use_disorder_treatment"
"""No category: the rule does not count medicines for opioid use disorder at all, whatever the policy."""

_CATEGORY_OF: Final = {answer: category for category, answer in ANSWER_FOR.items()}
_FIELDS: Final = {"category": "ex.reason", "evidence": "ex.evidence", "starts_on": "ex.start", "ends_on": "ex.end"}

NAMES_EXEMPTION: Final = frozenset(_FIELDS.values())
"""The questions by whose answers an exemption is recorded."""


def category_named(answers: Mapping[str, JsonValue], *, exempted: Collection[str]) -> ExemptionCategory | None:
    """Return what the answers name among the categories that a policy exempts; None when they name none of them."""
    category = _CATEGORY_OF.get(str(answers.get("ex.reason")))
    return category if category is not None and category.value in exempted else None


def facts_named(answers: Mapping[str, JsonValue], *, exempted: Collection[str]) -> ExemptionFacts:
    """Return the exemption that the answers name.

    :raises InvalidInput: by question, when the policy exempts none of that name, or evidence or first day is missing.
    """
    category = category_named(answers, exempted=exempted)
    starts_on = as_day(answers.get("ex.start"))
    if category is None:
        raise InvalidInput({"answers.ex.reason": ["This names no exemption of the payer's policy."]})
    if starts_on is None:
        raise InvalidInput({"answers.ex.start": ["Say from which day the exemption holds."]})
    try:
        return ExemptionFacts(
            category=category,
            starts_on=starts_on,
            ends_on=as_day(answers.get("ex.end")),
            evidence=str(answers.get("ex.evidence", "")),
        )
    except InvalidInput as error:
        raise InvalidInput({f"answers.{_FIELDS[name]}": said for name, said in error.fields.items()}) from error
