"""PURE: answers that follow from other answers. Exact inside; rounded half up, once, where they are told.

Of an answer that is missing nothing follows: each function then returns None.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from authz.documentation.conditions import JsonValue
from authz.rules.pain_signal import PainScore

ORT_OUD_HIGH_FROM: Final = 3
"""Of nine: 2 or fewer is low, 3 or more is high (Cheatle 2019, PMC6768552)."""

PEG: Final = ("peg.1", "peg.2", "peg.3")
ORT_OUD: Final = tuple(f"ortoud.{number}" for number in range(1, 10))

Answers = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Derivation:
    """Which answers it needs, and what follows from them."""

    needs: tuple[str, ...]
    follows: Callable[[Answers], JsonValue]

    def of(self, answers: Answers) -> JsonValue:
        """Return what follows; None while an answer that it needs is missing, or nothing can follow."""
        return self.follows(answers) if all(need in answers for need in self.needs) else None


def one_decimal(amount: Fraction) -> str:
    """Return an amount with one decimal, half away from zero: 20/3 is "6.7", -1/20 is "-0.1"."""
    tenths = (20 * abs(amount.numerator) + amount.denominator) // (2 * amount.denominator)
    sign = "-" if amount < 0 and tenths else ""
    return f"{sign}{tenths // 10}.{tenths % 10}"


def peg(answers: Answers) -> Fraction:
    """Return the PEG, exactly: the mean of its three answers (Krebs 2009)."""
    pain, enjoyment, activity = (int(str(answers[question])) for question in PEG)
    # The day plays no part in the score.
    return PainScore.of_peg(date.min, pain=pain, enjoyment=enjoyment, activity=activity).score


def _peg_change(answers: Answers) -> JsonValue:
    """Return the change in percent of the baseline, below zero when the score fell. Of nothing there is no part."""
    baseline = Fraction(Decimal(str(answers["peg.baseline"])))
    return one_decimal((peg(answers) - baseline) / baseline * 100) if baseline else None


def _ort_oud(answers: Answers) -> int:
    return sum(answers[question] is True for question in ORT_OUD)


DERIVATIONS: Final[Mapping[str, Derivation]] = {
    "peg": Derivation(PEG, lambda answers: one_decimal(peg(answers))),
    "peg-change": Derivation((*PEG, "peg.baseline"), _peg_change),
    "ort-oud-score": Derivation(ORT_OUD, _ort_oud),
    "ort-oud-category": Derivation(
        ORT_OUD, lambda answers: "high" if _ort_oud(answers) >= ORT_OUD_HIGH_FROM else "low"
    ),
}
"""By the name a questionnaire gives them."""
