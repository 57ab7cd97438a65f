"""Write the trail. Called inside the transaction of what it records, so neither exists without the other."""

from datetime import datetime
from uuid import UUID

from authz.access.roles import Actor
from authz.audit.models import AuditEntry


def record(*, by: Actor, action: str, subject_kind: str, subject_id: UUID, now: datetime) -> None:
    """Add one entry to the trail: `action` is a verb, `subject_kind` and `subject_id` name the record by public id."""
    AuditEntry.objects.create(
        at=now,
        organization_id=by.organization_id,
        person_id=by.person_id,
        client_id=by.client_id,
        actor_name=by.name,
        action=action,
        subject_kind=subject_kind,
        subject_id=subject_id,
    )
