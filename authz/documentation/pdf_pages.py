"""Count a PDF's pages in a process of its own: a file made to exhaust its reader exhausts that process alone."""

import subprocess
import sys
from pathlib import Path
from typing import Final

_SECONDS: Final = 30
_COUNTER: Final = Path(__file__).with_name("pdf_page_counter.py")


class Unreadable(Exception):
    """The file has no pages that could be counted within the limits."""


def pdf_pages(content: bytes) -> int:
    """Return how many pages a PDF has.

    :raises Unreadable: when it is damaged, encrypted, has none or too many, or takes too long or too much memory.
    """
    # -I, and no environment: it gets nothing of ours but the file.
    command = [sys.executable, "-I", str(_COUNTER)]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=_SECONDS, env={}, check=True)
    except subprocess.SubprocessError as error:
        raise Unreadable from error
    return int(done.stdout)
