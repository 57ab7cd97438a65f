"""Which browser the tests drive: one that is already there. Standard library only."""

import os
import shutil
import subprocess
from pathlib import Path

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
PLACES = ("/usr/lib/chromium/chromium-headless-shell", "/usr/lib/chromium/headless_shell")
NONE = """There is no browser to test the pages with. On Debian and Ubuntu: apt-get install chromium-headless-shell,
or chromium. Elsewhere install Chromium or Chrome, or name one: AUTHZ_BROWSER=/path/to/chromium make test-browser"""


def browser() -> Path | None:
    """Return the browser to drive: the one named in AUTHZ_BROWSER, else the first that is installed."""
    named = os.environ.get("AUTHZ_BROWSER")
    found = [named] if named else [*map(shutil.which, NAMES), *PLACES]
    return next((Path(place) for place in found if place and Path(place).exists()), None)


def installed_for_ci() -> Path | None:
    """Install Debian's browser where that is ours to do: as root in continuous integration. Return it, if it worked."""
    if os.geteuid() != 0 or os.environ.get("CI") != "true" or shutil.which("apt-get") is None:
        return None
    subprocess.run(["apt-get", "update", "-q"], check=False)
    subprocess.run(["apt-get", "install", "-qy", "--no-install-recommends", "chromium-headless-shell"], check=False)
    return browser()
