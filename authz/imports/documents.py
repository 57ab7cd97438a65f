"""PURE: a whole file of any format: what it is, whether it is all there, and what its lines tell, in the order of need.

A file is read several times: once to see that it is whole, before anything is written, then once for each pass. So
patients come before their orders and orders before their fills, wherever they stand, and no line is held in memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import BinaryIO

from authz.imports.bundle import bundle_entries, check_bundle
from authz.imports.csv_fills import NEEDED_COLUMNS, PRODUCT_COLUMNS, check_csv, csv_rows, read_row
from authz.imports.fhir import kind_of_entry, read
from authz.imports.lines import Entry, RawLine, check_ndjson, json_object, ndjson_entries, raw_lines
from authz.imports.products import Recogniser
from authz.imports.refusals import ImportUnreadable, Refusal
from authz.imports.told import EndTold, Kind, NoOpioidTold, Told

_PIECE = 1024 * 1024


class Format(StrEnum):
    """What a file is made of."""

    FHIR_BUNDLE = "fhir-bundle"
    FHIR_NDJSON = "fhir-ndjson"
    CSV = "csv"


class Pass(StrEnum):
    """One reading of a file, for the lines of one sort; in the order in which they are needed."""

    PATIENTS = "patients"
    ORDERS = "coverages and orders"
    FILLS = "fills and pain scores"
    ENDS = "what no longer stands"


_KINDS = {
    Pass.PATIENTS: {Kind.PATIENT},
    Pass.ORDERS: {Kind.COVERAGE, Kind.ORDER},
    Pass.FILLS: {Kind.FILL, Kind.PAIN_SCORE},
    Pass.ENDS: {Kind.ORDER, Kind.FILL, Kind.PAIN_SCORE},
}


@dataclass(frozen=True, slots=True)
class Line:
    """What one line tells, or why it is not taken in; exactly one of the two."""

    number: int
    told: Told | None = None
    refusal: Refusal | None = None


def recognise(stream: BinaryIO) -> Format:
    """Return what the file is, by its first line.

    :raises ImportUnreadable: when it looks like none of the formats.
    """
    first = next((line for line in raw_lines(stream) if not line.is_blank), None)
    if first is None:
        raise ImportUnreadable("The file is empty.")
    if first.is_too_long or first.content.lstrip().startswith(b"{"):
        return _kind_of_json(first)
    if {*NEEDED_COLUMNS, *PRODUCT_COLUMNS} & {
        cell.strip(' "') for cell in first.content.decode("utf-8", "replace").split(",")
    }:
        return Format.CSV
    raise ImportUnreadable("Neither FHIR JSON nor CSV with the known columns.", line=first.number)


def _kind_of_json(first: RawLine) -> Format:
    """Tell by the first line: NDJSON has a whole resource there, a Bundle is one or goes on over the lines."""
    try:
        name = json_object(first.content.decode("utf-8")).get("resourceType")
    except (UnicodeDecodeError, Refusal):
        return Format.FHIR_BUNDLE
    return Format.FHIR_BUNDLE if name == "Bundle" else Format.FHIR_NDJSON


def check(stream: BinaryIO, form: Format) -> str:
    """See that the file is all there and can be read as a whole, and return its SHA-256 in hex.

    :raises ImportTruncated: when it was cut off.
    :raises ImportUnreadable: when it is not of that format.
    """
    _CHECKS[form](stream)
    stream.seek(0)
    digest = sha256()
    while piece := stream.read(_PIECE):
        digest.update(piece)
    return digest.hexdigest()


_CHECKS = {Format.FHIR_BUNDLE: check_bundle, Format.FHIR_NDJSON: check_ndjson, Format.CSV: check_csv}


def told_in(
    stream: BinaryIO, form: Format, reading: Pass, *, identifier_system: str, recogniser: Recogniser
) -> Iterator[Line]:
    """Yield what the lines of one pass tell. Each line is yielded in exactly one of the passes."""
    lines = (
        _csv_lines(stream, reading, recogniser)
        if form is Format.CSV
        else _fhir_lines(stream, form, reading, identifier_system, recogniser)
    )
    for line in lines:
        tells_of_end = isinstance(line.told, EndTold | NoOpioidTold)
        if tells_of_end == (reading is Pass.ENDS):
            yield line


def _csv_lines(stream: BinaryIO, reading: Pass, recogniser: Recogniser) -> Iterator[Line]:
    if reading not in {Pass.FILLS, Pass.ENDS}:
        return
    for row in csv_rows(stream):
        try:
            yield Line(row.number, told=read_row(row, recogniser))
        except Refusal as refusal:
            yield Line(row.number, refusal=refusal)


def _fhir_lines(
    stream: BinaryIO, form: Format, reading: Pass, identifier_system: str, recogniser: Recogniser
) -> Iterator[Line]:
    entries = bundle_entries(stream) if form is Format.FHIR_BUNDLE else ndjson_entries(stream)
    for entry in entries:
        try:
            kind = kind_of_entry(entry)
        except Refusal as refusal:
            # What is no resource that is taken in belongs to the first pass.
            if reading is Pass.PATIENTS:
                yield Line(entry.number, refusal=refusal)
            continue
        if kind in _KINDS[reading]:
            yield _fhir_line(entry, identifier_system, recogniser)


def _fhir_line(entry: Entry, identifier_system: str, recogniser: Recogniser) -> Line:
    try:
        return Line(entry.number, told=read(entry, identifier_system=identifier_system, recogniser=recogniser))
    except Refusal as refusal:
        return Line(entry.number, refusal=refusal)
