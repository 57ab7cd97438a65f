"""PURE: what the pages call figures, and which of them belong together."""

from collections.abc import Mapping
from typing import Final

from authz.reporting.aging import Age, TimeLeft
from authz.reporting.figures import Figure, Speed
from authz.reporting.periods import Every, Period
from authz.reporting.selectors import By

FIGURE: Final[Mapping[Figure, str]] = {
    Figure.RECEIVED: "Received",
    Figure.DECIDED: "Decided",
    Figure.WITHDRAWN: "Withdrawn before a decision",
    Figure.DISMISSED: "Dismissed before a decision",
    Figure.APPROVED: "Approved in full",
    Figure.APPROVED_BY_RULE: "Approved by rule",
    Figure.DEEMED_APPROVED: "Approved by law",
    Figure.EXTENDED_AND_APPROVED: "Approved after more time",
    Figure.APPROVED_AFTER_APPEAL: "Approved after appeal",
    Figure.DENIED_FULLY_OR_PARTLY: "Denied wholly or in part",
    Figure.PARTIALLY_APPROVED: "Approved in part",
    Figure.DENIED: "Denied wholly",
    Figure.DEEMED_ADVERSE: "Adverse by law",
    Figure.DECIDED_LATE: "Decided late",
    Figure.NOTIFIED_LATE: "Told late",
}
GROUPS: Final[Mapping[str, tuple[Figure, ...]]] = {
    "Received and ended": (Figure.RECEIVED, Figure.DECIDED, Figure.WITHDRAWN, Figure.DISMISSED),
    "Approved": (
        Figure.APPROVED, Figure.APPROVED_BY_RULE, Figure.DEEMED_APPROVED, Figure.EXTENDED_AND_APPROVED,
        Figure.APPROVED_AFTER_APPEAL,
    ),
    "Denied": (
        Figure.DENIED_FULLY_OR_PARTLY, Figure.PARTIALLY_APPROVED, Figure.DENIED, Figure.DEEMED_ADVERSE,
    ),
    "Time": (Figure.DECIDED_LATE, Figure.NOTIFIED_LATE),
}  # fmt: skip
"""Every figure once, as they are told below one another."""

WHOLE: Final = "whole"
EVERY: Final[Mapping[str, str]] = {
    WHOLE: "In all",
    Every.MONTH.value: "Month by month",
    Every.QUARTER.value: "Quarter by quarter",
    Every.YEAR.value: "Year by year",
}
SPEED: Final[Mapping[Speed, str]] = {
    Speed.ALL: "All requests",
    Speed.STANDARD: "Standard",
    Speed.EXPEDITED: "Expedited",
}
BY: Final[Mapping[By, str]] = {By.PAYER: "By payer", By.PLAN: "By plan"}
AGE: Final[Mapping[Age, str]] = {
    Age.UNDER_1_DAY: "Under 1 day",
    Age.FROM_1_TO_3_DAYS: "1 to 3 days",
    Age.FROM_3_TO_7_DAYS: "3 to 7 days",
    Age.FROM_7_TO_14_DAYS: "7 to 14 days",
    Age.FROM_14_TO_30_DAYS: "14 to 30 days",
    Age.FROM_30_DAYS: "30 days or more",
}
LEFT: Final[Mapping[TimeLeft, str]] = {
    TimeLeft.OVERDUE: "Overdue",
    TimeLeft.UNDER_8_HOURS: "Under 8 hours",
    TimeLeft.FROM_8_TO_24_HOURS: "8 to 24 hours",
    TimeLeft.FROM_24_TO_72_HOURS: "24 to 72 hours",
    TimeLeft.FROM_72_HOURS: "72 hours or more",
    TimeLeft.NO_DEADLINE: "No deadline",
}


def of_period(period: Period, every: Every | None) -> str:
    """Return what a piece of time is called, such as "Mar 2025", "Q1 2025", "2025"."""
    since = period.since
    if every is Every.MONTH:
        return f"{since:%b %Y}"
    if every is Every.QUARTER:
        return f"Q{(since.month + 2) // 3} {since.year}"
    return str(since.year) if every is Every.YEAR else "In all"
