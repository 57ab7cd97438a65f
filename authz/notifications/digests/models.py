"""The daily digests that people wait for."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from authz.ids import new_id
from authz.outbox.models import Leased


class Digest(Leased):
    """One mail of a day to a person about what could wait, in one organization. What it counts joins it before.

    `public_id` stays the same over every attempt, so a receiver can tell a repeat.
    """

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "person", "organization", "comes_at", "due_at", "attempts", "sent_at", "dead_at",
        "last_error",
    }  # fmt: skip
    SETTLED = "sent_at"

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    person = models.ForeignKey("authz.Person", on_delete=models.PROTECT, related_name="+")
    organization = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="+")
    comes_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "organization", "comes_at"], name="one_digest_at_a_time")
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], name="digest_waiting", condition=Q(sent_at=None, dead_at=None))
        ]
