"""A phone is given, and confirmed by the code that was texted to it."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.conftest import Look

WHO = "okafor@riverside.example"
PHONE = "+15550100"


@pytest.fixture
def texted(logs: Path) -> Callable[[], str]:
    """Return the last code that was texted, once there is one."""

    def texted() -> str:
        for _ in range(100):
            said = "".join(log.read_text(encoding="utf-8", errors="replace") for log in logs.glob("*.log"))
            if codes := re.findall(r"sms provider=console words=[^\n]*?\b([0-9]{6})\b", said):
                return str(codes[-1])
            time.sleep(0.2)
        raise AssertionError("no code was texted")

    return texted


def test_a_phone_is_confirmed_by_the_code_that_was_texted(look: Look, texted: Callable[[], str]) -> None:
    window = look(WHO, width=390)
    page = window.go("/inbox/settings/")
    save = page.get_by_role("button", name="Save")

    page.get_by_label("Phone for texts").fill(PHONE)
    save.click()
    page.get_by_text("Not confirmed yet.").wait_for()
    right = texted()
    page.get_by_label("The code that was texted to it").fill("000000" if right != "000000" else "111111")
    save.click()
    page.get_by_role("link", name="That is not the code that was texted").wait_for()
    window.keep_picture("inbox-settings-code-refused-390")
    found = window.axe()
    page.get_by_label("The code that was texted to it").fill(right)
    save.click()
    page.get_by_text("Confirmed.", exact=False).wait_for()

    # The browser itself says in the console that an answer was not 200; that is what was asked for.
    window.wrong = [wrong for wrong in window.wrong if "422" not in wrong]
    assert found == []
    assert page.get_by_label("The code that was texted to it").count() == 0
    assert window.overflow() <= 0
