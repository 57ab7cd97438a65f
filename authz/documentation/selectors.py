"""What was answered and attached."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from authz import clock
from authz.documentation.models import Answer, AnswerSheet, Attachment, Paper
from authz.documentation.paper_kinds import PaperKind
from authz.documentation.paper_text import PaperText
from authz.documentation.questionnaire import Source
from authz.documentation.standing import Given


def given(sheet: AnswerSheet, *, time_zone: str) -> dict[str, Given]:
    """Return the answers of a sheet by question; their days are those of the clinic's time zone."""
    return {row.question: _given(row, time_zone) for row in sheet.answers.all()}


def confirmed_on(sheets: Collection[int]) -> QuerySet[Answer]:
    """Return what people have confirmed on these sheets, the latest last."""
    return Answer.objects.filter(sheet__in=sheets, confirmed_at__isnull=False).order_by("confirmed_at", "pk")


def _given(row: Answer, time_zone: str) -> Given:
    return Given(
        value=row.value,
        source=Source(row.source),
        answered_on=clock.day_in(time_zone, at=row.answered_at),
        confirmed_on=clock.day_in(time_zone, at=row.confirmed_at) if row.confirmed_at else None,
        confirmed_by=row.confirmed_by_id,
    )


def attachments(sheet: AnswerSheet) -> QuerySet[Attachment]:
    """Return a sheet's documents in their order, those taken off included; their bytes are not fetched."""
    return sheet.attachments.select_related("file").defer("file__content").order_by("number")


def paper_text(kind: PaperKind, subject_id: UUID) -> PaperText:
    """Return what the paper of a request, determination or appeal says, which was kept when it came about."""
    return PaperText.from_json(Paper.objects.get(kind=kind.value, subject_id=subject_id).text)
