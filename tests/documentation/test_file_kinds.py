"""A file is what its first bytes say, and its pages are counted without opening a bomb."""

import pytest

from authz.documentation.file_kinds import MOST_PAGES, FileRefused, MediaType, recognise, tiff_pages
from authz.documentation.services import files
from tests.documentation.samples import JPEG, PNG, TEXT, pdf, pdf_whose_pages_unpack_to, tiff


@pytest.mark.parametrize(
    ("content", "kind", "pages"),
    [
        (pdf(3), MediaType.PDF, 3),
        (PNG, MediaType.PNG, 1),
        (JPEG, MediaType.JPEG, 1),
        (tiff(), MediaType.TIFF, 1),
        (tiff(4, order=">"), MediaType.TIFF, 4),
        (TEXT, MediaType.TEXT, None),
    ],
)
def test_a_file_is_what_its_bytes_say(content: bytes, kind: MediaType, pages: int | None) -> None:
    found = files.inspect(content=content)

    assert (found.media_type, found.page_count) == (kind, pages)


@pytest.mark.parametrize(
    "content",
    [b"", b" \n", b"GIF89a\x01", b"PK\x03\x04", b"MZ\x90\x00", b"a\x00b", b"\xff\xfe<\x00", b" %PDF-1.4\x00"],
)
def test_what_is_of_no_kind_that_is_taken_is_refused(content: bytes) -> None:
    with pytest.raises(FileRefused, match="Attach a PDF, PNG, JPEG or TIFF"):
        recognise(content)


@pytest.mark.parametrize(
    "content",
    [pdf()[:200], pdf(0), pdf(password="seven days"), pdf_whose_pages_unpack_to(20_000_000)],
    ids=["cut short", "no page", "encrypted", "bomb"],
)
def test_a_pdf_that_cannot_be_read_is_refused_in_one_sentence(content: bytes) -> None:
    with pytest.raises(FileRefused, match="The PDF cannot be read"):
        files.inspect(content=content)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (tiff()[:9], "damaged"),
        (tiff(3, is_circular=True), "circle"),
        (tiff(MOST_PAGES + 1), "1 to 1000 pages"),
        (b"II*\x00\x00\x00\x00\x00", "1 to 1000 pages"),
    ],
)
def test_a_tiff_that_leads_nowhere_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(FileRefused, match=says):
        tiff_pages(content)
