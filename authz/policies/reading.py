"""PURE: reads plain TOML or JSON values and collects everything that is wrong with them, each by its path."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from authz.errors import InvalidInput

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOST_DIGITS = 12
_LONGEST_TEXT = 1000


class Reading:
    """One document under reading. Every method returns what it can, and remembers what it had to refuse."""

    def __init__(self) -> None:
        self.wrong: dict[str, list[str]] = {}

    def refuse(self, path: str, sentence: str) -> None:
        """Remember that what stands at the path is wrong."""
        self.wrong.setdefault(path, []).append(sentence)

    def finish(self) -> None:
        """Refuse the document if anything was wrong.

        :raises InvalidInput: naming every path.
        """
        if self.wrong:
            raise InvalidInput(self.wrong)

    @contextmanager
    def refusals_under(self, path: str) -> Iterator[None]:
        """Take over what a value type says is wrong with its own fields."""
        try:
            yield
        except InvalidInput as refused:
            for field, sentences in refused.fields.items():
                for sentence in sentences:
                    self.refuse(join(path, field), sentence)

    def table(self, value: object, path: str, *, needed: Iterable[str], may: Iterable[str] = ()) -> dict[str, Any]:
        """Return a table; refuse keys that are neither needed nor may be there, and each needed one it lacks.

        JSON's null is as good as absence.
        """
        if not isinstance(value, Mapping):
            self.refuse(path, "A table is needed.")
            return {}
        given = {str(key): item for key, item in value.items() if item is not None}
        for key in sorted(given.keys() - {*needed, *may}):
            self.refuse(join(path, key), "There is no such key.")
        for key in sorted({*needed} - given.keys()):
            self.refuse(join(path, key), "It is missing.")
        return given

    def named(self, value: object, path: str) -> list[tuple[str, Any]]:
        """Return the rows of a table with free keys."""
        if not isinstance(value, Mapping):
            self.refuse(path, "A table is needed.")
            return []
        return [(str(key), item) for key, item in value.items()]

    def rows(self, value: object, path: str) -> list[tuple[str, Any]]:
        """Return the items of a list, each with its path."""
        if not isinstance(value, list | tuple):
            self.refuse(path, "A list is needed.")
            return []
        return [(f"{path}[{n}]", item) for n, item in enumerate(value)]

    def columns(self, value: object, path: str, what: str, *, lengths: Collection[int]) -> list[Any]:
        """Return the values of a row, or none at all if there are too few or too many; `what` names them."""
        if not isinstance(value, list | tuple) or len(value) not in lengths:
            self.refuse(path, f"A list of {what} is needed.")
            return []
        return list(value)

    def text(self, value: object, path: str, shape: re.Pattern[str] | None = None) -> str:
        """Return a text of one line, of a given shape if any."""
        if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > _LONGEST_TEXT:
            self.refuse(path, f"A text of one line and at most {_LONGEST_TEXT} characters is needed.")
            return ""
        if shape is not None and not shape.fullmatch(value):
            self.refuse(path, f"It must have the form {shape.pattern}.")
        return value

    def day(self, value: object, path: str) -> date | None:
        """Return a calendar date, given as one or as text."""
        if type(value) is date:
            return value
        if isinstance(value, str) and _DAY.fullmatch(value):
            try:
                return date.fromisoformat(value)
            except ValueError as reason:
                self.refuse(path, f"It is no day of the calendar: {reason}.")
                return None
        self.refuse(path, "A calendar date such as 2025-01-31 is needed.")
        return None

    def exact(self, value: object, path: str) -> Decimal | None:
        """Return a number that is exact as written: JSON's and TOML's fractions are not."""
        number = None
        if type(value) is int or isinstance(value, str):
            number = _decimal(str(value))
        if number is None:
            self.refuse(path, "An exact number is needed: a whole one, or a text such as '52.5'.")
        return number

    def whole(self, value: object, path: str) -> int:
        """Return a whole number."""
        if type(value) is not int:
            self.refuse(path, "A whole number is needed.")
            return 0
        return value

    def switch(self, value: object, path: str) -> bool:
        """Return true or false."""
        if type(value) is not bool:
            self.refuse(path, "True or false is needed.")
        return value is True


def join(path: str, key: str) -> str:
    """Return the path of a key inside what stands at `path`."""
    return f"{path}.{key}" if path else key


def member(choice: type[StrEnum], value: object) -> Any:
    """Return the member that the text names; what names none is left for the value type to refuse."""
    return next((item for item in choice if item.value == value), value)


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= _MOST_DIGITS else None
