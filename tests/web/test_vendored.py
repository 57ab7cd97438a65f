"""Libraries that are kept as copies are the very files that their packages hold."""

import re
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize(
    ("copy", "told_in"),
    [
        ("authz/web/static/authz/htmx.min.js", "authz/web/static/authz/htmx.txt"),
        ("tests/browser/axe/axe.min.js", "tests/browser/axe/README.md"),
    ],
)
def test_a_copy_is_what_its_note_says(copy: str, told_in: str) -> None:
    content, note = (ROOT / copy).read_bytes(), (ROOT / told_in).read_text(encoding="utf-8")
    told = dict(re.findall(r"^(\w+) +(\S.*)$", note, flags=re.MULTILINE))

    assert told["sha256"] == sha256(content).hexdigest()
    assert told["version"].encode() in content
    assert {"name", "licence", "source"} <= told.keys()
