"""Of which decisions a clinic was told."""

from typing import Any

from django.db.models import QuerySet

from authz.notifications.models import Delivery
from authz.prior_auths.clock_history import DECISIONS
from authz.prior_auths.lifecycle import ON_APPEAL, TABLE

DECISION_TOPICS = frozenset(TABLE[step].says for step in DECISIONS - ON_APPEAL)


def decisions_told(subject_id: Any, clinic_id: Any) -> QuerySet[Delivery]:
    """Return what told a request's clinic of a decision, by the request's public id and the clinic's inside key."""
    # By the message's subject, of which there is an index; the delivery's own is of those that wait.
    return Delivery.objects.filter(
        message__subject_id=subject_id,
        organization_id=clinic_id,
        message__topic__in=DECISION_TOPICS,
        sent_at__isnull=False,
        endpoint=None,  # a machine that heard of it is no notice to anybody
    )
