"""What a request's questions were answered with, what was attached to it, and what its papers say."""

from typing import Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from authz.access.models import WrittenFor
from authz.audit.circumstances import saw_part2
from authz.documentation.file_kinds import MediaType
from authz.ids import new_id
from authz.sealing.fields import SealedBytes, SealedJson, SealedText


class AnswerSheet(WrittenFor):
    """The answers given for one request, to one version of a questionnaire."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {"id", "public_id", "questionnaire", "started_at", "tenant"}

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    questionnaire = models.CharField(max_length=60)
    started_at = models.DateTimeField()


class Answer(models.Model):
    """One answer. Prefilled values count only once a person has confirmed them."""

    PHI: ClassVar[set[str]] = {"value"}
    PLAIN: ClassVar[set[str]] = {"id", "sheet", "question", "source", "confirmed_by", "answered_at", "confirmed_at"}

    sheet = models.ForeignKey(AnswerSheet, on_delete=models.PROTECT, related_name="answers")
    question = models.CharField(max_length=60)
    value = models.JSONField()
    source = models.CharField(max_length=20)
    confirmed_by = models.ForeignKey("authz.Person", on_delete=models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sheet", "question"], name="answer_once_per_question")]


class StoredFile(WrittenFor):
    """Bytes as they came or as we rendered them, sealed. Append-only; what was changed in the database does not open.

    Never shared between two rows that refer to it, so that no tenant learns of another's files by their hash.
    """

    PHI: ClassVar[set[str]] = {"content"}
    PLAIN: ClassVar[set[str]] = {"id", "media_type", "byte_count", "page_count", "sha256", "stored_at", "tenant"}

    media_type = models.CharField(max_length=40)
    byte_count = models.PositiveIntegerField()
    page_count = models.PositiveIntegerField(null=True, help_text="None for a text, which has no pages.")
    sha256 = models.CharField(max_length=64)
    content = SealedBytes()
    stored_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="stored_file_is_of_a_known_kind",
                condition=Q(media_type__in=sorted(kind.value for kind in MediaType)),
            )
        ]


class Attachment(models.Model):
    """A document that a clinic attached to its answers. `shows` are the questions it bears out.

    `number` counts a sheet's attachments and is never used again. One that is taken off stays, marked as removed.
    `is_part2` says that it comes from a program under 42 CFR Part 2.
    """

    PHI: ClassVar[set[str]] = {"title", "is_part2"}
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "sheet", "number", "file", "shows", "attached_at", "attached_by", "removed_at", "removed_by",
    }  # fmt: skip

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    sheet = models.ForeignKey(AnswerSheet, on_delete=models.PROTECT, related_name="attachments")
    number = models.PositiveSmallIntegerField()
    file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, related_name="+")
    title = SealedText(max_length=200)
    shows = ArrayField(models.CharField(max_length=60), default=list)
    attached_at = models.DateTimeField()
    attached_by = models.CharField(max_length=200)
    removed_at = models.DateTimeField(null=True)
    removed_by = models.CharField(max_length=200, blank=True)
    is_part2 = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sheet", "number"], name="attachment_number_once_per_sheet")]

    @classmethod
    def from_db(cls, *loaded: Any, **options: Any) -> Self:
        """Load an attachment, and have the notice go with what it is shown in."""
        row = super().from_db(*loaded, **options)
        if row.__dict__.get("is_part2"):
            saw_part2()
        return row


class Paper(models.Model):
    """What a paper says, for good: a request's packet, a determination's or an appeal's letter. Append-only."""

    PHI: ClassVar[set[str]] = {"text"}
    PLAIN: ClassVar[set[str]] = {"id", "kind", "subject_id", "written_at"}

    kind = models.CharField(max_length=30)
    subject_id = models.UUIDField(help_text="The public id of the request, determination or appeal it is of.")
    text = SealedJson()
    written_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "subject_id"], name="paper_once_per_subject")]


class RenderedPaper(models.Model):
    """A paper as it was first handed out, and as everybody gets it since. Append-only."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {"id", "paper", "file", "rendered_at"}

    paper = models.OneToOneField(Paper, on_delete=models.PROTECT, related_name="rendered")
    file = models.OneToOneField(StoredFile, on_delete=models.PROTECT, related_name="+")
    rendered_at = models.DateTimeField()
