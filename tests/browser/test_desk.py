"""The insurer's way: ask, and approve in part. By the mouse and by the keyboard alone, on a desk and on a phone."""

from urllib.parse import urlsplit

import pytest

from tests.browser.conftest import Look
from tests.browser.hands import ByKeyboard, ByMouse, Hand

REVIEWER, PHYSICIAN = "rae@evergreen.example", "patel@evergreen.example"
STAFF = {"Riverside Family Clinic": "stella@riverside.example", "Hillside Pain and Spine": "mallory@hillside.example"}


def test_without_javascript_a_case_is_taken_and_put_back(look: Look) -> None:
    page = look(REVIEWER, javascript=False).go("/desk/?part=unassigned")
    page.locator(".queue li", has_text="Waiting for a reviewer").first.locator("a").click()
    page.get_by_role("button", name="Claim", exact=True).click()
    page.get_by_role("button", name="Keep it for half an hour").click()
    assert page.get_by_text("You have it in hand for").is_visible()

    page.locator("#release summary").click()
    page.locator('#release [name="reason"]').fill("Not mine.")
    page.locator("#release button.second").click()

    assert page.get_by_text("Nobody has it in hand.").is_visible()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("hand_of", [ByMouse, ByKeyboard])
def test_the_insurer_asks_and_then_approves_in_part(look: Look, hand_of: Hand, width: int) -> None:
    reviewer, physician = look(REVIEWER, width=width), look(PHYSICIAN, width=width)
    hand, page = hand_of(reviewer), reviewer.page
    reviewer.go("/desk/")
    hand.press('form[action$="/desk/next/"] button')
    page.wait_for_url("**/desk/*-*/**")
    address = urlsplit(page.url).path
    clinic = next(name for name in STAFF if page.get_by_text(name).count())

    hand.press("#ask summary")
    hand.type("question-1", "On which day was the operation?")
    hand.press('form[action$="/ask/"] button.second')
    page.get_by_text("Clinic asked.").wait_for()
    _answer(look, STAFF[clinic], address.replace("/desk/", "/prior-auths/"))
    reviewer.go(address)
    assert page.get_by_text("On the first of the month.").first.is_visible()
    hand.press("#refer summary")
    hand.type("reason", "Not in full.", within="#refer")
    hand.press('form[action$="/refer/"] button.second')
    page.get_by_text("Referred to a physician.").wait_for()

    hand, page = hand_of(physician), physician.page
    physician.go(address)
    hand.press('form[action$="/take-in-hand/"] button')
    page.get_by_text("Taken in hand by a physician.").wait_for()
    hand.press("#approve_in_part summary")
    hand.type("grants.1.days", "2")
    hand.choose("reason.code", "shorter-period", within="#approve_in_part")
    hand.press('form[action$="/approve-in-part/"] button')
    page.get_by_text("This is the notice, word by word.").wait_for()
    physician.keep_picture(f"journey-desk-{hand_of.__name__}-{width}-notice")
    hand.press('form[action$="/approve-in-part/"] button.second')
    page.get_by_text("Approved in part.").wait_for()

    assert page.get_by_role("heading", name="The decision: Approved in part").is_visible()
    assert physician.axe() == []


def test_letters_open_what_they_stand_for_and_do_nothing_in_a_field(look: Look) -> None:
    window = look(PHYSICIAN)
    page = window.go("/desk/")
    page.locator(".queue li", has_text="With a physician").first.locator("a").click()
    page.locator("#ask").wait_for()

    page.keyboard.press("i")
    assert page.locator("#ask").get_attribute("open") is not None
    page.keyboard.type("Is a dip planned? Why, and a dose jump?")
    assert page.locator('[name="question-1"]').input_value() == "Is a dip planned? Why, and a dose jump?"
    assert page.locator("#deny").get_attribute("open") is None
    page.locator("h1").click()
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.matches('.queue ol a')")
    page.keyboard.press("d")
    assert page.locator("#deny").get_attribute("open") is not None

    page.locator("h1").click()
    page.keyboard.press("?")
    page.get_by_role("button", name="Switch them off").click()
    page.get_by_text("Keyboard shortcuts: off").wait_for()
    page.keyboard.press("d")
    assert page.locator("#deny").get_attribute("open") is None
    page.get_by_text("Keyboard shortcuts: off").click()
    page.get_by_role("button", name="Switch them on").click()
    page.get_by_text("Keyboard shortcuts ?").wait_for()


def test_ctrl_enter_confirms_what_is_open(look: Look) -> None:
    page = look(PHYSICIAN).go("/desk/")
    page.locator(".queue li", has_text="With a physician").first.locator("a").click()
    page.locator("#deny").wait_for()
    page.keyboard.press("d")
    page.locator('#deny [name="reason.code"]').select_option("not-necessary")

    page.keyboard.press("Control+Enter")
    page.get_by_text("This is the notice, word by word.").wait_for()

    assert page.get_by_text("We have denied this request.").is_visible()


def _answer(look: Look, staff: str, address: str) -> None:
    """Have the clinic answer, at another desk."""
    page = look(staff).go(address)
    form = page.locator('form[action$="/answer/"]')
    form.locator("textarea").first.fill("On the first of the month.")
    form.get_by_role("button").first.click()
    page.get_by_text("Clinic answered.").wait_for()
