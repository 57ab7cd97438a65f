"""A whole stack with the demonstration, a browser, and windows into it that note everything that goes wrong."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from config.embedded import ports
from config.embedded.paths import temporary_folder
from config.embedded.processes import server_account
from config.embedded.stack import Stack
from tests.browser.looking import Scheme, Window
from tests.browser.which_browser import NONE, browser

ROOT = Path(__file__).resolve().parent.parent.parent
SCREENSHOTS = ROOT / ".data" / "screenshots"
# Nothing of the browser's own may talk to anybody.
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
Look = Callable[..., Window]


@pytest.fixture(scope="session")
def running() -> Iterator[tuple[str, Path]]:
    """Where the pages and the logs are: AUTHZ_BROWSER_URL, a demonstration that runs already, or a stack of our own.

    Texts are written into the logs. One that runs already must have been started with AUTHZ_SMS_PROVIDER=console.
    """
    if already := os.environ.get("AUTHZ_BROWSER_URL"):
        yield already.rstrip("/"), ROOT / ".data"
        return
    os.environ.setdefault("AUTHZ_SMS_PROVIDER", "console")
    folder = temporary_folder(server_account())
    stack = Stack(folder, ports.any_free())
    try:
        stack.start()
        yield stack.url, folder
    finally:
        stack.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def address(running: tuple[str, Path]) -> str:
    return running[0]


@pytest.fixture(scope="session")
def logs(running: tuple[str, Path]) -> Path:
    return running[1]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = browser()
    if found is None:
        pytest.exit(NONE, returncode=1)
    with sync_playwright() as playwright:
        driven = playwright.chromium.launch(executable_path=found, args=list(QUIET))
        yield driven
        driven.close()


@pytest.fixture(scope="session")
def seats(address: str, chromium: Browser) -> dict[str, object]:
    """Cookies of those who are logged in already, by e-mail address: one log-in each."""
    return {}


@pytest.fixture
def look(address: str, chromium: Browser, seats: dict[str, object]) -> Iterator[Look]:
    """Open a window for somebody of the demonstration, or nobody; at the end it must have met nothing wrong."""
    opened: list[Window] = []

    def look(who: str = "", *, width: int = 1280, scheme: Scheme = "light", javascript: bool = True) -> Window:
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            java_script_enabled=javascript,
            storage_state=seats.get(who),
        )
        window = Window(context, address, SCREENSHOTS)
        opened.append(window)
        if who and who not in seats:
            window.log_in(who)
            seats[who] = context.storage_state()
        return window

    yield look
    for window in opened:
        window.close()
    assert [wrong for window in opened for wrong in window.wrong] == []
