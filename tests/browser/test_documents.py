"""A document is attached by dropping its file on the field."""

from pathlib import Path

from tests.browser.conftest import Look


def test_a_file_that_is_dropped_on_the_field_is_attached(look: Look, tmp_path: Path) -> None:
    note = tmp_path / "Note of the visit.txt"
    note.write_text("Pain after the operation.", encoding="utf-8")
    window = look("stella@riverside.example")
    page = window.go("/?state=draft")
    page.locator(".number").first.click()
    page.locator("#attachments > summary").click()
    field = page.locator("#attachments input[type=file]")
    field.scroll_into_view_if_needed()
    place = field.bounding_box()
    assert place is not None

    # As the browser itself hears of it from the desktop: no script of a page can drop a file.
    hand = window.context.new_cdp_session(page)
    held = {"items": [], "files": [str(note)], "dragOperationsMask": 1}
    for move in ("dragEnter", "dragOver", "drop"):
        x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
        hand.send("Input.dispatchDragEvent", {"type": move, "x": x, "y": y, "data": held})
    window.keep_picture("request-file-dropped")
    page.locator("#attachments select").first.select_option(index=0)
    page.locator("#attachments button").click()

    page.locator("section[aria-labelledby=documents] li", has_text="Note of the visit.txt").first.wait_for()
    assert window.axe() == []
