"""The environment, read in one place.

`NAME` may also come from a file named by `NAME_FILE`, as docker and systemd hand out secrets.
"""

import os
from pathlib import Path


class MissingSetting(Exception):
    """A setting without which this deployment must not start."""


def text(name: str, default: str | None = None, *, how: str = "") -> str:
    """Return the setting, from `NAME_FILE` if that is set.

    :raises MissingSetting: when it is neither set nor has a default; the message says how to set it.
    """
    file = os.environ.get(f"{name}_FILE")
    if file:
        return Path(file).read_text(encoding="utf-8").strip()
    value = os.environ.get(name, default)
    if value is None:
        raise MissingSetting(f"{name} is not set. {how or 'See .env.example.'}".strip())
    return value


def flag(name: str, default: bool = False) -> bool:
    """Return True for 1/true/yes/on, False for 0/false/no/off and the default when unset.

    :raises MissingSetting: for any other text.
    """
    value = text(name, "").lower()
    if value in {"", "1", "true", "yes", "on", "0", "false", "no", "off"}:
        return default if value == "" else value in {"1", "true", "yes", "on"}
    raise MissingSetting(f"{name} must be true or false, not {value!r}.")


def number(name: str, default: int) -> int:
    """Return a whole number.

    :raises MissingSetting: when the text is not one.
    """
    value = text(name, str(default))
    try:
        return int(value)
    except ValueError:
        raise MissingSetting(f"{name} must be a whole number, not {value!r}.") from None


def words(name: str, default: str = "") -> list[str]:
    """Return a comma-separated list, without empty entries."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def secret(name: str, *, how: str) -> str:
    """Return a secret of at least 32 characters.

    :raises MissingSetting: when it is missing or too short.
    """
    value = text(name, how=how)
    if len(value) < 32:
        raise MissingSetting(f"{name} must have at least 32 characters. {how}")
    return value
