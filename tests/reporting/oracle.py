"""A second, slow answer to every figure: straight from the rows of events, request by request and day by day.

Written from docs/metrics.md. It reads no determination and no appeal, and shares no arithmetic with the product. What
people of a clinic did to their requests it reads from the trail, entry by entry. That notice was late is noted with a
request; whether it rightly is, `heard_late` says from what reached the clinic.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import takewhile
from statistics import mean, median
from typing import Any
from zoneinfo import ZoneInfo

from authz.access.models import Organization
from authz.audit.models import AuditEntry
from authz.notifications.models import Delivery
from authz.prior_auths.models import Event, PriorAuth

APPROVED = {"approve", "approve_by_rule", "deem_approved"}
AGAINST = {"approve_in_part": "partially_approved", "deny": "denied", "deem_adverse": "deemed_adverse"}
TELLS = {
    f"prior-auth.{what}" for what in ("approved", "approved-in-part", "denied", "deemed-approved", "deemed-adverse")
}
NEVER_WAS = {"void", "link_duplicate", "retract"}
OF_DECIDED = [
    "approved", "approved_by_rule", "deemed_approved", "denied_fully_or_partly", "partially_approved", "denied",
    "deemed_adverse", "approved_after_appeal", "extended_and_approved", "decided_late", "notified_late",
]  # fmt: skip


HALF_AN_HOUR = timedelta(minutes=30)


@dataclass
class Life:
    """What the events of one request say, under one of two regimes: Generic, or Medicare Advantage."""

    request: PriorAuth
    steps: list[tuple[str, datetime]]

    def first(self, *names: str) -> tuple[str, datetime] | None:
        return next(((name, at) for name, at in self.steps if name in names), None)

    @property
    def before(self) -> list[tuple[str, datetime]]:
        """What happened until it was first decided; all of it, while it is not."""
        return list(takewhile(lambda step: step[0] not in {*APPROVED, *AGAINST}, self.steps))

    @property
    def hastened_at(self) -> datetime | None:
        """When it was asked to be expedited, unless that was refused."""
        asked_at = None
        for name, at in self.before:
            if name == "expedite":
                asked_at = at
            elif name == "refuse_expedited":
                asked_at = None
        return asked_at

    @property
    def urgency(self) -> str:
        return "expedited" if self.hastened_at else "standard"

    @property
    def is_extended(self) -> bool:
        return any(name == "extend" for name, _ in self.before)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.request.time_zone)

    def day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def due(self) -> datetime:
        """Return the last instant at which it is decided in time; nothing that was missing stops these clocks."""
        received = self.first("submit")
        assert received is not None
        more = timedelta(days=14 if self.is_extended else 0)
        if self.request.regime == "medicare_advantage":
            days, hours = timedelta(days=14 if self.day(received[1]).year < 2026 else 7), 72
            after = datetime.combine(self.day(received[1]) + days + more + timedelta(days=1), time(), self.zone)
            standard = after.astimezone(UTC) - timedelta(microseconds=1)
        else:
            standard, hours = self.later(received[1], 72, more), 24
        return min(standard, self.later(self.hastened_at, hours, more)) if self.hastened_at else standard

    def later(self, at: datetime, hours: int, days: timedelta) -> datetime:
        """Return the instant so many hours later, and then at the same time of day on a later day."""
        return ((at + timedelta(hours=hours)).astimezone(self.zone) + days).astimezone(UTC)

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
        return found | dict.fromkeys(self.decided_as(*decided), self.day(decided[1]))

    def decided_as(self, step: str, at: datetime) -> list[str]:
        names = ["decided", *(["approved"] if step in APPROVED else ["denied_fully_or_partly", AGAINST[step]])]
        names += {"approve_by_rule": ["approved_by_rule"], "deem_approved": ["deemed_approved"]}.get(step, [])
        names += ["approved_after_appeal"] if self.first("overturn", "independently overturned") else []
        names += ["extended_and_approved"] if self.is_extended and "approved" in names else []
        names += ["decided_late"] if at > self.due() else []
        names += ["notified_late"] if any(breach.kind == "notify_by" for breach in self.request.breaches.all()) else []
        return names

    def heard_late(self, *, now: datetime) -> bool:
        """Say whether nobody at the clinic had heard of the first determination when notice of it was due."""
        decided = self.first(*APPROVED, *AGAINST)
        if decided is None or self.due() >= now:
            return False
        told = Delivery.objects.filter(subject_id=self.request.public_id, organization=self.request.clinic_id)
        told = told.filter(message__topic__in=TELLS, message__announced_at=decided[1], channel__in=["inbox", "email"])
        return not told.filter(sent_at__lte=self.due()).exists()

    def hours(self) -> Fraction:
        received, decided = self.first("submit"), self.first(*APPROVED, *AGAINST)
        assert received is not None
        assert decided is not None
        elapsed = decided[1] - received[1]
        return Fraction((elapsed.days * 86_400 + elapsed.seconds) * 10**6 + elapsed.microseconds, 3_600 * 10**6)


def lives() -> list[Life]:
    """Return every request that there is."""
    return [
        Life(row, [(_name(event), event.at) for event in sorted(row.events.all(), key=lambda event: event.sequence)])
        for row in PriorAuth.objects.select_related("insurer", "coverage__plan").prefetch_related("events", "breaches")
    ]


def _name(event: Event) -> str:
    """Return what a step did: of an independent review, what was decided there."""
    return f"independently {event.code}" if event.step == "record_independent_review" else event.step


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
    own = AuditEntry.objects.filter(organization=clinic, subject_id__in=[subject_id for _, subject_id in about])
    for entry in own.exclude(person=None).order_by("at", "pk"):
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
