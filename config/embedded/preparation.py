"""Whether the database of the data folder was already prepared by exactly this code, so that a warm start is quick."""

import hashlib
from pathlib import Path

SOURCES = ("manage.py", "requirements/run.txt", "authz/**/*", "config/**/*", "workers/**/*")
NOTE = "prepared"


def digest(root: Path) -> str:
    """Return a digest of all the code and data that migrating and loading the demonstration could depend on."""
    found = hashlib.sha256()
    for pattern in SOURCES:
        for file in sorted(root.glob(pattern)):
            if file.is_file() and file.suffix != ".pyc":
                found.update(f"{file.relative_to(root)}\0{file.stat().st_size}\0".encode())
                found.update(file.read_bytes())
    return found.hexdigest()


def is_done(data: Path, code: str) -> bool:
    """Tell whether the last preparation came to its end with this code."""
    note = data / NOTE
    return note.exists() and note.read_text(encoding="utf-8") == code


def begin(data: Path) -> None:
    """Forget the last preparation: from here on the database may be half prepared."""
    (data / NOTE).unlink(missing_ok=True)


def finish(data: Path, code: str) -> None:
    """Remember that the database is prepared for this code."""
    (data / NOTE).write_text(code, encoding="utf-8")
