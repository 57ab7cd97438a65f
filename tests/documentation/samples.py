"""Small files of every kind, made here: they are no more than what tells a kind from another and counts its pages."""

import struct
import zlib
from io import BytesIO

from pypdf import PdfWriter

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(17)
JPEG = b"\xff\xd8\xff\xe0" + bytes(16)
TEXT = "Note of the visit: the left knee, Größe 12 mm.\n".encode()


def pdf(pages: int = 1, *, password: str = "") -> bytes:
    """Return a PDF of empty pages."""
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(width=72, height=72)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    target = BytesIO()
    writer.write(target)
    return target.getvalue()


def tiff(pages: int = 1, *, order: str = "<", is_circular: bool = False) -> bytes:
    """Return a TIFF of that many directories, each with one entry."""
    found = (b"II*\x00" if order == "<" else b"MM\x00*") + struct.pack(f"{order}I", 8)
    for page in range(pages):
        is_last = page == pages - 1
        following = 8 + 18 * (page + 1) if not is_last else 8 if is_circular else 0
        found += struct.pack(f"{order}H", 1) + bytes(12) + struct.pack(f"{order}I", following)
    return found


def pdf_whose_pages_unpack_to(length: int) -> bytes:
    """Return a PDF whose page tree lies in a stream that is small here and of that length unpacked."""
    pages, catalog = b"<</Type/Pages/Kids[]/Count 0>>", b"<</Type/Catalog/Pages 2 0 R>>"
    tree = f"1 0 2 {len(catalog) + 1} ".encode()
    packed = zlib.compress(tree + catalog + b" " + pages + b" " * length, 9)
    stream = f"<</Type/ObjStm/N 2/First {len(tree)}/Filter/FlateDecode/Length {len(packed)}>>stream\n".encode()
    objects = b"%PDF-1.5\n3 0 obj\n" + stream + packed + b"\nendstream\nendobj\n"
    rows = [(0, 0, 65535), (2, 3, 0), (2, 3, 1), (1, 9, 0), (1, len(objects), 0)]
    table = b"".join(struct.pack("!BIH", *row) for row in rows)
    head = f"4 0 obj\n<</Type/XRef/Size 5/W[1 4 2]/Root 1 0 R/Length {len(table)}>>stream\n".encode()
    return objects + head + table + f"\nendstream\nendobj\nstartxref\n{len(objects)}\n%%EOF".encode()
