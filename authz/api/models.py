"""What the JSON door remembers: the answer given to each Idempotency-Key."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from authz.access.models import WrittenFor
from authz.sealing.fields import SealedJson, SealedText


class IdempotentAnswer(WrittenFor):
    """The stored answer to one key of one caller. The same key with another body is refused, never answered.

    `patients` are the inside keys of those it is about: the trail names them when it is answered again.
    """

    PHI: ClassVar[set[str]] = {"body", "request_sha256"}
    PLAIN: ClassVar[set[str]] = {"id", "caller", "key", "status", "location", "answered_at", "tenant", "patients"}

    caller = models.CharField(max_length=60, help_text="person:<id>@<organization> or client:<id>")
    key = models.CharField(max_length=255)
    # Sealed, too: a hash of what can be guessed tells it.
    request_sha256 = SealedText(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    body = SealedJson(null=True)
    location = models.CharField(max_length=300, blank=True)
    answered_at = models.DateTimeField()
    patients = ArrayField(models.BigIntegerField(), default=list, db_default=[])

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="idempotency_key_once_per_caller")]
