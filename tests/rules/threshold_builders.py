"""Short ways to write a threshold, and to see what it finds."""

from decimal import Decimal
from typing import Any

from authz.rules.evaluate import evaluate
from authz.rules.records import Record
from authz.rules.thresholds import BenzodiazepineDays, Finding, FindingAction, FindingKind, Threshold, findings
from tests.rules.builders import case, day, fill

ALPRAZOLAM, LORAZEPAM = "alprazolam", "lorazepam"


def dose(at_least: str | int, action: str = "inform", **rest: Any) -> Threshold:
    kind = FindingKind.MME_PER_DAY
    return Threshold(kind=kind, at_least=Decimal(at_least), action=FindingAction(action), **rest)


def duplicate(action: str = "inform") -> Threshold:
    return Threshold(kind=FindingKind.DUPLICATE_LONG_ACTING, action=FindingAction(action))


def with_benzodiazepine(action: str = "inform") -> Threshold:
    return Threshold(kind=FindingKind.OPIOID_WITH_BENZODIAZEPINE, action=FindingAction(action))


def found(threshold: Threshold, *records: Record, benzodiazepines: Any = (), **rest: Any) -> list[Finding]:
    given_case = case(*records, **rest)
    return list(findings(given_case, evaluate(given_case), [threshold], benzodiazepine_days=benzodiazepines))


def when(finding: Finding) -> tuple[str, str]:
    return finding.first_day.isoformat()[5:], finding.last_day.isoformat()[5:]


def oxycodone(identity: str, start: str, days: int, a_day: int, **rest: Any) -> Record:
    """Oxycodone 5 mg: 7.5 MME each."""
    return fill(identity, start, days, quantity=Decimal(a_day * days), **rest)


def benzodiazepine(first: str, last: str, ingredient: str = ALPRAZOLAM) -> BenzodiazepineDays:
    return BenzodiazepineDays(ingredient=ingredient, first=day(first), last=day(last))
