"""What a request's questions were answered with, and where each answer came from."""

from typing import ClassVar

from django.db import models

from authz.ids import new_id


class AnswerSheet(models.Model):
    """The answers given for one request, to one version of a questionnaire."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {"id", "public_id", "questionnaire", "started_at"}

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
