"""The environment, read in one place.

`NAME` may also come from a file named by `NAME_FILE`, as docker and systemd hand out secrets.
"""

import os
from ipaddress import IPv4Network, IPv6Network, ip_network
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


def number(name: str, default: int, *, within: range | None = None) -> int:
    """Return a whole number.

    :raises MissingSetting: when the text is not one, or the number is not within the range.
    """
    value = text(name, str(default))
    try:
        found = int(value)
    except ValueError:
        raise MissingSetting(f"{name} must be a whole number, not {value!r}.") from None
    if within is not None and found not in within:
        raise MissingSetting(f"{name} must be from {within[0]} to {within[-1]}, not {found}.")
    return found


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


def secrets(name: str, *, how: str, is_required: bool) -> list[str]:
    """Return a comma-separated list of secrets of at least 32 characters each; empty when unset and not required.

    :raises MissingSetting: when one is too short, or the list is required and empty.
    """
    values = words(name)
    if any(len(value) < 32 for value in values) or (is_required and not values):
        raise MissingSetting(f"{name} must name secrets of at least 32 characters each. {how}")
    return values


def numbers(name: str, default: str) -> frozenset[int]:
    """Return a comma-separated list of whole numbers.

    :raises MissingSetting: when one of them is none.
    """
    try:
        return frozenset(int(word) for word in words(name, default))
    except ValueError:
        raise MissingSetting(f"{name} must be whole numbers, separated by commas.") from None


def networks(name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Return a comma-separated list of networks such as 10.1.0.0/16 or fd00::/8; empty when unset.

    :raises MissingSetting: when one of them is none.
    """
    try:
        return tuple(ip_network(word) for word in words(name))
    except ValueError as fault:
        raise MissingSetting(f"{name} must be networks such as 10.1.0.0/16, separated by commas: {fault}.") from None
