"""Facts to tell others, written in the transaction that made them true."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from authz.access.models import WrittenFor


class Leased(models.Model):
    """Work that a worker leases row by row; see authz.outbox.leases.

    `due_at` is when the next worker may lease it; leasing moves it ahead, so a worker that dies lets its lease run out.
    `SETTLED` names the column that says when it was done.
    """

    SETTLED: ClassVar[str]

    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    dead_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=200, blank=True)

    class Meta:
        abstract = True


class OutboxMessage(WrittenFor, Leased):
    """One fact: a topic and the public id of what it is about; never any patient data."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id", "topic", "subject_id", "announced_at", "due_at", "attempts", "settled_at", "dead_at", "last_error",
        "tenant",
    }  # fmt: skip
    SETTLED = "settled_at"

    topic = models.CharField(max_length=60)
    subject_id = models.UUIDField()
    announced_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["due_at", "id"], name="outbox_waiting", condition=Q(settled_at=None, dead_at=None)),
            models.Index(fields=["subject_id", "id"], name="outbox_by_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.subject_id}"
