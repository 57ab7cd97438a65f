"""PURE: a FHIR Bundle read entry by entry, so that a large one needs no more memory than its largest entry."""

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from authz.imports.lines import DECODER, LONGEST_LINE, Entry, must_be_storable
from authz.imports.refusals import ImportTruncated, ImportUnreadable, Refusal

_PIECE = 64 * 1024
_LONGEST_ENTRY = LONGEST_LINE
_SPACE = " \t\r\n"
# Decoders name where they stopped; this close to the end of the file is the end: "fals", "-", "\u12".
_NEARLY_THE_END = 6


def check_bundle(stream: BinaryIO) -> None:
    """Read the document to its end and see that it is one whole Bundle.

    :raises ImportTruncated: when it is not closed.
    :raises ImportUnreadable: when it is no JSON, no Bundle, or needs rules we do not know.
    """
    for _ in bundle_entries(stream):
        pass


def bundle_entries(stream: BinaryIO) -> Iterator[Entry]:
    """Yield the entries of a Bundle by position, which counts from 1.

    :raises ImportTruncated: when the document is not closed.
    :raises ImportUnreadable: when it is no JSON, no Bundle, or needs rules we do not know.
    """
    text = _Text(stream)
    seen: dict[str, Any] = {}
    text.must_take("{")
    for name in _members(text):
        if name in seen:
            raise ImportUnreadable(f"The Bundle gives {_shown(name)} twice.")
        if name == "entry":
            seen[name] = True
            yield from _entries(text)
        else:
            seen[name], _ = text.value()
    text.must_end()
    if seen.get("resourceType") != "Bundle":
        raise ImportUnreadable('The document is no FHIR Bundle: its "resourceType" is not "Bundle".')
    if seen.get("implicitRules") or seen.get("modifierExtension"):
        raise ImportUnreadable("The Bundle needs rules that are not known here (implicitRules, modifierExtension).")


def _shown(name: str) -> str:
    return repr(name) if name.isalnum() and name.isascii() and len(name) < 40 else "one name"


def _members(text: "_Text") -> Iterator[str]:
    """Yield each member's name with the text standing at its value, which the caller reads."""
    if text.takes("}"):
        return
    while True:
        name, _ = text.value()
        if not isinstance(name, str):
            raise ImportUnreadable(f"Not JSON: line {text.line} has no name where one is needed.")
        text.must_take(":")
        yield name
        if text.takes("}"):
            return
        text.must_take(",")


def _entries(text: "_Text") -> Iterator[Entry]:
    text.must_take("[")
    if text.takes("]"):
        return
    number = 0
    while True:
        number += 1
        yield _entry(number, *text.value())
        if text.takes("]"):
            return
        text.must_take(",")


def _entry(number: int, value: Any, source: str) -> Entry:
    try:
        must_be_storable(source, value)
        return _resource(number, value)
    except Refusal as refusal:
        return Entry(number, refusal=refusal)


def _resource(number: int, value: Any) -> Entry:
    entry = value if isinstance(value, dict) else {}
    request = entry.get("request")
    if isinstance(request, dict) and request.get("method") == "DELETE":
        raise Refusal("deleted", "Bundle.entry.request.method", "A deletion is not taken in; send a status instead.")
    if entry.get("modifierExtension"):
        raise Refusal("must-understand", "Bundle.entry.modifierExtension", "It is not understood here.")
    resource, address = entry.get("resource"), entry.get("fullUrl", "")
    if not isinstance(resource, dict):
        raise Refusal("not-a-resource", "Bundle.entry.resource", "The entry holds no resource.")
    if not isinstance(address, str):
        raise Refusal("wrong-type", "Bundle.entry.fullUrl", "A text is needed.")
    return Entry(number, resource, address)


class _Text:
    """The document as text, decoded piece by piece. What has been read is let go."""

    def __init__(self, stream: BinaryIO) -> None:
        stream.seek(0)
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._is_all_here = False
        self.line = 1

    def takes(self, character: str) -> bool:
        """Step over the character if it comes next."""
        is_next = self._next() == character
        self._at += is_next
        return is_next

    def must_take(self, character: str) -> None:
        """Step over the character, which has to come next."""
        if not self.takes(character):
            raise self._stopped(f"{character!r} is missing", is_cut=self._next() == "")

    def must_end(self) -> None:
        """See that nothing but space follows."""
        if self._next():
            raise self._stopped("something follows the end of the Bundle", is_cut=False)

    def value(self) -> tuple[Any, str]:
        """Return the JSON value that comes next, and the text it was read from."""
        self._next()
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                self._read_on_or_stop(error)
            except (ValueError, ArithmeticError, RecursionError) as error:
                raise self._stopped("an object names something twice, or goes too far", is_cut=False) from error
            else:
                # A number that ends where the text in hand ends may go on: "1", "1.", "1e+".
                if end + 2 < len(self._text) or self._is_all_here:
                    source, self._at = self._text[self._at : end], end
                    return value, source
                self._read_on()

    def _read_on_or_stop(self, error: json.JSONDecodeError) -> None:
        if self._is_all_here:
            is_near = len(self._text.rstrip(_SPACE)) - error.pos < _NEARLY_THE_END
            raise self._stopped(error.msg, is_cut=is_near or error.msg.startswith("Unterminated string")) from error
        if len(self._text) - self._at > _LONGEST_ENTRY:
            raise self._stopped(f"{error.msg}, or an entry is too long", is_cut=False) from error
        self._read_on()

    def _next(self) -> str:
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if self._is_all_here:
                return ""
            self._read_on()

    def _read_on(self) -> None:
        # As much again as is in hand: an entry that needs many pieces is then tried only a few times.
        piece = self._stream.read(max(_PIECE, len(self._text) - self._at))
        self._is_all_here = not piece
        try:
            more = self._decoder.decode(piece, final=self._is_all_here)
        except UnicodeDecodeError as error:
            raise self._stopped("the text is not UTF-8", is_cut=self._is_all_here) from error
        self.line += more.count("\n")
        self._text, self._at = self._text[self._at :] + more, 0

    def _stopped(self, why: str, *, is_cut: bool) -> ImportTruncated | ImportUnreadable:
        if is_cut:
            sentence = f"The Bundle is not closed: the file stops in line {self.line}. Nothing was taken in."
            return ImportTruncated(sentence, line=self.line)
        line = self.line - self._text.count("\n", self._at)
        return ImportUnreadable(f"Not a readable Bundle, at or after line {line}: {why}.", line=line)
