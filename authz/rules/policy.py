"""What a payer may set about the rule, with the defaults that hold where no payer's policy is known."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Self

from authz.errors import InvalidInput


class Mode(StrEnum):
    """What is counted against the limit."""

    CUMULATIVE = "cumulative"
    PER_FILL_NAIVE = "per_fill_naive"


class GapAnchor(StrEnum):
    """From where the days without an opioid are counted."""

    SUPPLY_END = "supply_end"
    FILL_DATE = "fill_date"


class Overlap(StrEnum):
    """What becomes of two supplies that cover the same days."""

    UNION = "union"
    SHIFT = "shift"
    SUM = "sum"


class Basis(StrEnum):
    """Whether supply in hand counts on the day it is dispensed, or only as its days pass."""

    PROJECTED = "projected"
    ELAPSED = "elapsed"


class MmeTable(StrEnum):
    """The table of conversion factors. A daily MME means nothing without its name."""

    CDC_2022 = "2022"
    CDC_2016 = "2016"


class MmeOverlap(StrEnum):
    """On which days an early refill's morphine equivalents fall."""

    SUM = "sum"
    SHIFT_SAME_PRODUCT = "shift_same_product"


class ExemptionCategory(StrEnum):
    """Reasons for which payers leave a patient's opioid use unlimited (CMS list; CDC 2022 scope)."""

    CANCER = "cancer"
    SICKLE_CELL = "sickle_cell"
    HOSPICE = "hospice"
    PALLIATIVE = "palliative"
    LTC = "ltc"


_CHOICES: dict[str, type[StrEnum]] = {
    "mode": Mode,
    "gap_anchor": GapAnchor,
    "overlap": Overlap,
    "basis": Basis,
    "mme_table": MmeTable,
    "mme_overlap": MmeOverlap,
}
_LEAST = {
    "limit_days": 0,
    "minor_age": 0,
    "minor_limit_days": 0,
    "gap_days": 1,
    "window_days": 1,
    "horizon_days": 1,
    "written_expiry_days": 0,
    "established_days": 1,
    "established_window": 1,
}
_MAY_BE_OFF = {"minor_limit_days", "window_days", "horizon_days", "established_days"}
_SWITCHES = ("count_pain_buprenorphine", "count_written")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All settings of the rule. Days are calendar days; None switches a setting off.

    `limit_days` is the last day that needs nothing: 7 means the eighth day needs authorization. `minor_limit_days`
    holds instead while the patient is younger than `minor_age`. `gap_days` uncovered days (CMS: at least 60) end an
    episode. `window_days`, `horizon_days` and `overlap=sum` apply to the cumulative mode only. An unfilled order
    counts for `written_expiry_days`.

    :raises InvalidInput: naming the setting, when a value makes no sense.
    """

    mode: Mode = Mode.CUMULATIVE
    limit_days: int = 7
    minor_age: int = 18
    minor_limit_days: int | None = None
    gap_days: int = 60
    gap_anchor: GapAnchor = GapAnchor.SUPPLY_END
    window_days: int | None = None
    horizon_days: int | None = None
    overlap: Overlap = Overlap.UNION
    basis: Basis = Basis.PROJECTED
    count_pain_buprenorphine: bool = False
    count_written: bool = True
    written_expiry_days: int = 30
    exempt_categories: tuple[ExemptionCategory, ...] = tuple(ExemptionCategory)
    established_days: int | None = None
    established_window: int = 120
    mme_table: MmeTable = MmeTable.CDC_2022
    mme_overlap: MmeOverlap = MmeOverlap.SUM

    def __post_init__(self) -> None:
        wrong: dict[str, list[str]] = {}
        for name, choice in _CHOICES.items():
            if not isinstance(getattr(self, name), choice):
                wrong[name] = [f"Use one of: {', '.join(choice)}."]
        for name, least in _LEAST.items():
            value = getattr(self, name)
            if not (type(value) is int and value >= least) and not (value is None and name in _MAY_BE_OFF):
                wrong[name] = [
                    f"A whole number of at least {least}{' or null' if name in _MAY_BE_OFF else ''} is needed."
                ]
        for name in _SWITCHES:
            if type(getattr(self, name)) is not bool:
                wrong[name] = ["True or false is needed."]
        if not all(isinstance(category, ExemptionCategory) for category in self.exempt_categories):
            wrong["exempt_categories"] = [f"Use only: {', '.join(ExemptionCategory)}."]
        if wrong:
            raise InvalidInput(wrong)

    @property
    def counts_days_supplied(self) -> bool:
        """Whether days' supply is added up instead of calendar days; only the cumulative mode does so."""
        return self.overlap is Overlap.SUM and self.mode is Mode.CUMULATIVE

    @property
    def lowest_limit(self) -> int:
        """The smallest limit that any day can have."""
        return self.limit_days if self.minor_limit_days is None else min(self.limit_days, self.minor_limit_days)

    @classmethod
    def default(cls) -> Self:
        """Return the policy that holds where no payer's own is known."""
        return cls()

    @classmethod
    def from_mapping(cls, settings: Mapping[str, Any]) -> Self:
        """Return the default policy with these settings in place of its own; names and values as in `to_mapping`.

        :raises InvalidInput: naming every unknown setting, or every value that makes no sense.
        """
        if unknown := set(settings) - _NAMES:
            raise InvalidInput({name: ["There is no such setting."] for name in sorted(unknown)})
        given = {name: _read(name, value) for name, value in settings.items()}
        return cls(**given)

    def to_mapping(self) -> dict[str, Any]:
        """Return every setting as plain JSON values; `from_mapping` reads it back."""
        plain = {name: getattr(self, name) for name in _ORDER}
        plain["exempt_categories"] = [category.value for category in self.exempt_categories]
        return {name: value.value if isinstance(value, StrEnum) else value for name, value in plain.items()}


_ORDER = tuple(field.name for field in fields(Policy))
_NAMES = frozenset(_ORDER)


def _read(name: str, value: Any) -> Any:
    """Return the setting's own type where the text names one; Policy refuses None, and what fits nowhere."""
    if name in _CHOICES:
        return _member(_CHOICES[name], value)
    if name == "exempt_categories":
        return (
            tuple(_member(ExemptionCategory, item) for item in value) if isinstance(value, list | tuple) else (value,)
        )
    return value


def _member(choice: type[StrEnum], value: Any) -> Any:
    by_text: dict[Any, StrEnum] = {item.value: item for item in choice}
    return by_text.get(value) if isinstance(value, str) else None
