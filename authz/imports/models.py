"""One file taken in: what it brought, and every line that was refused with its reason."""

from typing import ClassVar

from django.db import models

from authz.ids import new_id


class ImportRun(models.Model):
    """`file_sha256` recognises the same file sent again; the counts are final once `finished_at` is set.

    `by_kind` splits the counts: {"patients": {"created": 26}, "fills": {"created": 61, "not_an_opioid": 822}}.
    `needs_person` counts the records of this file's patients that a person must look at, once the file was read.
    """

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "organization", "format", "file_sha256", "started_at", "finished_at", "created",
        "unchanged", "corrected", "not_an_opioid", "rejected", "needs_person", "by_kind",
    }  # fmt: skip

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    organization = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="+")
    format = models.CharField(max_length=20)
    file_sha256 = models.CharField(max_length=64)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    created = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    corrected = models.PositiveIntegerField(default=0)
    not_an_opioid = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    needs_person = models.PositiveIntegerField(default=0)
    by_kind = models.JSONField(default=dict)


class ImportRejection(models.Model):
    """A line that was not taken in. `line` counts from 1 (in a Bundle, the entry's position); `path` is the element."""

    PHI: ClassVar[set[str]] = {"reason"}
    PLAIN: ClassVar[set[str]] = {"id", "run", "line", "code", "path"}

    run = models.ForeignKey(ImportRun, on_delete=models.PROTECT, related_name="rejections")
    line = models.PositiveIntegerField()
    code = models.CharField(max_length=60)
    path = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=500)

    class Meta:
        indexes = [models.Index(fields=["run", "line"], name="import_rejection_in_order")]
