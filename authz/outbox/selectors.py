"""What is in the outbox."""

from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery

from authz.outbox.models import OutboxMessage


def unsettled() -> QuerySet[OutboxMessage]:
    """Return the facts that others have not been told yet, dead ones left out."""
    return OutboxMessage.objects.filter(settled_at=None, dead_at=None)


def next_in_line() -> QuerySet[OutboxMessage]:
    """Return each subject's oldest unsettled fact: facts about one subject are told in the order they became true.

    That order is the rows' order, because a service announces while it holds the lock on the subject.
    """
    # As a value, not as NOT EXISTS: PostgreSQL would join the whole backlog with itself for each single lease.
    first = unsettled().filter(subject_id=OuterRef("subject_id")).order_by("pk").values("pk")[:1]
    return unsettled().filter(pk=Subquery(first))


def dead() -> QuerySet[OutboxMessage]:
    """Return the facts that were given up, waiting for a person to replay them."""
    return OutboxMessage.objects.filter(dead_at__isnull=False).order_by("dead_at", "pk")


def waiting_since() -> datetime | None:
    """Return when the oldest unsettled fact was announced; None when all are settled."""
    return unsettled().order_by("announced_at").values_list("announced_at", flat=True).first()
