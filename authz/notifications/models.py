"""Every notice to every recipient by every channel, and the inbox people read."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from authz.ids import new_id
from authz.notifications.matrix import Pace
from authz.outbox.models import Leased


class Delivery(Leased):
    """One fact for one person by one channel. Leased, settled and retried like the outbox it came from.

    `public_id` stays the same over every attempt, so a receiver can tell a repeat from a new notice.
    """

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "message", "subject_id", "recipient", "organization", "channel", "needs_act", "due_at",
        "attempts", "sent_at", "dead_at", "last_error", "on_behalf_of", "digest", "pace",
        "matter",
    }  # fmt: skip
    SETTLED = "sent_at"

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    message = models.ForeignKey("authz.OutboxMessage", on_delete=models.PROTECT, related_name="deliveries")
    # The message's, once more: who is next in line is found without a join.
    subject_id = models.UUIDField()
    recipient = models.ForeignKey("authz.Person", on_delete=models.PROTECT, related_name="+")
    organization = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=20)
    needs_act = models.BooleanField()
    pace = models.CharField(max_length=10, default=Pace.CAN_WAIT.value)
    sent_at = models.DateTimeField(null=True)
    on_behalf_of = models.ForeignKey("authz.Person", on_delete=models.PROTECT, null=True, related_name="+")
    matter = models.ForeignKey("authz.Matter", on_delete=models.PROTECT, null=True, related_name="deliveries")
    digest = models.ForeignKey("authz.Digest", on_delete=models.PROTECT, null=True, related_name="deliveries")

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["message", "recipient", "channel"], name="delivery_once_per_channel")
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
        ]


class InboxEntry(models.Model):
    """A notice in a person's inbox. Its topic and what it is about are all it carries; the words come with reading."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "delivery", "person", "organization", "topic", "prior_auth", "pain_hint", "needs_act",
        "arrived_at", "read_at", "acknowledged_at",
    }  # fmt: skip

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    delivery = models.OneToOneField(Delivery, on_delete=models.PROTECT, related_name="inbox_entry")
    person = models.ForeignKey("authz.Person", on_delete=models.PROTECT, related_name="inbox")
    organization = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="+")
    topic = models.CharField(max_length=60)
    prior_auth = models.ForeignKey("authz.PriorAuth", on_delete=models.PROTECT, null=True, related_name="+")
    pain_hint = models.ForeignKey("authz.PainHint", on_delete=models.PROTECT, null=True, related_name="+")
    needs_act = models.BooleanField()
    arrived_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "inbox entries"
        constraints = [
            models.CheckConstraint(
                name="notice_is_about_exactly_one",
                condition=Q(prior_auth__isnull=False, pain_hint=None) | Q(prior_auth=None, pain_hint__isnull=False),
            )
        ]
        indexes = [models.Index(fields=["person", "-arrived_at"], name="inbox_newest_first")]

    @property
    def number(self) -> str:
        """Return the request's number, "" where the notice is about a patient."""
        return self.prior_auth.number if self.prior_auth else ""
