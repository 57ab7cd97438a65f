"""PURE: what one payer needs answered before it takes a request, and how old an answer may be."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """`required` are questions that must be answered when they apply; a payer's asking makes some apply.

    An answer confirmed longer ago than `confirmed_within_days` (by question, or "default") must be confirmed again; a
    day given must not lie longer ago than `dated_within_days`. `confirmed` is False while the list was read only in a
    secondary copy of the payer's document.
    """

    policy: str
    version: str
    title: str
    questionnaire: str
    source: str
    confirmed: bool
    required: frozenset[str]
    confirmed_within_days: Mapping[str, int] = field(default_factory=dict)
    dated_within_days: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the policy's code and the version of this list."""
        return f"{self.policy}-{self.version}"

    def confirmed_within(self, link_id: str) -> int | None:
        """Return for how many days a confirmation of that answer holds; None when for ever."""
        return self.confirmed_within_days.get(link_id, self.confirmed_within_days.get("default"))
