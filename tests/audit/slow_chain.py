"""The chain once more, from docs/audit.md alone: slow, everything in memory, its own JSON."""

from hashlib import sha256
from typing import Any


def text_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(map(text_of, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{text_of(name)}:{text_of(value[name])}" for name in sorted(value)) + "}"
    return '"' + "".join(_letter(letter) for letter in value) + '"'


def _letter(letter: str) -> str:
    short = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
    return short.get(letter) or (f"\\u{ord(letter):04x}" if letter < " " else letter)


def hashes(entries: list[dict[str, Any]], before: str = "0" * 64) -> list[str]:
    found = [before]
    for entry in entries:
        found.append(sha256(bytes.fromhex(found[-1]) + text_of(entry).encode("utf-8", "surrogatepass")).hexdigest())
    return found[1:]


def is_whole(lines: list[tuple[dict[str, Any], str]], root: tuple[int, str]) -> bool:
    """Say whether numbers run from 1 to the root's, every hash is right, and the last one is the root's."""
    entries = [entry for entry, _ in lines]
    numbers = [entry.get("sequence") for entry in entries]
    if numbers != list(range(1, root[0] + 1)) or any(type(number) is not int for number in numbers):
        return False
    return [digest for _, digest in lines] == hashes(entries) and lines[-1][1] == root[1]
