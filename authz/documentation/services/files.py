"""Documents attached to answers: inspected before anything is stored, never deleted."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.conf import settings

from authz.access.roles import Actor
from authz.documentation import catalog
from authz.documentation.file_kinds import MOST_PAGES, FileRefused, MediaType, recognise, tiff_pages
from authz.documentation.models import AnswerSheet, Attachment, StoredFile
from authz.documentation.pdf_pages import Unreadable, pdf_pages
from authz.documentation.virus_scan import must_be_clean
from authz.errors import InvalidInput

_LONGEST_TITLE = 200
_MOST_ATTACHMENTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """Bytes that may be stored: of a kind that is taken, not too large, and clean as far as a scanner was asked."""

    content: bytes
    media_type: MediaType
    page_count: int | None
    sha256: str


def inspect(*, content: bytes) -> Inspected:
    """Look at a file before it is stored. It may ask a virus scanner, so call it outside of any transaction.

    :raises FileRefused: when it is too large, of no kind that is taken, or damaged.
    :raises FileInfected: when the scanner finds something.
    :raises ScannerUnavailable: when there should be a scanner and it does not answer.
    """
    if len(content) > settings.ATTACHMENT_MAX_BYTES:
        raise FileRefused(f"A document may have at most {settings.ATTACHMENT_MAX_BYTES} bytes.")
    kind = recognise(content)
    pages = _page_count(content, kind)
    must_be_clean(content)
    return Inspected(content=content, media_type=kind, page_count=pages, sha256=sha256(content).hexdigest())


def _page_count(content: bytes, kind: MediaType) -> int | None:
    """Return how many pages a file has; None for a text, which has none."""
    if kind is MediaType.TEXT:
        return None
    if kind is MediaType.TIFF:
        return tiff_pages(content)
    try:
        return pdf_pages(content) if kind is MediaType.PDF else 1
    except Unreadable as error:
        raise FileRefused(
            f"The PDF cannot be read: it is damaged, protected by a password, or has over {MOST_PAGES} pages. "
            "Print it to a new PDF."
        ) from error


def attach(
    *,
    sheet: AnswerSheet,
    file: Inspected,
    title: str,
    shows: Collection[str],
    by: Actor,
    now: datetime,
    is_part2: bool = False,
) -> tuple[Attachment, bool]:
    """Attach a document to a sheet whose request is locked. Returns it, and whether it is new.

    The same bytes attached again are the attachment that is there, under 42 CFR Part 2 once that was said.

    :raises InvalidInput: when the title is none, `shows` names no question of the sheet, or there are too many.
    """
    there = sheet.attachments.select_related("file").defer("file__content")
    known = there.filter(removed_at=None, file__sha256=file.sha256).first()
    if known is not None:
        if is_part2 and not known.is_part2:
            known.is_part2 = True
            known.save(update_fields=["is_part2"])
        return known, False
    count = sheet.attachments.count()
    if faults := _faults(sheet, title, shows, count):
        raise InvalidInput(faults)
    attachment = Attachment.objects.create(
        sheet=sheet,
        number=count + 1,
        file=store(content=file.content, media_type=file.media_type, page_count=file.page_count, now=now),
        title=title.strip(),
        shows=list(dict.fromkeys(shows)),
        attached_at=now,
        attached_by=by.name,
        is_part2=is_part2,
    )
    return attachment, True


def take_off(*, attachment: Attachment, by: Actor, now: datetime) -> None:
    """Take an attachment off its request, which is locked. It stays, marked; taken off before, nothing changes."""
    if attachment.removed_at is None:
        attachment.removed_at, attachment.removed_by = now, by.name
        attachment.save(update_fields=["removed_at", "removed_by"])


def store(*, content: bytes, media_type: MediaType, page_count: int | None, now: datetime) -> StoredFile:
    """Keep bytes for good; the caller says what they are."""
    return StoredFile.objects.create(
        media_type=media_type.value,
        byte_count=len(content),
        page_count=page_count,
        sha256=sha256(content).hexdigest(),
        content=content,
        stored_at=now,
    )


def _faults(sheet: AnswerSheet, title: str, shows: Collection[str], count: int) -> Mapping[str, list[str]]:
    asked = catalog.questionnaire(sheet.questionnaire)
    strangers = sorted(name for name in shows if asked.question(name) is None)
    faults = {}
    if not title.strip() or len(title) > _LONGEST_TITLE or not title.isprintable():
        faults["title"] = [f"A title of one line and at most {_LONGEST_TITLE} characters is needed."]
    if strangers:
        faults["shows"] = [f"There is no question {name[:60]}." for name in strangers]
    if count >= _MOST_ATTACHMENTS:
        faults["file"] = [f"A request takes at most {_MOST_ATTACHMENTS} documents."]
    return faults
