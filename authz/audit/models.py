"""Who did what, when. Rows are added and never touched again; the database refuses anything else."""

from typing import ClassVar

from django.db import models


class AuditEntry(models.Model):
    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id", "at", "organization", "person", "client", "actor_name", "action", "subject_kind", "subject_id",
    }  # fmt: skip

    at = models.DateTimeField()
    organization = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, null=True, related_name="+")
    person = models.ForeignKey("authz.Person", on_delete=models.PROTECT, null=True, related_name="+")
    client = models.ForeignKey("authz.ApiClient", on_delete=models.PROTECT, null=True, related_name="+")
    actor_name = models.CharField(max_length=200)
    action = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=40)
    subject_id = models.UUIDField()

    class Meta:
        indexes = [models.Index(fields=["subject_kind", "subject_id"], name="audit_by_subject")]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%dT%H:%M:%SZ} {self.actor_name} {self.action} {self.subject_kind} {self.subject_id}"
