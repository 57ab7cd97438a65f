"""Read a page as a strict reader does: what is labelled, what is named, what stands inline."""

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "input", "br", "img", "hr", "line", "rect", "path"}
LABELLED = {"input", "select", "textarea"}
UNLABELLED_TYPES = {"hidden", "submit"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    parent: "Element | None"
    text: str = ""
    inside: list["Element"] = field(default_factory=list)

    def all(self, tag: str) -> list["Element"]:
        """Return every element of that name below this one."""
        found = [self] if self.tag == tag else []
        return [*found, *(hit for child in self.inside for hit in child.all(tag))]

    def whole_text(self) -> str:
        return " ".join([self.text, *(child.whole_text() for child in self.inside)])


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = self.here = Element("page", {}, None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self.here)
        self.here.inside.append(element)
        if tag not in VOID:
            self.here = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.here.inside.append(Element(tag, {name: value or "" for name, value in attrs}, self.here))

    def handle_endtag(self, tag: str) -> None:
        assert self.here.tag == tag, f"</{tag}> closes <{self.here.tag}>"
        assert self.here.parent is not None
        self.here = self.here.parent

    def handle_data(self, text: str) -> None:
        self.here.text += text


def read(html: str) -> Element:
    """Return the page as a tree; every element must be closed in its place."""
    reader = _Reader()
    reader.feed(html)
    assert reader.here is reader.root, f"<{reader.here.tag}> is never closed"
    return reader.root


def findings(html: str) -> list[str]:
    """Return everything a page must not have, in words; empty for a good page."""
    page = read(html)
    elements = _every(page)
    ids = Counter(e.attributes["id"] for e in elements if "id" in e.attributes)
    return [
        *(f"the id {name} is there {times} times" for name, times in ids.items() if times > 1),
        *([] if len(page.all("h1")) == 1 else ["there is not exactly one h1"]),
        *([] if page.all("title") and page.all("title")[0].whole_text().strip() else ["there is no title"]),
        *([] if page.all("html")[0].attributes.get("lang") else ["the language is not said"]),
        *(finding for e in elements for finding in [*_inline(e), *_dangling(e, set(ids))]),
        *(f"no label: {e.attributes}" for e in elements if _needs_label(e) and not _has_label(e, elements)),
        *(f"a table without a caption: {t.whole_text()[:60]}" for t in page.all("table") if not t.all("caption")),
        *(f"a heading cell without a scope: {h.text}" for h in page.all("th") if "scope" not in h.attributes),
        *(f"a button without words: {b.attributes}" for b in page.all("button") if not b.whole_text().strip()),
        *(f"a form that needs no token: {f.attributes}" for f in page.all("form") if _lacks_token(f)),
    ]


def _every(element: Element) -> list[Element]:
    return [element, *(below for child in element.inside for below in _every(child))]


def _inline(e: Element) -> list[str]:
    found = [f"inline <{e.tag}>"] if e.tag == "style" or _runs(e) else []
    found += [f"{name} on <{e.tag}>" for name in e.attributes if name == "style" or name.startswith("on")]
    addresses = [e.attributes.get(name, "") for name in ("src", "href", "action")]
    return found + [f"leads away: {address}" for address in addresses if address.startswith(("http:", "https:", "//"))]


def _runs(e: Element) -> bool:
    """Say whether something inside the page would run; a block of data is never run, whatever is in it."""
    return e.tag == "script" and "src" not in e.attributes and e.attributes.get("type") != "application/json"


def _dangling(e: Element, ids: set[str]) -> list[str]:
    names = ("aria-labelledby", "aria-describedby", "for")
    wanted = [(name, target) for name in names for target in e.attributes.get(name, "").split()]
    if e.attributes.get("href", "").startswith("#"):
        wanted.append(("href", e.attributes["href"][1:]))
    return [f"{name} names {target}, which is not there" for name, target in wanted if target not in ids]


def _needs_label(e: Element) -> bool:
    return e.tag in LABELLED and e.attributes.get("type") not in UNLABELLED_TYPES


def _has_label(e: Element, elements: list[Element]) -> bool:
    labels = [
        label for label in elements if label.tag == "label" and label.attributes.get("for") == e.attributes.get("id")
    ]
    return bool(e.attributes.get("aria-label")) or any(label.whole_text().strip() for label in labels)


def _lacks_token(form: Element) -> bool:
    names = {field.attributes.get("name") for field in form.all("input")}
    return form.attributes.get("method") == "post" and "csrfmiddlewaretoken" not in names
