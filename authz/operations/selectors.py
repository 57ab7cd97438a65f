"""How the deployment's own parts stand."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings

from authz.operations.models import Heartbeat, Part
from authz.operations.services import PAUSE


class Pulse(StrEnum):
    """Whether a part was seen at work lately, longer ago, or never."""

    OK = "ok"
    LATE = "late"
    NEVER = "never seen"


def pulses(*, now: datetime) -> Mapping[Part, Pulse]:
    """Return the pulse of every part: late is who missed three sweeps, or was silent for a minute."""
    seen = dict(Heartbeat.objects.values_list("part", "at"))
    longest = max(timedelta(minutes=1), PAUSE + 3 * timedelta(seconds=settings.SWEEP_SECONDS))
    return {part: _pulse(seen.get(part.value), now - longest) for part in Part}


def _pulse(at: datetime | None, limit: datetime) -> Pulse:
    if at is None:
        return Pulse.NEVER
    return Pulse.OK if at > limit else Pulse.LATE
