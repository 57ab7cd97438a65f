"""Papers rendered once and kept as bytes, in the transaction that makes them true."""

from datetime import datetime
from uuid import UUID

from authz.documentation.file_kinds import MediaType
from authz.documentation.models import Paper
from authz.documentation.paper_kinds import PaperKind
from authz.documentation.rendering import Rendered
from authz.documentation.services.files import store


def keep(*, kind: PaperKind, subject_id: UUID, rendered: Rendered, now: datetime) -> Paper:
    """Keep a rendered paper of a request or determination, named by its public id."""
    file = store(content=rendered.content, media_type=MediaType.PDF, page_count=rendered.page_count, now=now)
    return Paper.objects.create(kind=kind.value, subject_id=subject_id, file=file, rendered_at=now)
