"""The prescriber's way: told of a denial, reads why, acknowledges; by the mouse, and by the keyboard alone."""

import pytest

from tests.browser.conftest import Look
from tests.browser.test_clinic_journey import ByKeyboard, ByMouse, Hand

DECIDED = "section[aria-labelledby=waiting] li:has(a[href*='/letter/'])"
# Each walks the way of a notice of their own: what is acknowledged once is acknowledged.
WAYS = [
    (ByMouse, 1280, "jones@riverside.example"),
    (ByMouse, 390, "okafor@riverside.example"),
    (ByKeyboard, 1280, "lindqvist@hillside.example"),
    (ByKeyboard, 390, "lindqvist@hillside.example"),
]


@pytest.mark.parametrize(("hand_of", "width", "who"), WAYS)
def test_the_prescriber_is_told_and_acknowledges(look: Look, hand_of: Hand, width: int, who: str) -> None:
    window = look(who, width=width)
    hand, page = hand_of(window), window.page
    window.go("/inbox/")
    page.locator(DECIDED).first.wait_for()
    said = page.locator(f"{DECIDED} .said").first.inner_text()
    waiting = page.locator(DECIDED).count()
    window.keep_picture(f"journey-prescriber-{hand_of.__name__}-{width}")

    hand.press(f"{DECIDED} form[action$='/open/'] button")
    page.wait_for_url("**/prior-auths/**")
    number = page.locator("h1").inner_text().split(":")[0]
    page.get_by_text("The decision can be appealed").wait_for()
    page.go_back()
    page.locator(DECIDED).first.wait_for()
    hand.press(f"{DECIDED} form[action$='/acknowledge/'] button")
    page.get_by_text(f"Acknowledged: the notice on {number}.").wait_for()

    assert number in said
    assert "then accept it" in said
    assert page.locator(DECIDED).count() == waiting - 1
    assert window.axe() == []
    assert window.overflow() <= 0


def test_what_is_typed_into_the_questionnaire_is_saved_by_itself(look: Look) -> None:
    window = look("stella@riverside.example")
    page = window.go("/?state=draft")
    page.locator(".number").first.click()
    box = page.locator('[name="pain.why_longer"]')
    box.fill("Saved while it is typed.")

    box.blur()
    page.locator("#saved", has_text="Saved").wait_for()
    window.keep_picture("request-saved-by-itself")
    page.reload()

    assert page.locator('[name="pain.why_longer"]').input_value() == "Saved while it is typed."


def test_saving_by_the_button_right_after_typing_loses_nothing(look: Look) -> None:
    window = look("stella@riverside.example")
    page = window.go("/?state=draft")
    page.locator(".number").first.click()
    page.locator('[name="pain.why_longer"]').fill("Typed, and saved at once by the button.")

    page.get_by_role("button", name="Save the answers").click()
    page.get_by_text("The answers are saved.").wait_for()

    assert page.locator('[name="pain.why_longer"]').input_value() == "Typed, and saved at once by the button."
