"""Where this checkout keeps what it makes: in itself, or beside the user's other caches when it is read-only."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def writable(name: str) -> Path:
    """Return a folder `name` of this checkout that can be written: in the checkout if possible, else a cache folder.

    It is not made yet. This needs the standard library only, as `dev.py` asks before anything is installed.

    :raises OSError: when there is no such place at all.
    """
    for folder in candidates(name):
        if can_write(folder):
            return folder
    raise OSError(f"There is no place to write {name}: the checkout, the cache and the temporary folder are read-only.")


def candidates(name: str) -> Iterator[Path]:
    """Yield the places for a folder of this checkout, the best first."""
    yield ROOT / name
    mark = hashlib.sha256(str(ROOT).encode()).hexdigest()[:10]
    if os.geteuid() == 0:
        # Root's home is closed to the servers, which run as nobody.
        yield Path("/var/lib") / f"authz-{mark}" / name.lstrip(".")
    else:
        cache = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
        yield Path(cache) / f"authz-{mark}" / name.lstrip(".")
    temporary = Path(tempfile.gettempdir()) / f"authz-{os.geteuid()}-{mark}"
    # That folder is everybody's: one with our name may be another user's trap.
    if not temporary.exists() or temporary.lstat().st_uid == os.geteuid():
        yield temporary / name.lstrip(".")


def can_write(folder: Path) -> bool:
    """Tell whether the folder is there and can be written, or can be made."""
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)
