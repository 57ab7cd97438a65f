"""PURE: a regime, the legal clock a plan's decisions run on, as dated and cited values."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """`confirmed` is False while a figure was read only in a secondary source; operators are shown it."""

    code: str
    version: str
    title: str
    citation: str
    in_force_from: date
    confirmed: bool
    standard_hours: int
    expedited_hours: int
    appeal_file_within_days: int

    def __post_init__(self) -> None:
        if self.standard_hours < self.expedited_hours or self.expedited_hours <= 0:
            raise ValueError(
                f"regime {self.code}: an expedited decision is due before a standard one, and after 0 hours"
            )
