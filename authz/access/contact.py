"""PURE: how an organization is reached, as its letters print it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from authz.errors import InvalidInput

LONGEST_ADDRESS: Final = 400
LONGEST_NUMBER: Final = 30
LONGEST_HOURS: Final = 200
_MOST_LINES: Final = 6
_NUMBER: Final = re.compile(r"\+?[0-9(][0-9 ().-]*[0-9]")
_DIGITS: Final = range(10, 16)  # with the area code; E.164 has at most fifteen


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Where to write, and which numbers to call. `fax` and `hours`, when calls are answered, may be empty.

    :raises InvalidInput: naming each field that is not right.
    """

    postal_address: str
    phone: str
    fax: str = ""
    hours: str = ""

    def __post_init__(self) -> None:
        wrong = dict(self._wrong())
        if wrong:
            raise InvalidInput(wrong)

    def _wrong(self) -> Iterator[tuple[str, list[str]]]:
        if not _is_address(self.postal_address):
            yield (
                "postal_address",
                ["Give two to six lines: to whom, the street or the box, and the city with its ZIP code."],
            )
        if not _is_number(self.phone):
            yield "phone", ["Give a number with its area code, such as 1-800-555-0100."]
        if self.fax and not _is_number(self.fax):
            yield "fax", ["Give a number with its area code, such as 1-800-555-0100, or nothing."]
        if len(self.hours) > LONGEST_HOURS or not self.hours.isprintable():
            yield "hours", [f"Give one line of at most {LONGEST_HOURS} characters, or nothing."]


def _is_address(text: str) -> bool:
    lines = text.split("\n")
    is_told = all(line.strip() and line.isprintable() for line in lines)
    return is_told and 2 <= len(lines) <= _MOST_LINES and len(text) <= LONGEST_ADDRESS


def _is_number(text: str) -> bool:
    digits = sum(sign.isdigit() for sign in text)
    return bool(_NUMBER.fullmatch(text)) and digits in _DIGITS and len(text) <= LONGEST_NUMBER
