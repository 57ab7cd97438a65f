"""PURE: when a decision is due, and why. Never stored: due instants are computed from events and the regime."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from authz.policies.regime import Regime


class Urgency(StrEnum):
    STANDARD = "standard"
    EXPEDITED = "expedited"


@dataclass(frozen=True, slots=True)
class Due:
    """The instant (UTC) by which a determination must be made, and the reason in words with its citation."""

    at: datetime
    why: str


def decide_by(*, regime: Regime, urgency: Urgency, received_at: datetime) -> Due:
    """Return when the insurer must have decided a request it received at that instant.

    Hours are hours: 72 hours is not three days, whatever the clocks do in between.
    """
    hours = regime.expedited_hours if urgency is Urgency.EXPEDITED else regime.standard_hours
    why = (
        f"{hours} hours after the insurer received the {urgency.value} request "
        f"at {received_at:%Y-%m-%d %H:%M} UTC ({regime.title}: {regime.citation})."
    )
    return Due(at=received_at + timedelta(hours=hours), why=why)
