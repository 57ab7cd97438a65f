"""PURE: what a file is by its first bytes, and how many pages it has. Names and headers are not believed.

Nothing is decoded or drawn. A TIFF's directories are counted without looking into them; of a PDF, see `pdf_pages`.
"""

import struct
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from authz.errors import AuthzError

MOST_PAGES: Final = 1000

_TEXT_CONTROLS: Final = frozenset("\t\n\r\f")


class MediaType(StrEnum):
    PDF = "application/pdf"
    PNG = "image/png"
    JPEG = "image/jpeg"
    TIFF = "image/tiff"
    TEXT = "text/plain"


IN_WORDS: Final[Mapping[MediaType, str]] = {
    MediaType.PDF: "PDF",
    MediaType.PNG: "PNG image",
    MediaType.JPEG: "JPEG image",
    MediaType.TIFF: "TIFF image",
    MediaType.TEXT: "Plain text",
}
"""What a person calls each kind."""


class FileRefused(AuthzError):
    """The file is of no kind that is taken, damaged, protected, empty or too large."""

    code = "file-refused"


_MAGIC: Final = (
    (b"%PDF-", MediaType.PDF),
    (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", MediaType.PNG),
    (b"\xff\xd8\xff", MediaType.JPEG),
    (b"II*\x00", MediaType.TIFF),
    (b"MM\x00*", MediaType.TIFF),
)


def recognise(content: bytes) -> MediaType:
    """Return what the bytes are.

    :raises FileRefused: when they are empty or none of the kinds taken.
    """
    for magic, kind in _MAGIC:
        if content.startswith(magic):
            return kind
    if not _is_text(content):
        raise FileRefused(
            "Attach a PDF, PNG, JPEG or TIFF file, or a plain text in UTF-8; this file is none, or empty."
        )
    return MediaType.TEXT


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return bool(text.strip()) and not any(sign < " " and sign not in _TEXT_CONTROLS for sign in text)


def tiff_pages(content: bytes) -> int:
    """Return how many image directories a TIFF has, each of which says where the next one stands.

    :raises FileRefused: when they cannot be followed, or are more than `MOST_PAGES`.
    """
    order = "<" if content.startswith(b"II") else ">"
    seen: set[int] = set()
    try:
        (place,) = struct.unpack_from(f"{order}I", content, 4)
        while place and place not in seen and len(seen) <= MOST_PAGES:
            seen.add(place)
            (entries,) = struct.unpack_from(f"{order}H", content, place)
            (place,) = struct.unpack_from(f"{order}I", content, place + 2 + 12 * entries)
    except struct.error as error:
        raise FileRefused("The TIFF cannot be read: it is damaged.") from error
    if place in seen:
        raise FileRefused("The TIFF cannot be read: its pages go round in a circle.")
    if not 1 <= len(seen) <= MOST_PAGES:
        raise FileRefused(f"A document of 1 to {MOST_PAGES} pages is needed.")
    return len(seen)
