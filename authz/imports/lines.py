"""PURE: a file as lines, one at a time, whatever is in it. Nothing here holds more than one line.

Lines end with a line feed (a carriage return before it is fine). One longer than `LONGEST_LINE` bytes is not held.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, BinaryIO

from authz.imports.refusals import ImportTruncated, ImportUnreadable, Refusal

LONGEST_LINE = 1024 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class RawLine:
    """A line without its end. `number` counts from 1. `is_ended` is False for a last line without a line feed."""

    number: int
    content: bytes
    is_ended: bool
    is_too_long: bool = False

    @property
    def is_blank(self) -> bool:
        return not self.content.strip() and not self.is_too_long


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource of a file, or the reason why there is none at that place.

    `number` is the line, or in a Bundle the entry's position, from 1. `full_url` is a Bundle's own address of it.
    """

    number: int
    resource: dict[str, Any] | None = None
    full_url: str = ""
    refusal: Refusal | None = None


def raw_lines(stream: BinaryIO) -> Iterator[RawLine]:
    """Yield the lines of a stream read from its start, without a byte order mark; blank ones too."""
    stream.seek(0)
    number = 0
    while piece := stream.readline(LONGEST_LINE):
        number += 1
        is_too_long = not piece.endswith(b"\n") and len(piece) == LONGEST_LINE
        while not piece.endswith(b"\n") and (more := stream.readline(LONGEST_LINE)):
            piece = more
        content = b"" if is_too_long else piece.rstrip(b"\r\n")
        if number == 1:
            content = content.removeprefix(_BYTE_ORDER_MARK)
        yield RawLine(number, content, piece.endswith(b"\n"), is_too_long)


def last_line(stream: BinaryIO) -> RawLine | None:
    """Return the last line that is not blank, None when there is none."""
    last = None
    for line in raw_lines(stream):
        last = last if line.is_blank else line
    return last


def check_ndjson(stream: BinaryIO) -> None:
    """Read an NDJSON file to its end and see that it has one.

    :raises ImportTruncated: when the last line is neither ended nor readable: the file was cut off there.
    :raises ImportUnreadable: when there is nothing in the file.
    """
    last = last_line(stream)
    if last is None:
        raise ImportUnreadable("The file is empty.")
    if not last.is_ended and _is_cut(_entry(last)):
        sentence = f"The file stops in the middle of line {last.number}. Nothing was taken in; send the whole file."
        raise ImportTruncated(sentence, line=last.number)


def _is_cut(entry: Entry) -> bool:
    return entry.refusal is not None and entry.refusal.code in {"not-json", "not-utf-8"}


def ndjson_entries(stream: BinaryIO) -> Iterator[Entry]:
    """Yield one entry a line; blank lines are passed over."""
    for line in raw_lines(stream):
        if not line.is_blank:
            yield _entry(line)


def _entry(line: RawLine) -> Entry:
    if line.is_too_long:
        sentence = f"The line is longer than {LONGEST_LINE} bytes."
        return Entry(line.number, refusal=Refusal("line-too-long", "", sentence))
    try:
        return Entry(line.number, json_object(line.content.decode("utf-8")))
    except UnicodeDecodeError:
        return Entry(line.number, refusal=Refusal("not-utf-8", "", "The line is not UTF-8 text."))
    except Refusal as refusal:
        return Entry(line.number, refusal=refusal)


def json_object(text: str) -> dict[str, Any]:
    """Return the JSON object that the text is, numbers with a point as exact decimals.

    :raises Refusal: when it is no JSON, no object, says one name twice, or holds text that cannot be stored.
    """
    try:
        value = DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise Refusal("not-json", "", f"Not JSON: {error.msg} at character {error.pos + 1}.") from error
    except TwiceNamed as error:
        raise Refusal("named-twice", "", "One object gives the same name twice.") from error
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise Refusal("not-json", "", "Not JSON that can be read: a number or the nesting goes too far.") from error
    if not isinstance(value, dict):
        raise Refusal("not-a-resource", "", "A FHIR resource is a JSON object.")
    must_be_storable(text, value)
    return value


def must_be_storable(text: str, value: object) -> None:
    """See that no text in the value holds what no database stores: NUL, or half of a surrogate pair.

    `text` is the JSON it was read from: only an escape can bring either, which spares most lines the closer look.

    :raises Refusal: when there is one.
    """
    if "\\u" in text and not all(is_storable(part) for part in _texts(value)):
        raise Refusal(
            "unstorable-text", "", "A text holds a character that cannot be stored (NUL, or half a character)."
        )


def is_storable(text: str) -> bool:
    """Say whether a database takes this text."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _texts(value: object) -> Iterator[str]:
    """Yield every text in a value; without recursion, which deep nesting is made to exhaust."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, list):
            waiting.extend(one)
        elif isinstance(one, dict):
            waiting.extend((*one, *one.values()))


class TwiceNamed(ValueError):
    """One JSON object gives one name twice."""


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise TwiceNamed
    return members


def _no_constant(name: str) -> Any:
    raise ValueError(name)


DECODER = json.JSONDecoder(object_pairs_hook=_once_each, parse_float=Decimal, parse_constant=_no_constant)
