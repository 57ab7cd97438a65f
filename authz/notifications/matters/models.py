"""What waits for somebody's act, and who was told when nobody acted."""

from enum import StrEnum
from typing import ClassVar

from django.db import models
from django.db.models import Q

from authz.ids import new_id
from authz.notifications.matters.ladder import Rung


class Closing(StrEnum):
    """Why nothing is waited for any more: it was done, somebody took it in hand, or it was asked anew."""

    RESOLVED = "resolved"
    ACKNOWLEDGED = "acknowledged"
    ASKED_ANEW = "asked_anew"


class Matter(models.Model):
    """One fact that asks one organization's people for an act, until it is done or taken in hand.

    `since` is when the last rung of the ladder was taken, or the fact was told; `next_at` when to look at it again.
    Whether the request still needs the act is not kept but asked of the request: see matters.standing.
    """

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id", "message", "organization", "prior_auth", "topic", "goes_out", "opened_at", "since", "next_at",
        "closed_at", "closing",
    }  # fmt: skip

    message = models.ForeignKey("authz.OutboxMessage", on_delete=models.PROTECT, related_name="matters")
    organization = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="+")
    prior_auth = models.ForeignKey("authz.PriorAuth", on_delete=models.PROTECT, related_name="matters")
    topic = models.CharField(max_length=60)
    goes_out = models.BooleanField()
    opened_at = models.DateTimeField()
    since = models.DateTimeField()
    next_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closing = models.CharField(max_length=20, blank=True, choices=[(why.value, why.value) for why in Closing])

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "organization"], name="one_matter_of_a_fact_and_organization"),
            models.CheckConstraint(
                name="closed_matters_say_why",
                condition=Q(closed_at=None, closing="") | (Q(closed_at__isnull=False) & ~Q(closing="")),
            ),
        ]
        indexes = [
            models.Index(fields=["next_at", "id"], name="matter_due", condition=Q(closed_at=None)),
            models.Index(fields=["prior_auth", "id"], name="matter_of_a_request", condition=Q(closed_at=None)),
        ]


class Escalation(models.Model):
    """One rung taken for a matter: never twice, however often a worker looks. `public_id` is what is announced."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {"id", "public_id", "matter", "rung", "at"}

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    matter = models.ForeignKey(Matter, on_delete=models.PROTECT, related_name="escalations")
    rung = models.CharField(max_length=20, choices=[(rung.value, rung.value) for rung in Rung])
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["matter", "rung"], name="a_rung_is_taken_once")]
