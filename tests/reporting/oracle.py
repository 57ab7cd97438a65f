"""A second, slow answer to every figure: straight from the rows of events, request by request and day by day.

Written from docs/metrics.md. It reads no determination and shares no arithmetic with the product. What people of a
clinic did to their requests it reads from the trail, entry by entry.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from statistics import mean, median
from typing import Any
from zoneinfo import ZoneInfo

from authz.access.models import Organization
from authz.audit.models import AuditEntry
from authz.prior_auths.models import PriorAuth

APPROVED = {"approve", "approve_by_rule", "deem_approved"}
AGAINST = {"approve_in_part": "partially_approved", "deny": "denied", "deem_adverse": "deemed_adverse"}
NEVER_WAS = {"void", "link_duplicate", "retract"}
OF_DECIDED = [
    "approved", "approved_by_rule", "deemed_approved", "denied_fully_or_partly", "partially_approved", "denied",
    "deemed_adverse", "approved_after_appeal", "extended_and_approved", "decided_late", "notified_late",
]  # fmt: skip


HALF_AN_HOUR = timedelta(minutes=30)


@dataclass
class Life:
    """What the events of one request say, under a regime of 72 hours, or 24 when expedited, and 14 days' extension."""

    request: PriorAuth
    steps: list[tuple[str, datetime]]

    def first(self, *names: str) -> tuple[str, datetime] | None:
        return next(((name, at) for name, at in self.steps if name in names), None)

    @property
    def urgency(self) -> str:
        return "expedited" if self.first("expedite") else "standard"

    def day(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.request.time_zone)).date()

    def figures(self) -> dict[str, date]:
        received = self.first("submit")
        if received is None or any(name in NEVER_WAS for name, _ in self.steps):
            return {}
        decided = self.first(*APPROVED, *AGAINST)
        found = {"received": self.day(received[1])}
        if decided is None:
            given_up = self.first("withdraw", "dismiss")
            name = {"withdraw": "withdrawn", "dismiss": "dismissed"}.get(given_up[0]) if given_up else None
            return found | ({name: self.day(given_up[1])} if given_up and name else {})
        step, on = decided[0], self.day(decided[1])
        names = ["decided", *(["approved"] if step in APPROVED else ["denied_fully_or_partly", AGAINST[step]])]
        names += {"approve_by_rule": ["approved_by_rule"], "deem_approved": ["deemed_approved"]}.get(step, [])
        before = {name for name, at in self.steps if at < decided[1]}
        names += ["extended_and_approved"] if "extend" in before and "approved" in names else []
        most = (24 if self.urgency == "expedited" else 72) + (14 * 24 if "extend" in before else 0)
        names += ["decided_late"] if self.hours() > most else []
        names += ["notified_late"] if any(breach.kind == "notify_by" for breach in self.request.breaches.all()) else []
        return found | dict.fromkeys(names, on)

    def hours(self) -> Fraction:
        received, decided = self.first("submit"), self.first(*APPROVED, *AGAINST)
        assert received is not None
        assert decided is not None
        elapsed = decided[1] - received[1]
        return Fraction((elapsed.days * 86_400 + elapsed.seconds) * 10**6 + elapsed.microseconds, 3_600 * 10**6)


def lives() -> list[Life]:
    """Return every request that there is."""
    return [
        Life(row, [(event.step, event.at) for event in sorted(row.events.all(), key=lambda event: event.sequence)])
        for row in PriorAuth.objects.select_related("insurer", "coverage__plan").prefetch_related("events", "breaches")
    ]


def figures(some: Iterable[Life], since: date, until: date) -> dict[str, Any]:
    """Return the figures of some requests from a day to a day, both included, as the API writes them."""
    return {
        "standard": _told([life for life in some if life.urgency == "standard"], since, until),
        "expedited": _told([life for life in some if life.urgency == "expedited"], since, until),
        "all": _told(list(some), since, until),
    }


def clinics_work(clinic: Organization, since: date, until: date) -> dict[str, Any]:
    """Return how often people of a clinic touched what it submitted from a day to a day."""
    zone = ZoneInfo(clinic.time_zone)
    touched = [
        _touches(life.request, clinic)
        for life in lives()
        if life.request.clinic == clinic and life.figures()
        for _, received in [life.first("submit") or ("", datetime.max)]
        if since <= received.astimezone(zone).date() <= until
    ]
    names = sorted({name for names in touched for name in names})
    each = [Fraction(len(names)) for names in touched]
    return {
        "requests": len(touched),
        "touches": {"total": sum(each), "mean": _over(each, mean, 1), "median": _over(each, median, 1)},
        "people": {
            name: (sum(names.count(name) for names in touched), sum(name in names for names in touched))
            for name in names
        },
    }


def told_of_work(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what of the API's answer is computed anew here."""
    people = {row["name"]: (row["touches"], row["requests"]) for row in answer["people"]}
    return {"requests": answer["requests"], "touches": answer["touches"], "people": people}


def _touches(request: PriorAuth, clinic: Organization) -> list[str]:
    """Return who touched a request, each as often as they did."""
    about = {("prior-auth", request.public_id)}
    about |= {("appeal", appeal.public_id) for appeal in request.appeals.all()}
    about |= {("call", call.public_id) for call in request.calls.all()}
    found: list[str] = []
    last_saved: dict[str, datetime] = {}
    for entry in AuditEntry.objects.filter(organization=clinic).exclude(person=None).order_by("at", "pk"):
        if (entry.subject_kind, entry.subject_id) not in about:
            continue
        name = entry.actor_name
        if entry.action == "expedite" and entry.at == request.submitted_at:
            continue
        is_new = entry.action != "answer" or name not in last_saved or entry.at > last_saved[name] + HALF_AN_HOUR
        if entry.action == "answer":
            last_saved[name] = entry.at
        found += [name] if is_new else []
    return found


def _told(some: list[Life], since: date, until: date) -> dict[str, Any]:
    counts = Counter(name for life in some for name, on in life.figures().items() if since <= on <= until)
    hours = [life.hours() for life in some if since <= life.figures().get("decided", date.min) <= until]
    names = ["received", "decided", *OF_DECIDED, "withdrawn", "dismissed"]
    return {
        "counts": {name: counts[name] for name in names},
        "percentages": {
            name: {
                "numerator": counts[name],
                "denominator": counts["decided"],
                "percent": _text(Fraction(100 * counts[name], counts["decided"])) if counts["decided"] else None,
            }
            for name in OF_DECIDED
        },
        "time_to_decision": {
            "mean_hours": _over(hours, mean, 1),
            "median_hours": _over(hours, median, 1),
            "mean_days": _over(hours, mean, 24),
            "median_days": _over(hours, median, 24),
        },
    }


def _over(hours: list[Fraction], middle: Callable[[list[Fraction]], Fraction], unit: int) -> str | None:
    return _text(middle(hours) / unit) if hours else None


def _text(exact: Fraction) -> str:
    return str((Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(Decimal("0.01"), ROUND_HALF_UP))
