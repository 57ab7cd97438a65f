"""What the deployment's own parts say of themselves."""

from enum import StrEnum
from typing import ClassVar

from django.db import models


class Part(StrEnum):
    """What must go on all the time, whoever does it."""

    BEAT = "beat"
    """Beat wakes up and sends what is due."""
    TELLING = "telling"
    """Facts are looked for, and whoever hears of them is written down."""
    SENDING = "sending"
    """Deliveries that leave the house are looked for."""


class Heartbeat(models.Model):
    """When a part was last seen at work."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {"id", "part", "at"}

    part = models.CharField(max_length=20, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.part} {self.at:%Y-%m-%dT%H:%M:%SZ}"
