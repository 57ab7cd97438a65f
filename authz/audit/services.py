"""Write the trail. Called inside the transaction of what it records, so neither exists without the other.

What is written is sealed later, by functions of the database that alone may do so.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Value
from django.db.models.functions import Coalesce

from authz.access.database.rows import write
from authz.access.models import Organization
from authz.access.roles import Actor
from authz.access.tenancy import across_tenants
from authz.audit.circumstances import Circumstances, present
from authz.audit.models import AuditEntry, AuditRetention, AuditRoot
from authz.audit.selectors import SYSTEMS, chains, roots_of, unsealed, years_kept

READ = "read"
_BATCH = 1000
_PRUNED_AT_ONCE = 5000


def record(
    *,
    by: Actor,
    action: str,
    subject_kind: str,
    subject_id: UUID,
    now: datetime,
    on_behalf_of: int | None = None,
    emergency: UUID | None = None,
) -> None:
    """Add one entry to the trail: `action` is a verb, `subject_kind` and `subject_id` name the record by public id.

    `on_behalf_of` is the inside key of the person for whom the actor stands in, `emergency` the id of an emergency
    access. Whose record it is, the database finds by the subject.
    """
    added = entry(
        by=by,
        action=action,
        subject_kind=subject_kind,
        subject_id=subject_id,
        now=now,
        on_behalf_of=on_behalf_of,
        emergency=emergency,
    )
    write(added)


def entry(
    *,
    by: Actor,
    action: str,
    subject_kind: str,
    subject_id: UUID,
    now: datetime,
    on_behalf_of: int | None = None,
    emergency: UUID | None = None,
) -> AuditEntry:
    """Return the entry of the trail, for the caller to write with what it tells of. See record."""
    circumstances = present()
    circumstances.entries += 1
    return _entry(
        circumstances,
        by=by,
        at=now,
        action=action,
        subject_kind=subject_kind,
        subject_id=subject_id,
        on_behalf_of_id=on_behalf_of,
        emergency=emergency or circumstances.emergency,
    )


def record_read(*, by: Actor, circumstances: Circumstances, now: datetime) -> None:
    """Add one entry for all the patients that an answer is about; none when it is about nobody."""
    if circumstances.patients:
        known = {public_id for public_id in circumstances.patients.values() if public_id}
        unknown = [key for key, public_id in circumstances.patients.items() if not public_id]
        read = _entry(
            circumstances,
            by=by,
            at=now,
            action=READ,
            subject_kind="",
            patients=sorted(known | (_public_ids(unknown) if unknown else set())),
            emergency=circumstances.emergency,
        )
        write(read)


def note_looked_at(*, by: Actor, now: datetime, is_export: bool = False) -> None:
    """Add that somebody read the trail itself, or took it out as a file."""
    _note(by, "export the audit trail" if is_export else "read the audit trail", now)


def note_taken_out(*, by: Actor, now: datetime) -> None:
    """Add that somebody took a part of the chain away."""
    _note(by, "export the chain of the audit trail", now)


def _note(by: Actor, action: str, now: datetime) -> None:
    whose = Organization.objects.get(pk=by.organization).public_id
    record(by=by, action=action, subject_kind="organization", subject_id=whose, now=now)


@across_tenants("the trail names every patient whose record was loaded")
def _public_ids(keys: list[int]) -> set[UUID]:
    return {found[0] for found in _ask("SELECT public_id FROM authz_patient WHERE id = ANY(%s)", keys)}


def _entry(circumstances: Circumstances, *, by: Actor, **told: Any) -> AuditEntry:
    return AuditEntry(
        organization_id=by.organization_id,
        person_id=by.person_id,
        client_id=by.client_id,
        actor_name=by.name,
        origin=circumstances.origin.value,
        address=circumstances.address[:300],
        source=circumstances.source,
        purpose=circumstances.purpose,
        **told,
    )


def seal() -> int:
    """Number and hash what is not yet, chain by chain; return how many. A chain is locked for a batch at a time."""
    waiting = unsealed().values_list(Coalesce("organization", Value(SYSTEMS)), flat=True).distinct()
    return sum(_seal(whose) for whose in waiting.order_by())


def _seal(whose: int) -> int:
    sealed = 0
    while batch := int(_ask("SELECT authz_audit_seal(%s, %s)", whose, _BATCH)[0][0]):
        sealed += batch
    return sealed


def make_root(*, whose: int, tell: Callable[[AuditRoot], None]) -> AuditRoot | None:
    """Keep how far a chain goes, and write it elsewhere, or keep nothing; None when it has no entries."""
    _seal(whose)
    with transaction.atomic():
        if not (made := _ask("SELECT id FROM authz_audit_root(%s)", whose)):
            return None
        root = AuditRoot.objects.select_related("organization").get(pk=made[0][0])
        tell(root)
    return root


def make_due_roots(*, now: datetime, tell: Callable[[AuditRoot], None]) -> None:
    """Make a root of each chain of which none was made today, in UTC."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for whose in chains():
        if not roots_of(whose).filter(at__gte=midnight, ends_pruned=False).exists():
            make_root(whose=whose, tell=tell)


def keep_for(*, years: int, now: datetime) -> int:
    """Have the database keep every entry for so many years at least, or for more, where that was said before.

    Return for how many it does. They never become fewer, whatever is said later.
    """
    held = years_kept()
    if years > held:
        AuditRetention.objects.get_or_create(years=years, defaults={"held_since": now})
    return max(years, held)


def prune(*, whose: int, now: datetime) -> int:
    """Delete a batch of the entries of a chain that are older than they are kept, the oldest ones; a root stays.

    Return how many: none when none is old enough. Days are deleted whole, in one batch or the next.
    """
    years = keep_for(years=settings.AUDIT_RETENTION_YEARS, now=now)
    return int(_ask("SELECT authz_audit_prune(%s, %s, %s)", whose, years, _PRUNED_AT_ONCE)[0][0])


def prune_next(*, now: datetime) -> bool:
    """Delete a batch of some chain; False when no chain has anything that is old enough."""
    return any(prune(whose=whose, now=now) for whose in chains())


def _ask(question: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        found: list[Any] = cursor.fetchall()
    return found
