"""Read the chains of the trail. A chain is named by its organization's inside key; what the system itself did, by 0."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.models import Max, Min, QuerySet, Value
from django.db.models.functions import Coalesce

from authz.access.models import Organization
from authz.access.roles import Action, Actor, must_be_allowed
from authz.access.tenancy import within
from authz.audit import chain
from authz.audit.chain import BEGINNING, Fault
from authz.audit.exported import Head, first_fault_in, lines_of
from authz.audit.models import AuditEntry, AuditRetention, AuditRoot

SYSTEMS: Final = 0
LEAST_YEARS: Final = 6
"""45 CFR 164.316(b)(2)(i)."""
_BATCH: Final = 1000
_WORDS = """
    SELECT sequence, authz_audit_said(e, sequence), hash FROM authz_auditentry e
    WHERE COALESCE(organization_id, 0) = %s AND sequence > %s AND sequence <= %s ORDER BY sequence LIMIT %s
"""


def entries_of(whose: int) -> QuerySet[AuditEntry]:
    """Return the entries of one chain, sealed or not."""
    return AuditEntry.objects.alias(whose=Coalesce("organization", Value(SYSTEMS))).filter(whose=whose)


def entries(by: Actor) -> QuerySet[AuditEntry]:
    """Return what was read and changed for the actor's organization.

    :raises Forbidden: when the actor does not administer it.
    """
    must_be_allowed(by, Action.READ_AUDIT)
    rows = AuditEntry.objects.filter(organization=by.organization)
    return rows.select_related("person", "client", "on_behalf_of")


def in_batches(by: Actor, rows: QuerySet[AuditEntry]) -> Iterator[AuditEntry]:
    """Yield entries newest first, a batch at a time, each asked for in the name of the actor's organization.

    A file is still being sent when the request for it, and its transaction, are over.
    """
    rows, more = rows.order_by("-pk"), True
    while more:
        with within(by.organization):
            found = list(rows[:_BATCH])
        yield from found
        if more := len(found) == _BATCH:
            rows = rows.filter(pk__lt=found[-1].pk)


def own_part(by: Actor, *, since: datetime | None, until: datetime | None) -> Head:
    """Return the head of the smallest unbroken part of the actor's own chain that has all of that time.

    :raises Forbidden: when the actor does not administer the organization.
    """
    must_be_allowed(by, Action.READ_AUDIT)
    return part(by.organization, since=since, until=until)


def roots_of(whose: int) -> QuerySet[AuditRoot]:
    """Return the roots of one chain, first ones first."""
    rows = AuditRoot.objects.alias(whose=Coalesce("organization", Value(SYSTEMS))).filter(whose=whose)
    return rows.order_by("sequence", "pk")


def unsealed() -> QuerySet[AuditEntry]:
    """Return the entries that are not numbered and hashed yet."""
    return AuditEntry.objects.filter(sequence=None)


def waiting_since() -> datetime | None:
    """Return since when the oldest unsealed entry waits; None without any."""
    oldest: datetime | None = unsealed().aggregate(Min("at"))["at__min"]
    return oldest


def chains() -> list[int]:
    """Return every chain that may have entries."""
    return [SYSTEMS, *Organization.objects.order_by("pk").values_list("pk", flat=True)]


def years_kept() -> int:
    """Return for how many years the database keeps every entry at least."""
    return int(AuditRetention.objects.aggregate(Max("years"))["years__max"] or LEAST_YEARS)


def part(whose: int, *, since: datetime | None, until: datetime | None) -> Head:
    """Return the head of the smallest unbroken part that has every sealed entry from an instant to before another."""
    sealed, follows = entries_of(whose).exclude(sequence=None), begins_after(whose)
    wanted = sealed.filter(**({"at__gte": since} if since else {}), **({"at__lt": until} if until else {}))
    span: dict[str, Any] = wanted.aggregate(first=Min("sequence"), last=Max("sequence"))
    if span["first"] is None:
        return Head(organization=public_id_of(whose), follows=follows, ends=follows)
    before = sealed.filter(sequence=span["first"] - 1).first()
    begins = _root(before) if before else follows
    ends = _root(sealed.get(sequence=span["last"]))
    between = roots_of(whose).filter(sequence__gte=begins.sequence, sequence__lte=ends.sequence)
    return Head(organization=public_id_of(whose), follows=begins, ends=ends, roots=tuple(_root(one) for one in between))


def words(whose: int, head: Head) -> Iterator[tuple[str, str]]:
    """Yield the words and the hash of each entry of a part, a batch at a time."""
    after = head.follows.sequence
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_WORDS, [whose, after, head.ends.sequence, _BATCH])
            found = cursor.fetchall()
        yield from ((said, digest) for _, said, digest in found)
        if len(found) < _BATCH:
            return
        after = found[-1][0]


def fault_of(whose: int, *, roots: Iterable[chain.Root] = ()) -> Fault | None:
    """Return what is wrong first with a chain as the database has it, as an export of it would be looked at."""
    head = part(whose, since=None, until=None)
    kept = tuple(_root(one) for one in roots_of(whose).filter(sequence__gte=head.follows.sequence))
    return first_fault_in(lines_of(head, words(whose, head)), roots=(*kept, *roots))


def begins_after(whose: int) -> chain.Root:
    """Return after which entry a chain begins: the last one that was old enough to be deleted."""
    pruned = roots_of(whose).filter(ends_pruned=True).last()
    return _root(pruned) if pruned else BEGINNING


def public_id_of(whose: int) -> str | None:
    """Return whose chain it is, as the entries say it."""
    return None if whose == SYSTEMS else str(Organization.objects.get(pk=whose).public_id)


def _root(row: AuditEntry | AuditRoot) -> chain.Root:
    if row.sequence is None:
        raise ValueError("an unsealed entry is no root")
    return chain.Root(row.sequence, row.hash)
