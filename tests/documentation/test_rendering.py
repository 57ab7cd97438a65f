"""Papers: the same facts give the same bytes, and nothing that was written disappears."""

import json
from io import BytesIO
from itertools import product

from pypdf import PdfReader

from authz.documentation.paper_text import Facts, Grid, Heading, PaperText, Prose
from authz.documentation.rendering import render

BLOCKS = [
    Heading("Why"),
    Prose("Größe <b>5</b> & more\nsecond line, Жук"),
    Facts([("Member", "M-1")]),
    Grid(("Question", "Answer"), [("Pain?", "long answer " * 1500)], (0.4, 0.6)),
]
PAPER = PaperText(title="Request PA-1", blocks=BLOCKS, footer="PA-1")


def words_of(content: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages).split())


def test_the_same_facts_give_the_same_bytes() -> None:
    first, second = (render(PAPER) for _ in range(2))

    assert first == second
    assert first.content.startswith(b"%PDF-")


def test_what_a_paper_says_can_be_kept_as_json_and_drawn_later() -> None:
    kept = PaperText.from_json(json.loads(json.dumps(PAPER.to_json())))

    assert render(kept) == render(PAPER)


def test_everything_is_printed_markup_included_and_what_the_font_lacks_by_its_code_point() -> None:
    words = words_of(render(PAPER).content)

    assert "Größe <b>5</b> & more" in words
    assert "[U+0416][U+0443][U+043A]" in words
    assert words.count("long") == 1500


def test_a_paper_has_as_many_pages_as_it_needs_and_numbers_them() -> None:
    rendered = render(PAPER)

    assert rendered.page_count == len(PdfReader(BytesIO(rendered.content)).pages) > 1
    assert f"PA-1 · page {rendered.page_count}" in words_of(rendered.content)


def test_no_page_has_its_number_alone() -> None:
    for headings, sentences in product(range(6), range(20, 32)):
        blocks = [*[Heading("Why")] * headings, *[Prose("Because.")] * sentences]
        rendered = render(PaperText(title="Decision", blocks=blocks, footer="PA-1"))

        said = PdfReader(BytesIO(rendered.content)).pages[-1].extract_text()
        assert "Because." in said, (headings, sentences)


def test_a_table_has_its_head_on_every_page_that_it_reaches() -> None:
    paper = PaperText(
        title="Request PA-1", blocks=[Grid(("Question", "Answer"), [("Pain?", "Yes")] * 90, (0.4, 0.6))], footer="PA-1"
    )

    pages = PdfReader(BytesIO(render(paper).content)).pages

    assert len(pages) > 1
    assert all("Question" in page.extract_text() for page in pages)
