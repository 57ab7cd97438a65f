"""A window into the product, and what can be asked of the page in it."""

from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request

PASSWORD = "seven days and no more"
AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
Scheme = Literal["light", "dark"]

# Radio buttons of one name are one stop; what is not shown or switched off is none.
_STOPS = """() => {
  const seen = new Set(), stops = [];
  for (const e of document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex="0"]')) {
    if (e.disabled || e.type === 'hidden' || !e.checkVisibility({visibilityProperty: true})) continue;
    const group = e.type === 'radio' ? `${e.form && e.form.action} ${e.name}` : '';
    if (group && seen.has(group)) continue;
    seen.add(group);
    stops.push(e);
  }
  window.__stops = stops;
  window.__met = new Set();
  document.activeElement.blur();
  return stops.length;
}"""
_MEET = """() => {
  const e = document.activeElement;
  const own = window.__stops.find((s) => s === e || (s.type === 'radio' && e.type === 'radio' && s.name === e.name));
  if (own) window.__met.add(own);
  return window.__met.size;
}"""
_UNMET = """() => window.__stops.filter((s) => !window.__met.has(s)).map((s) => s.outerHTML.slice(0, 120))"""


class Window:
    """One page of one person. `wrong` is what the console said and what was asked of strangers."""

    def __init__(self, context: BrowserContext, address: str, screenshots: Path) -> None:
        self.context, self.address, self.screenshots = context, address, screenshots
        self.wrong: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.wrong.append(f"script error: {error}"))
        self.page.on("request", self._asked)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        asked, own = urlsplit(request.url), urlsplit(self.address)
        if asked.scheme not in ("data", "blob") and asked.netloc != own.netloc:
            self.wrong.append(f"asked a stranger: {request.url}")

    def close(self) -> None:
        self.context.close()

    def go(self, path: str) -> Page:
        self.page.goto(f"{self.address}{path}")
        return self.page

    def log_in(self, email: str) -> None:
        page = self.go("/log-in/")
        page.get_by_label("E-mail address").fill(email)
        page.get_by_label("Password").fill(PASSWORD)
        page.locator("main form").first.get_by_role("button").click()
        page.wait_for_url(lambda url: "/log-in/" not in url)

    def keep_picture(self, name: str) -> None:
        """Keep a picture of the whole page, to be looked at."""
        self.screenshots.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self.screenshots / f"{name}.png", full_page=True)

    def axe(self) -> list[str]:
        """Return what axe finds: the rule, and where."""
        self.page.evaluate(AXE)
        options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
        found: dict[str, Any] = self.page.evaluate("(options) => axe.run(document, options)", options)
        return [
            f"{rule['id']}: {node['html'][:160]} {node['any'][0]['message'] if node['any'] else ''}"
            for rule in found["violations"]
            for node in rule["nodes"]
        ]

    def overflow(self) -> int:
        """Return how much wider than the window the page is."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def out_of_reach(self) -> list[str]:
        """Return what can be used and is not come to by the Tab key alone."""
        count = int(self.page.evaluate(_STOPS))
        # A date field has up to four stops of its own.
        for _ in range(count * 2 + 30):
            self.page.keyboard.press("Tab")
            if self.page.evaluate(_MEET) == count:
                return []
        unmet: list[str] = self.page.evaluate(_UNMET)
        return unmet

    def tab_to(self, selector: str) -> None:
        """Press Tab until that is where the focus is."""
        self.page.evaluate("document.activeElement.blur()")
        for _ in range(400):
            self.page.keyboard.press("Tab")
            if self.page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"the keyboard never comes to {selector}")
