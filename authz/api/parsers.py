"""JSON, and TOML where it is taken, read strictly: what is ambiguous is refused, never guessed."""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from authz.errors import AuthzError

DEEPEST = 32

_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
# The library's time for one name grows with the cube of its parts.
_NAME_OF_MANY_PARTS = re.compile(rf"(?<![A-Za-z0-9_-]){_PART}(?:[ \t]*\.[ \t]*{_PART}){{{DEEPEST}}}")


class MalformedBody(AuthzError):
    """The body is not one JSON object that can be read in exactly one way."""

    code = "malformed-body"


class BodyTooLarge(AuthzError):
    """The body is larger than this address takes."""

    code = "body-too-large"


class LengthRequired(AuthzError):
    """The body came in chunks, without a Content-Length, so it would be taken for no body at all."""

    code = "length-required"


def must_have_length(request: Request) -> None:
    """Refuse a body of no announced length, whatever the address would make of it.

    :raises LengthRequired: when there is a Transfer-Encoding and no Content-Length. A proxy may put a chunked body
        together; it then says how long it is.
    """
    if "HTTP_TRANSFER_ENCODING" in request.META and request.META.get("CONTENT_LENGTH", "") in {"", "0"}:
        raise LengthRequired("Send the body with a Content-Length; it came in chunks of no announced length.")


class StrictJSONParser(BaseParser):
    """Read `application/json` in UTF-8. Numbers with a point become exact decimals."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the object that the body holds.

        :raises BodyTooLarge: before reading it, when its length says so.
        :raises MalformedBody: naming the place, never quoting the body.
        """
        return read_object(_bounded(stream, parser_context or {}))


class StrictTOMLParser(BaseParser):
    """Read `application/toml` in UTF-8. Numbers with a point become exact decimals, dates are dates."""

    media_type = "application/toml"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the table that the body holds.

        :raises BodyTooLarge: before reading it, when its length says so.
        :raises MalformedBody: naming the place, never quoting the body.
        """
        return read_table(_bounded(stream, parser_context or {}))


def read_table(body: bytes) -> dict[str, Any]:
    """Return the TOML table in these bytes.

    :raises MalformedBody: when it is not UTF-8, not TOML, nested too deep, or holds a number or a day beyond reading.
    """
    text = _text(body)
    if _NAME_OF_MANY_PARTS.search(text):
        raise MalformedBody(f"The body is nested deeper than {DEEPEST} levels.")
    try:
        table = tomllib.loads(text, parse_float=_decimal)
    except tomllib.TOMLDecodeError as error:
        raise MalformedBody(f"The body is not TOML{_place_of(error)}.") from None
    except (RecursionError, ValueError):
        raise MalformedBody("The body is not TOML that can be read.") from None
    _refuse_depth(table)
    return table


def _place_of(error: tomllib.TOMLDecodeError) -> str:
    """Return where it is wrong, without the words: they may quote the body."""
    place = re.search(r"\(at (line \d+, column \d+|end of document)\)", str(error))
    return f": {place[1]}" if place else ""


def read_object(body: bytes) -> dict[str, Any]:
    """Return the one JSON object in these bytes.

    :raises MalformedBody: when it is not UTF-8, not JSON, not an object, nested too deep, names something twice, or
        holds NaN, Infinity, half a surrogate pair or a number beyond reading.
    """
    value = _read(_text(body))
    if not isinstance(value, dict):
        raise MalformedBody("The body must be one JSON object.")
    _refuse_depth(value)
    return value


def _bounded(stream: IO[Any], context: Mapping[str, Any]) -> bytes:
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    request = context.get("request")
    announced = str(request.META.get("CONTENT_LENGTH", "")) if request is not None else ""
    body = b"" if announced.isdigit() and int(announced) > most else stream.read(most + 1)
    if len(body) > most or (announced.isdigit() and int(announced) > most):
        raise BodyTooLarge(f"The body may have at most {most} bytes.")
    return bytes(body)


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedBody(f"The body is not UTF-8: byte {error.start + 1} cannot be read.") from None


def _read(text: str) -> Any:
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_float=_decimal, parse_int=_integer, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as error:
        raise MalformedBody(f"The body is not JSON: line {error.lineno}, column {error.colno}: {error.msg}.") from None
    except RecursionError:
        raise MalformedBody(f"The body is nested deeper than {DEEPEST} levels.") from None
    if "\\u" in text:
        _refuse_half_surrogates(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counted = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counted.items() if count > 1)
        raise MalformedBody(f"The body names {twice[:60]!a} twice in one object.")
    return found


def _decimal(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation:
        raise MalformedBody("The body holds a number that is too large to read.") from None


def _integer(digits: str) -> int:
    if len(digits) > 40:
        raise MalformedBody("The body holds a number that is too large to read.")
    return int(digits)


def _refuse_constant(name: str) -> NoReturn:
    raise MalformedBody(f"{name} is not a JSON number.")


def _refuse_half_surrogates(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode("utf-8")
    except UnicodeEncodeError:
        raise MalformedBody("The body holds half a surrogate pair, which is no character.") from None
    except RecursionError:
        raise MalformedBody(f"The body is nested deeper than {DEEPEST} levels.") from None


def _refuse_depth(value: dict[str, Any]) -> None:
    """Walk level by level: recursion is what deep input is made to exhaust."""
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in (outer.values() if isinstance(outer, dict) else outer)]
        level = [inner for inner in level if isinstance(inner, dict | list)]
        if not level:
            return
    raise MalformedBody(f"The body is nested deeper than {DEEPEST} levels.")
