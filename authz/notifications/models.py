"""Every notice to every recipient by every channel, and the inbox people read."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final

from django.db import models
from django.db.models import Q

from authz.access.models import Person
from authz.ids import new_id
from authz.notifications.channels.webhook.models import WebhookEndpoint
from authz.notifications.matrix import Pace
from authz.outbox.models import Leased

NEEDLESS: Final = "needless"
"""Kept with a delivery that was not sent, because what it asked for was done before."""


class DeliveryState(StrEnum):
    """Waiting for its next attempt, delivered, or given up until a person replays it."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


class Delivery(Leased):
    """One fact for one person by one channel, or for one webhook endpoint. Leased, settled and retried like the outbox.

    `public_id` stays the same over every attempt, so a receiver can tell a repeat from a new notice.
    """

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "message", "subject_id", "recipient", "endpoint", "organization", "channel", "needs_act",
        "due_at", "attempts", "sent_at", "dead_at", "last_error", "response_status", "on_behalf_of", "digest", "pace",
        "matter",
    }  # fmt: skip
    SETTLED = "sent_at"

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    message = models.ForeignKey("authz.OutboxMessage", on_delete=models.PROTECT, related_name="deliveries")
    # The message's, once more: who is next in line is found without a join.
    subject_id = models.UUIDField()
    recipient = models.ForeignKey("authz.Person", on_delete=models.PROTECT, null=True, related_name="+")
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.PROTECT, null=True, related_name="deliveries")
    organization = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=20)
    needs_act = models.BooleanField()
    pace = models.CharField(max_length=10, default=Pace.CAN_WAIT.value)
    sent_at = models.DateTimeField(null=True)
    response_status = models.PositiveSmallIntegerField(null=True, help_text="HTTP status of an endpoint's last answer.")
    on_behalf_of = models.ForeignKey("authz.Person", on_delete=models.PROTECT, null=True, related_name="+")
    matter = models.ForeignKey("authz.Matter", on_delete=models.PROTECT, null=True, related_name="deliveries")
    digest = models.ForeignKey("authz.Digest", on_delete=models.PROTECT, null=True, related_name="deliveries")

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["message", "recipient", "channel"], name="delivery_once_per_channel"),
            models.UniqueConstraint(fields=["message", "endpoint"], name="delivery_once_per_endpoint"),
            models.CheckConstraint(
                name="delivery_is_to_a_person_or_an_endpoint",
                condition=Q(channel="webhook", recipient=None, endpoint__isnull=False)
                | Q(~Q(channel="webhook"), recipient__isnull=False, endpoint=None),
            ),
        ]
        indexes = [
            models.Index(
                fields=["channel", "due_at", "id"],
                name="delivery_waiting",
                condition=Q(sent_at=None, dead_at=None),
            ),
            models.Index(
                fields=["subject_id", "recipient", "channel", "message"],
                name="delivery_in_line",
                condition=Q(sent_at=None, dead_at=None),
            ),
            models.Index(
                fields=["endpoint", "due_at", "id"],
                name="delivery_by_endpoint",
                condition=Q(sent_at=None, dead_at=None, endpoint__isnull=False),
            ),
            models.Index(
                fields=["subject_id", "endpoint", "message"],
                name="delivery_in_endpoints_line",
                condition=Q(sent_at=None, dead_at=None, endpoint__isnull=False),
            ),
        ]

    @property
    def state(self) -> DeliveryState:
        """Return where it stands."""
        if self.sent_at is not None:
            return DeliveryState.DELIVERED
        return DeliveryState.WAITING if self.dead_at is None else DeliveryState.DEAD

    @property
    def next_attempt_at(self) -> datetime | None:
        """Return when it may be tried next; None when it is not."""
        return self.due_at if self.state is DeliveryState.WAITING else None

    @property
    def person(self) -> Person:
        """Return whom it is for.

        :raises ValueError: when it is for an endpoint.
        """
        if self.recipient is None:
            raise ValueError(f"delivery {self.pk} is for an endpoint")
        return self.recipient

    @property
    def hook(self) -> WebhookEndpoint:
        """Return the endpoint that it is for.

        :raises ValueError: when it is for a person.
        """
        if self.endpoint is None:
            raise ValueError(f"delivery {self.pk} is for a person")
        return self.endpoint


class InboxEntry(models.Model):
    """A notice in a person's inbox. Its topic and what it is about are all it carries; the words come with reading."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "delivery", "person", "organization", "topic", "prior_auth", "pain_hint", "emergency_access",
        "needs_act", "arrived_at", "read_at", "acknowledged_at",
    }  # fmt: skip

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    delivery = models.OneToOneField(Delivery, on_delete=models.PROTECT, related_name="inbox_entry")
    person = models.ForeignKey("authz.Person", on_delete=models.PROTECT, related_name="inbox")
    organization = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="+")
    topic = models.CharField(max_length=60)
    prior_auth = models.ForeignKey("authz.PriorAuth", on_delete=models.PROTECT, null=True, related_name="+")
    pain_hint = models.ForeignKey("authz.PainHint", on_delete=models.PROTECT, null=True, related_name="+")
    emergency_access = models.ForeignKey("authz.EmergencyAccess", on_delete=models.PROTECT, null=True, related_name="+")
    needs_act = models.BooleanField()
    arrived_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "inbox entries"
        constraints = [
            models.CheckConstraint(
                name="notice_is_about_exactly_one",
                condition=Q(prior_auth__isnull=False, pain_hint=None, emergency_access=None)
                | Q(prior_auth=None, pain_hint__isnull=False, emergency_access=None)
                | Q(prior_auth=None, pain_hint=None, emergency_access__isnull=False),
            )
        ]
        indexes = [models.Index(fields=["person", "-arrived_at"], name="inbox_newest_first")]

    @property
    def number(self) -> str:
        """Return the request's number, "" where the notice is about a patient."""
        return self.prior_auth.number if self.prior_auth else ""
