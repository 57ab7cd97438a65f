"""PURE: a FHIR resource as elements that know their path, so that every complaint names the element."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Self

from authz.imports.refusals import Refusal

_DATE_TIME = re.compile(
    r"(?P<year>[0-9]{4})(-(?P<month>[0-9]{2})(-(?P<day>[0-9]{2})(?P<time>T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2}))?)?)?"
)
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_LARGEST = Decimal(10) ** 9


@dataclass(frozen=True, slots=True)
class Element:
    """An object of the resource. `path` is written as in FHIR: "MedicationDispense.daysSupply"."""

    members: dict[str, Any]
    path: str

    @classmethod
    def of(cls, value: object, path: str) -> Self:
        """Return the object at that path.

        :raises Refusal: when it is something else.
        """
        if not isinstance(value, dict):
            raise Refusal("wrong-type", path, "An object is needed.")
        return cls(value, path)

    def path_of(self, name: str) -> str:
        """Return the path of a member, there or not."""
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        """Say whether the member is there and not null."""
        return self.members.get(name) is not None

    def child(self, name: str) -> "Element":
        """Return the object of that name, an empty one when it is missing."""
        value = self.members.get(name)
        return Element.of({} if value is None else value, self.path_of(name))

    def children(self, name: str) -> Iterator["Element"]:
        """Yield the objects of the list of that name, none when it is missing."""
        values = self.members.get(name)
        if values is None:
            return
        if not isinstance(values, list):
            raise Refusal("wrong-type", self.path_of(name), "A list is needed.")
        for place, value in enumerate(values):
            yield Element.of(value, f"{self.path_of(name)}[{place}]")

    def text(self, name: str, *, longest: int = 0) -> str:
        """Return the text of that name without space around it, "" when it is missing.

        :raises Refusal: when it is no text, or longer than `longest` characters (0: any length).
        """
        value = self.members.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise Refusal("wrong-type", self.path_of(name), "A text is needed.")
        if longest and len(value.strip()) > longest:
            raise Refusal("too-long", self.path_of(name), f"At most {longest} characters can be kept.")
        return value.strip()

    def flag(self, name: str) -> bool | None:
        """Return true, false, or None when it is missing."""
        value = self.members.get(name)
        if value is not None and not isinstance(value, bool):
            raise Refusal("wrong-type", self.path_of(name), "True or false is needed.")
        return value

    def number(self, name: str) -> Decimal | None:
        """Return the exact number of that name, None when it is missing.

        :raises Refusal: when it is no number, or one too large to be an amount of anything.
        """
        value = self.members.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise Refusal("wrong-type", self.path_of(name), "A number is needed.")
        number = Decimal(value)
        if abs(number) > _LARGEST:
            raise Refusal("out-of-range", self.path_of(name), "The number is too large.")
        return number

    def whole_number(self, name: str) -> int | None:
        """Return the whole number of that name (7.0 is 7), None when it is missing.

        :raises Refusal: when it is anything else.
        """
        value = self.number(name)
        if value is not None and value != value.to_integral_value():
            raise Refusal("not-whole", self.path_of(name), "A whole number is needed.")
        return None if value is None else int(value)

    def day(self, name: str) -> date | None:
        """Return the day that a date or dateTime names in its own zone, None when it is missing.

        The day is the text before the T, taken before any conversion: 2025-01-01T23:30:00-05:00 is 2025-01-01.

        :raises Refusal: when it is no FHIR date, names no day, or lies outside 1900 to 2200.
        """
        text = self.text(name)
        if not text:
            return None
        parts = _DATE_TIME.fullmatch(text)
        if not parts:
            raise Refusal("not-a-date", self.path_of(name), "A FHIR date or dateTime is needed, such as 2025-01-31.")
        if not parts["day"]:
            raise Refusal("day-unknown", self.path_of(name), "The day is needed; this names a month or a year only.")
        return self._calendar_day(name, text)

    def _calendar_day(self, name: str, text: str) -> date:
        try:
            day = date.fromisoformat(text[:10])
            if "T" in text:
                datetime.fromisoformat(text)
        except ValueError as error:
            raise Refusal("not-a-date", self.path_of(name), "There is no such day or time in the calendar.") from error
        if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
            sentence = f"The year must lie between {_FIRST_YEAR} and {_LAST_YEAR}."
            raise Refusal("out-of-range", self.path_of(name), sentence)
        return day

    def instant(self, name: str) -> datetime | None:
        """Return the instant of that name in UTC, None when it is missing.

        :raises Refusal: when it is no instant with a zone.
        """
        text = self.text(name)
        if not text:
            return None
        parts = _DATE_TIME.fullmatch(text)
        if not parts or not parts["time"]:
            raise Refusal("not-a-date", self.path_of(name), "An instant is needed, such as 2025-01-31T09:00:00Z.")
        self._calendar_day(name, text)
        return datetime.fromisoformat(text).astimezone(UTC)


def must_be_understood(resource: Element) -> None:
    """See that nothing in the resource changes its meaning in a way we do not know; FHIR forbids reading on.

    :raises Refusal: naming the modifier extension or the implicit rules.
    """
    if resource.text("implicitRules"):
        raise Refusal("must-understand", resource.path_of("implicitRules"), "Implicit rules are not understood here.")
    for path in _modifier_extensions(resource.members, resource.path):
        raise Refusal("must-understand", path, "A modifier extension is not understood here.")


def _modifier_extensions(value: object, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        if value.get("modifierExtension"):
            yield f"{path}.modifierExtension"
        for name, member in value.items():
            yield from _modifier_extensions(member, f"{path}.{name}")
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _modifier_extensions(item, f"{path}[{place}]")
