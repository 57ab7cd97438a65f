"""Papers: what they say is kept in the transaction that makes it true, and drawn once, when somebody first asks."""

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from authz.documentation.file_kinds import MediaType
from authz.documentation.models import Paper, RenderedPaper, StoredFile
from authz.documentation.paper_kinds import PaperKind
from authz.documentation.paper_text import PaperText
from authz.documentation.rendering import render
from authz.documentation.services.files import store
from authz.errors import NotFound


def keep(*, kind: PaperKind, subject_id: UUID, text: PaperText, now: datetime) -> Paper:
    """Keep what a paper of a request, determination or appeal, named by its public id, says."""
    return Paper.objects.create(kind=kind.value, subject_id=subject_id, text=text.to_json(), written_at=now)


def file_of(*, kind: PaperKind, subject_id: UUID, now: datetime) -> StoredFile:
    """Return a paper as PDF: the same bytes to everybody, for good.

    :raises NotFound: when there is no such paper.
    """
    paper = Paper.objects.filter(kind=kind.value, subject_id=subject_id).first()
    if paper is None:
        raise NotFound("There is no such paper.")
    try:
        return _rendered(paper) or _render(paper, now=now)
    except IntegrityError:
        # Somebody who asked at the same time was first; what is append-only cannot be locked.
        return RenderedPaper.objects.select_related("file").get(paper=paper).file


def _rendered(paper: Paper) -> StoredFile | None:
    known = RenderedPaper.objects.select_related("file").filter(paper=paper).first()
    return known.file if known else None


@transaction.atomic
def _render(paper: Paper, *, now: datetime) -> StoredFile:
    rendered = render(PaperText.from_json(paper.text))
    file = store(content=rendered.content, media_type=MediaType.PDF, page_count=rendered.page_count, now=now)
    RenderedPaper.objects.create(paper=paper, file=file, rendered_at=now)
    return file
