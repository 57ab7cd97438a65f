"""PURE: the demonstration's patients and how far each one's request has come, as the files in patients/ tell it."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

from authz.prior_auths.deadlines import Urgency
from authz.rules.records import ExemptionCategory

FILES = ("riverside.toml", "hillside.toml")
_HOURS_A_DAY = 24
# A day of 23 hours in spring must not put a step before the record it answers.
_SPARE_HOURS = 2


class StoryBroken(ValueError):
    """A patient's story contradicts itself; the sentence names the patient's number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """A fill or an order, `ago` days before today. `reversed_ago` is when a fill was taken back, `told_ago` when the
    clinic heard of it, where that was later."""

    ago: int
    days: int
    rxcui: str
    quantity: Decimal
    prescriber: str
    reversed_ago: int | None = None
    told_ago: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Excuse:
    """An exemption, told `ago` days before today and open at both ends."""

    ago: int
    category: ExemptionCategory
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Peg:
    """A PEG asked `ago` days before today: pain, enjoyment and activity."""

    ago: int
    answers: tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """The words of a request: what it answers, what was asked, referred and decided, and why.

    `note` is the text of a chart note that is attached to the answers, `report` of one that goes with the answer to the
    insurer; empty when there is none.
    """

    dx: str = ""
    pain: str = ""
    why: str = ""
    note: str = ""
    asked: str = ""
    answered: str = ""
    report: str = ""
    referred: str = ""
    granted: int = 0
    because: str = ""
    criterion: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One patient of one clinic. `plan` is empty where only the payer's name is known.

    `reaches` names the path that people took the request along; `hours` says how many hours before now they took the
    first and the last step of it.
    """

    number: str
    family_name: str
    given_name: str
    born: date
    clinic: str
    member: str
    plan: str = ""
    payer: str = ""
    fills: tuple[Supply, ...] = ()
    orders: tuple[Supply, ...] = ()
    exempt: Excuse | None = None
    pegs: tuple[Peg, ...] = ()
    reaches: str = ""
    hours: tuple[float, float] = (0.0, 0.0)
    urgency: Urgency = Urgency.STANDARD
    says: Says = field(default_factory=Says)

    def __post_init__(self) -> None:
        first, last = self.hours
        if bool(self.plan) == bool(self.payer):
            raise StoryBroken(f"{self.number}: name either a plan or a payer")
        if self.reaches and not 0 < last <= first <= self._opened_ago * _HOURS_A_DAY - _SPARE_HOURS:
            raise StoryBroken(f"{self.number}: the steps must follow the last record and one another")

    @property
    def prescriber(self) -> str:
        """Return who prescribed what the patient took last."""
        return min(self.supplies, key=lambda supply: supply.ago).prescriber

    @property
    def supplies(self) -> tuple[Supply, ...]:
        """Return the fills and the orders."""
        return (*self.fills, *self.orders)

    @property
    def _opened_ago(self) -> int:
        """Return since when there is the request whose steps these are; of two for one patient it is the older one."""
        of_several = max if self.reaches == "duplicate" else min
        return of_several(supply.ago for supply in self.supplies)


@cache
def stories() -> tuple[Story, ...]:
    """Return every patient's story, clinic by clinic.

    :raises StoryBroken: when one contradicts itself.
    """
    codes = _read("products.toml")
    return tuple(_story(row, codes) for file in FILES for row in _read(file)["patient"])


def _read(file: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("authz.demonstration").joinpath("patients", file).read_text("utf-8"))


def _story(row: dict[str, Any], codes: dict[str, str]) -> Story:
    told = dict(row)
    family_name, given_name = told.pop("name")
    excuse = told.pop("exempt", None)
    return Story(
        family_name=family_name,
        given_name=given_name,
        fills=_supplies(told.pop("fills", ()), codes),
        orders=_supplies(told.pop("orders", ()), codes),
        exempt=Excuse(**(excuse | {"category": ExemptionCategory(excuse["category"])})) if excuse else None,
        pegs=tuple(Peg(ago=peg["ago"], answers=tuple(peg["answers"])) for peg in told.pop("pegs", ())),
        hours=tuple(told.pop("hours", (0.0, 0.0))),
        urgency=Urgency(told.pop("urgency", "standard")),
        says=Says(**told.pop("says", {})),
        **told,
    )


def _supplies(rows: Sequence[dict[str, Any]], codes: dict[str, str]) -> tuple[Supply, ...]:
    return tuple(_supply(row, codes) for row in rows)


def _supply(row: dict[str, Any], codes: dict[str, str]) -> Supply:
    return Supply(
        ago=row["ago"],
        days=row["days"],
        rxcui=codes[row["of"]],
        quantity=Decimal(row.get("quantity") or row["days"] * row["a_day"]),
        prescriber=row["by"],
        reversed_ago=row.get("reversed_ago"),
        told_ago=row.get("told_ago"),
    )
