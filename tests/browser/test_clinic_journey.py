"""The clinic's way from the worklist to a submitted request: by the mouse, and by the keyboard alone."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest

from tests.browser.conftest import Look
from tests.browser.hands import ByKeyboard, ByMouse, Hand

STAFF = "stella@riverside.example"
PRESCRIBERS = {"Ida Jones": "jones@riverside.example", "Ben Okafor": "okafor@riverside.example"}
TYPED = {
    "dx.code": "S82.201A",
    "pain.why_longer": "Second operation on the same bone.",
    "plan.followup": (date.today() + timedelta(days=7)).isoformat(),
}
CHOSEN = {"pain.type": "post-surgical", "ex.reason": "none"}
SAID = {"pdmp.checked": "yes", "benzo.concurrent": "no"}


@pytest.mark.parametrize(("hand_of", "patient"), [(ByMouse, "Tunde Oyelaran"), (ByKeyboard, "Ruben Tennant")])
def test_the_staff_get_a_request_from_needed_to_submitted(look: Look, hand_of: Hand, patient: str) -> None:
    staff = look(STAFF)
    hand, page = hand_of(staff), staff.page
    staff.go("/")
    row = page.get_by_role("row").filter(has_text=patient)
    number = row.locator(".number").inner_text()
    address = row.locator(".number").get_attribute("href")
    prescriber = next(name for name in PRESCRIBERS if name in row.inner_text())

    hand.press(f'a.do[href^="{address}"]')
    page.wait_for_url(f"**{address}**")
    hand.press('form[action$="/take-up/"] button')
    page.get_by_text("Taken up.").wait_for()
    for act in _answers(hand):
        act()
    hand.press('form[action$="/answers/"] button')
    page.get_by_text("The answers are saved.").wait_for()
    hand.type("question", "Please attest.")
    hand.press('form[action$="/ask-prescriber/"] button')
    page.get_by_text("Prescriber asked.").wait_for()
    _attest(look, PRESCRIBERS[prescriber], str(address))
    staff.go("/?show=needs-answer")
    hand.press(f'a.do[href^="{address}"]')
    page.wait_for_url(f"**{address}**")
    hand.tick("is_checked")
    hand.press('form[action$="/submit/"] button')
    page.get_by_text("Submitted to the insurer.").wait_for()

    staff.go("/?show=with-insurer")
    assert page.get_by_role("row").filter(has_text=number).get_by_text("Waiting for a reviewer").is_visible()
    staff.keep_picture(f"journey-{hand_of.__name__}-submitted")


def _answers(hand: ByMouse | ByKeyboard) -> Iterator[Callable[[], None]]:
    """Yield an act for each question that the form asks."""
    form = hand.page.locator('form[action$="/answers/"]')
    for kind, values in ((hand.type, TYPED), (hand.choose, CHOSEN), (hand.say, SAID)):
        for name, value in values.items():
            if form.locator(f'[name="{name}"]').count():
                yield lambda kind=kind, name=name, value=value: kind(name, value)
    ticks = form.locator('[name^="confirm."]')
    for name in [str(ticks.nth(place).get_attribute("name")) for place in range(ticks.count())]:
        yield lambda name=name: hand.tick(name)


def _attest(look: Look, prescriber: str, address: str) -> None:
    """Have the prescriber attest, at another desk."""
    window = look(prescriber)
    page = window.go(address)
    page.locator('form[action$="/answer-prescriber/"] [name="pr.attest"]').check()
    page.locator('form[action$="/answer-prescriber/"] button').click()
    page.get_by_text("Prescriber answered.").wait_for()
