"""Who did or read what, when. Rows are added and never touched again; the database refuses anything else.

An entry is added in the transaction of what it tells of, and sealed soon after: numbered within its organization's
chain, and hashed together with the one before. docs/audit.md tells more.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from authz.ids import new_id


class AuditEntry(models.Model):
    """`patients` are public ids; for a change, the database finds them by its subject. Unsealed, it has no sequence."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "at", "organization", "person", "client", "actor_name", "on_behalf_of", "action",
        "subject_kind", "subject_id", "patients", "origin", "address", "source", "purpose", "emergency", "sequence",
        "hash",
    }  # fmt: skip

    public_id = models.UUIDField(default=new_id, db_default=RandomUUID(), editable=False)
    at = models.DateTimeField()
    organization = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, null=True, related_name="+")
    person = models.ForeignKey("authz.Person", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    client = models.ForeignKey("authz.ApiClient", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    actor_name = models.CharField(max_length=200)
    on_behalf_of = models.ForeignKey(
        "authz.Person", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    action = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.UUIDField(null=True)
    patients = ArrayField(models.UUIDField(), default=list, db_default=[])
    origin = models.CharField(max_length=10, db_default="other")
    address = models.CharField(max_length=300, db_default="")
    source = models.CharField(max_length=45, db_default="")
    purpose = models.CharField(max_length=12, db_default="")
    emergency = models.UUIDField(null=True, help_text="The emergency access for which it was open.")
    sequence = models.BigIntegerField(null=True, editable=False)
    hash = models.CharField(max_length=64, db_default="", editable=False, help_text="Of the entry and the hash before.")

    class Meta:
        indexes = [
            models.Index(fields=["subject_kind", "subject_id"], name="audit_by_subject"),
            GinIndex(fields=["patients"], name="audit_by_patient"),
            models.Index(Coalesce("organization", 0), "id", condition=Q(sequence=None), name="audit_unsealed"),
        ]
        constraints = [
            models.UniqueConstraint(Coalesce("organization", 0), F("sequence"), name="one_audit_chain_an_organization"),
            models.CheckConstraint(
                name="an_audit_entry_is_sealed_whole",
                condition=Q(sequence=None, hash="") | Q(sequence__gt=0, hash__regex="^[0-9a-f]{64}$"),
            ),
        ]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%dT%H:%M:%SZ} {self.actor_name} {self.action} {self.subject_kind} {self.subject_id}"


class AuditRoot(models.Model):
    """How far an organization's chain went at an instant: what is written elsewhere, and what stays after pruning."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {"id", "organization", "at", "sequence", "hash", "ends_pruned"}

    organization = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    sequence = models.BigIntegerField(help_text="Of the last entry; there were as many in all.")
    hash = models.CharField(max_length=64)
    ends_pruned = models.BooleanField(help_text="The entries up to this one were old enough to be deleted.")

    class Meta:
        constraints = [models.CheckConstraint(name="an_audit_root_is_of_an_entry", condition=Q(sequence__gt=0))]

    def __str__(self) -> str:
        return f"{self.organization_id or 'system'} {self.sequence} {self.hash}"


class AuditRetention(models.Model):
    """For how many years the database keeps every entry at least: the most that was ever said. It never shrinks."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {"id", "years", "held_since"}

    years = models.PositiveSmallIntegerField(unique=True)
    held_since = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="the_trail_is_kept_for_six_to_ten_years", condition=Q(years__gte=6, years__lte=10)
            )
        ]

    def __str__(self) -> str:
        return f"{self.years} years"
