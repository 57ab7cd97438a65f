"""PURE: papers as PDF. The same text gives the same bytes: no clock, no random ids.

The font is in the file. It has the letters of western European languages; what it lacks is printed as its code point,
such as [U+0416], so that nothing disappears.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import LETTER
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import inch
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from authz.documentation.paper_text import Block, Facts, Heading, PaperText, Prose

_MARGIN: Final = 0.9 * inch
_WIDTH: Final = LETTER[0] - 2 * _MARGIN
_PLAIN, _BOLD = "Vera", "VeraBd"


@dataclass(frozen=True, slots=True)
class Rendered:
    content: bytes
    page_count: int


def render(text: PaperText) -> Rendered:
    """Return the paper."""
    target = BytesIO()
    paper = SimpleDocTemplate(
        target,
        pagesize=LETTER,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=text.title,
        author="Authz",
        creator="Authz",
        invariant=1,
        lang="en-US",
    )
    flow: list[Flowable] = [Paragraph(_marked(text.title), _style("title")), *(_each(text.blocks))]

    def signed(canvas: Any, _paper: Any) -> None:
        canvas.setFont(_PLAIN, 7)
        canvas.drawString(_MARGIN, 0.5 * inch, f"{_shown(text.footer)} · page {canvas.getPageNumber()}")

    paper.build(flow, onFirstPage=signed, onLaterPages=signed)
    return Rendered(target.getvalue(), paper.page)


def _each(blocks: Sequence[Block]) -> Iterator[Flowable]:
    for number, block in enumerate(blocks):
        if number:  # and none after the last: what does not fit begins a page
            yield Spacer(0, 6)
        if isinstance(block, Heading):
            yield Paragraph(_marked(block.text), _style("heading"))
        elif isinstance(block, Prose):
            yield Paragraph(_marked(block.text), _style("plain"))
        elif isinstance(block, Facts):
            yield _table([(_cell(name, "small-bold"), _cell(value)) for name, value in block.rows], (0.3, 0.7))
        else:
            head = [_cell(name, "small-bold") for name in block.head]
            yield _table([head, *([_cell(value) for value in row] for row in block.rows)], block.widths, heads=1)


def _table(rows: Sequence[Sequence[Flowable]], widths: Sequence[float], *, heads: int = 0) -> Table:
    """Return a table; its first `heads` rows stand on every page that it reaches."""
    ruled = TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.grey),
            ("LEFTPADDING", (0, 0), (-1, -1), 2),
            ("RIGHTPADDING", (0, 0), (-1, -1), 6),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
        ]
    )
    # splitInRow: an answer may be longer than a page.
    cells, columns = [list(row) for row in rows], [share * _WIDTH for share in widths]
    return Table(cells, columns, style=ruled, splitInRow=1, repeatRows=heads)


def _cell(text: str, style: str = "small") -> Paragraph:
    return Paragraph(_marked(text), _style(style))


def _marked(text: str) -> str:
    return escape(_shown(text)).replace("\n", "<br/>")


def _shown(text: str) -> str:
    """Return the text with every character that the font lacks as its code point."""
    glyphs = _fonts()
    return "".join(sign if sign == "\n" or ord(sign) in glyphs else f"[U+{ord(sign):04X}]" for sign in text)


@cache
def _fonts() -> frozenset[int]:
    """Register the fonts that reportlab brings, and return the code points that both have."""
    faces = [TTFont(name, f"{name}.ttf") for name in (_PLAIN, _BOLD)]
    for face in faces:
        pdfmetrics.registerFont(face)
    plain, bold = (frozenset(face.face.charToGlyph) for face in faces)
    return plain & bold


@cache
def _style(name: str) -> ParagraphStyle:
    _fonts()
    size, font, before = {
        "title": (14, _BOLD, 0),
        "heading": (10, _BOLD, 8),
        "plain": (9, _PLAIN, 0),
        "small": (8, _PLAIN, 0),
        "small-bold": (8, _BOLD, 0),
    }[name]
    return ParagraphStyle(
        name, fontName=font, fontSize=size, leading=1.35 * size, spaceBefore=before, spaceAfter=4, splitLongWords=1
    )
