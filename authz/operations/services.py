"""Heartbeats: every write."""

from datetime import datetime, timedelta

from authz.operations.models import Heartbeat, Part

PAUSE = timedelta(seconds=10)
"""A part that works without a pause says so no more often than this."""


def note_heartbeat(*, part: Part, now: datetime) -> None:
    """Note that a part is at work, unless it said so a moment ago."""
    if not Heartbeat.objects.filter(part=part.value, at__gt=now - PAUSE).exists():
        Heartbeat.objects.update_or_create(part=part.value, defaults={"at": now})
