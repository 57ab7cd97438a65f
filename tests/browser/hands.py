"""How somebody works a page: by the mouse, or by the keyboard alone."""

from collections.abc import Callable

from tests.browser.looking import Window


class ByMouse:
    def __init__(self, window: Window) -> None:
        self.window, self.page = window, window.page

    def press(self, selector: str) -> None:
        self.page.locator(selector).first.click()

    def type(self, name: str, text: str, *, within: str = "") -> None:
        self.page.locator(f'{within} [name="{name}"]').fill(text)

    def choose(self, name: str, value: str, *, within: str = "") -> None:
        self.page.locator(f'{within} [name="{name}"]').select_option(value)

    def say(self, name: str, value: str) -> None:
        self.page.locator(f'[name="{name}"][value="{value}"]').check()

    def tick(self, name: str) -> None:
        self.page.locator(f'[name="{name}"]').check()


class ByKeyboard:
    """The same without ever touching the mouse; only what the Tab key comes to can be used."""

    def __init__(self, window: Window) -> None:
        self.window, self.page = window, window.page

    def press(self, selector: str) -> None:
        self.window.tab_to(selector)
        self.page.keyboard.press("Enter")

    def type(self, name: str, text: str, *, within: str = "") -> None:
        self.window.tab_to(f'{within} [name="{name}"]')
        is_day = self.page.evaluate("document.activeElement.type") == "date"
        year, month, day = text.split("-") if is_day else ("", "", "")
        self.page.keyboard.type(f"{month}{day}{year}" if is_day else text)

    def choose(self, name: str, value: str, *, within: str = "") -> None:
        self.window.tab_to(f'{within} [name="{name}"]')
        for _ in range(40):
            if self.page.evaluate("document.activeElement.value") == value:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{name} does not offer {value}")

    def say(self, name: str, value: str) -> None:
        self.window.tab_to(f'[name="{name}"]')
        self.page.keyboard.press("Space")
        for _ in range(4):
            if self.page.evaluate("document.activeElement.value") == value:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{name} does not offer {value}")

    def tick(self, name: str) -> None:
        self.window.tab_to(f'[name="{name}"]')
        self.page.keyboard.press("Space")


Hand = Callable[[Window], ByMouse | ByKeyboard]
