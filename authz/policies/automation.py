"""PURE: when a policy lets the software approve by itself. It can say yes or leave it to people; it never says no."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

from authz.errors import InvalidInput


class Mark(StrEnum):
    """How a criterion stands; one that nobody stands behind is not documented, whatever was typed."""

    MET = "met"
    NOT_MET = "not_met"
    NOT_DOCUMENTED = "not_documented"


class Criterion(NamedTuple):
    """An answer to a question of the questionnaire, exactly."""

    question: str
    expected: object


class Fact(NamedTuple):
    """What a question was answered with; `confirmed_at` None is that no person stands behind it."""

    value: object
    source: str
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Automation:
    """Approve as asked when every line is for at most so many days and every criterion is met.

    A fact counts when a person confirmed it, at most `fresh_days` before the request is looked at. Of what was so
    approved, `second_reading_percent` is marked to be read by a person.

    :raises InvalidInput: naming the field.
    """

    criteria: tuple[Criterion, ...]
    most_days: int
    fresh_days: int
    second_reading_percent: int

    def __post_init__(self) -> None:
        least = {"most_days": 1, "fresh_days": 1, "second_reading_percent": 0}
        wrong = {
            name: [f"A whole number from {at_least} on is needed."]
            for name, at_least in least.items()
            if type(getattr(self, name)) is not int or getattr(self, name) < at_least
        }
        if "second_reading_percent" not in wrong and self.second_reading_percent > 100:
            wrong["second_reading_percent"] = ["There are no more than 100 percent."]
        if not self.criteria:
            wrong["criteria"] = ["Without a criterion everything would be approved."]
        if wrong:
            raise InvalidInput(wrong)

    def trace(self, facts: Mapping[str, Fact], *, days: int, now: datetime) -> list[dict[str, Any]]:
        """Return criterion by criterion what was expected, what was found and whether that meets it.

        `days` is the most that a line asks for.
        """
        found = [self._look(criterion, facts.get(criterion.question), now) for criterion in self.criteria]
        length = {"criterion": "most_days", "expected": self.most_days, "found": days, "is_met": days <= self.most_days}
        return [length, *found]

    def _look(self, criterion: Criterion, fact: Fact | None, now: datetime) -> dict[str, Any]:
        confirmed_at = fact.confirmed_at if fact else None
        is_fresh = confirmed_at is not None and now - confirmed_at <= timedelta(days=self.fresh_days)
        value = fact.value if fact else None
        return {
            "criterion": criterion.question,
            "expected": criterion.expected,
            "found": value,
            "source": fact.source if fact else None,
            "confirmed_at": confirmed_at.isoformat() if confirmed_at else None,
            # True is 1 to Python, and is not to a person.
            "is_met": is_fresh and type(value) is type(criterion.expected) and value == criterion.expected,
        }

    def is_sampled(self, request: UUID) -> bool:
        """Say whether a request belongs to the share that a person reads; the same request always does or never."""
        return int.from_bytes(sha256(request.bytes).digest()[:8], "big") % 100 < self.second_reading_percent
