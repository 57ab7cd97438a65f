"""The audit trail as a file for administrators: each entry in the words in which the API tells it."""

from collections.abc import Iterable, Iterator
from typing import Final

from authz.audit.models import AuditEntry
from authz.reporting.sheet import safe, written

COLUMNS: Final = (
    "id", "at", "person", "client", "actor", "on_behalf_of", "action", "subject_kind", "subject", "patients", "origin",
    "address", "source", "purpose", "emergency", "sequence", "hash",
)  # fmt: skip


def trail_lines(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """Yield entries as lines of CSV; of several patients the ids stand in one cell, with spaces between."""
    return written(COLUMNS, ([safe(str(cell)) for cell in _cells(entry)] for entry in entries))


def _cells(entry: AuditEntry) -> Iterator[object]:
    yield entry.public_id
    yield entry.at.isoformat()
    yield entry.person.public_id if entry.person else ""
    yield entry.client.public_id if entry.client else ""
    yield entry.actor_name
    yield entry.on_behalf_of.public_id if entry.on_behalf_of else ""
    yield entry.action
    yield entry.subject_kind
    yield entry.subject_id or ""
    yield " ".join(map(str, entry.patients))
    yield entry.origin
    yield entry.address
    yield entry.source
    yield entry.purpose
    yield entry.emergency or ""
    yield "" if entry.sequence is None else entry.sequence
    yield entry.hash
