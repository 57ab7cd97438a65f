"""PURE: what can be new after a denial, so that the same may be asked for again."""

from dataclasses import dataclass
from enum import StrEnum


class NewFact(StrEnum):
    """A clinical fact that no order or fill tells of."""

    DIAGNOSIS = "diagnosis"
    TEST_RESULT = "test_result"
    TREATMENT_FAILED = "treatment_failed"
    CONDITION_CHANGED = "condition_changed"
    TREATMENT_PLAN_CHANGED = "treatment_plan_changed"


@dataclass(frozen=True, slots=True)
class StatedFact:
    """A new clinical fact as people state it, in a sentence."""

    kind: NewFact
    sentence: str
