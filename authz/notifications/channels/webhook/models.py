"""Where an organization's own systems hear of events, and the secrets that sign what they hear."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from django.db import models
from django.db.models import Q

from authz.ids import new_id


class EndpointState(StrEnum):
    """A paused endpoint hears everything once it is active again; a deactivated one never again hears anything."""

    ACTIVE = "active"
    PAUSED = "paused"
    DEACTIVATED = "deactivated"


class PausedBecause(StrEnum):
    """Its administrator asked for it, or it answered 410 Gone."""

    ASKED = "asked"
    GONE = "gone"


class WebhookEndpoint(models.Model):
    """An address of one organization. Without `topics` it hears of every topic that the organization's people do.

    While its receiver is away nothing is tried before `held_until`; `failures` counts how often that was in a row.
    """

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "organization", "url", "description", "topics", "state", "paused_because", "registered_at",
        "failures", "held_until",
    }  # fmt: skip

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    organization = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="+")
    url = models.CharField(max_length=500)
    description = models.CharField(max_length=200, blank=True)
    topics = models.JSONField(default=list)
    state = models.CharField(max_length=20, default=EndpointState.ACTIVE.value)
    paused_because = models.CharField(max_length=20, blank=True)
    registered_at = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0)
    held_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="endpoint_says_why_it_is_paused",
                condition=Q(state="paused", paused_because__in=["asked", "gone"])
                | Q(state__in=["active", "deactivated"], paused_because=""),
            )
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    def signing_secrets(self, *, now: datetime) -> "list[WebhookSecret]":
        """Return the secrets that sign at an instant, newest first."""
        living = (one for one in self.secrets.all() if one.retires_at is None or one.retires_at > now)
        return sorted(living, key=lambda one: one.pk, reverse=True)

    @property
    def why_paused(self) -> PausedBecause | None:
        """Return why it is paused; None when it is not."""
        return PausedBecause(self.paused_because) if self.paused_because else None


class WebhookSecret(models.Model):
    """One secret of an endpoint, sealed. It signs until `retires_at`; the newest has no such end."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {"id", "endpoint", "sealed", "retires_at"}

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, related_name="secrets")
    sealed = models.TextField()
    retires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint"], name="endpoint_has_one_newest_secret", condition=Q(retires_at=None)
            )
        ]
