"""PURE: fills as a CSV file. The columns are described in docs/importing.md; a column of another name refuses the file.

UTF-8, comma, double quotes, one header line, and a line break at the end of every line, the last one too: a number cut
off in the middle looks like a smaller number, so a last line without its end is taken for a file that was cut off.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import BinaryIO

from authz.errors import InvalidInput
from authz.imports.elements import Element
from authz.imports.lines import is_storable, last_line, raw_lines
from authz.imports.products import LONGEST_NAME, NamedProduct, Recogniser
from authz.imports.refusals import ImportTruncated, ImportUnreadable, Refusal
from authz.imports.told import Kind, NoOpioidTold, PatientRef, PrescriberTold, RecordTold
from authz.prescriptions.facts import FillFacts, PatientFacts
from authz.prescriptions.npi import is_valid_npi
from authz.rules.records import RecordStatus

NEEDED_COLUMNS = ("patient", "fill", "dispensed_on", "days_supply")
PRODUCT_COLUMNS = ("rxcui", "ndc")
PATIENT_COLUMNS = ("family_name", "given_name", "birth_date")
OTHER_COLUMNS = (
    *("product_name", "quantity", "daily_units", "fill_number", "rx_number", "prescription", "prescriber_npi"),
    *("status", "updated_at", "part2"),
)
COLUMNS = (*NEEDED_COLUMNS, *PRODUCT_COLUMNS, *OTHER_COLUMNS, *PATIENT_COLUMNS)

_WHOLE = re.compile(r"-?[0-9]{1,9}")
_EXACT = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,9})?")
_LONGEST_IDENTIFIER, _LONGEST_NUMBER, _LONGEST_PERSON_NAME = 64, 100, 120
_MOST_FILL_NUMBERS = 32_767
_END_OF_FILE = "unexpected end of data"


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row by column, or the reason why it cannot be read. `number` is the line it starts in."""

    number: int
    cells: dict[str, str] | None = None
    refusal: Refusal | None = None


def check_csv(stream: BinaryIO) -> None:
    """Read the file to its end and see that it has its columns and was not cut off.

    :raises ImportTruncated: when it stops within a row.
    :raises ImportUnreadable: when a needed column is missing, or one is unknown or named twice.
    """
    for _ in csv_rows(stream):
        pass
    last = last_line(stream)
    if last is not None and not last.is_ended:
        raise _truncated(last.number)


def csv_rows(stream: BinaryIO) -> Iterator[Row]:
    """Yield the rows below the header; blank lines are passed over.

    :raises ImportTruncated: when a quoted cell is never closed.
    :raises ImportUnreadable: when the header is not as it should be.
    """
    lines = _Lines(stream)
    reader = csv.reader(lines, strict=True)
    columns = _header(reader)
    while True:
        lines.start_of_row = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if str(error) == _END_OF_FILE:
                raise _truncated(lines.start_of_row) from error
            yield Row(lines.start_of_row, refusal=Refusal("not-csv", "", "The row's quotation marks do not match."))
            continue
        if cells:
            yield _row(lines.start_of_row, columns, cells)


class _Lines:
    """The file's lines as text, as the csv reader wants them; what is not UTF-8 comes through as half characters."""

    def __init__(self, stream: BinaryIO) -> None:
        self._lines = raw_lines(stream)
        self.number = 0
        self.start_of_row = 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number = line.number
        if line.is_too_long:
            raise ImportUnreadable(f"Line {line.number} is too long for a row.", line=line.number)
        end = "\n" if line.is_ended else ""
        return line.content.decode("utf-8", errors="surrogateescape") + end


def _header(reader: Iterator[list[str]]) -> list[str]:
    try:
        columns = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise ImportUnreadable("The header line cannot be read as CSV.", line=1) from error
    if missing := [name for name in NEEDED_COLUMNS if name not in columns]:
        raise ImportUnreadable(f"The header names no column {', '.join(missing)}.", line=1)
    if not set(PRODUCT_COLUMNS) & set(columns):
        raise ImportUnreadable(f"The header names no column {' or '.join(PRODUCT_COLUMNS)}.", line=1)
    if len(set(columns)) != len(columns):
        raise ImportUnreadable("The header names a column twice.", line=1)
    if unknown := [place for place, name in enumerate(columns, start=1) if name not in COLUMNS]:
        places = ", ".join(str(place) for place in unknown)
        raise ImportUnreadable(f"Unknown column at place {places}. Known: {', '.join(COLUMNS)}.", line=1)
    return columns


def _row(number: int, columns: list[str], cells: list[str]) -> Row:
    if len(cells) != len(columns):
        sentence = f"The row has {len(cells)} cells; the header has {len(columns)}."
        return Row(number, refusal=Refusal("wrong-number-of-cells", "", sentence))
    named = {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}
    for name, cell in named.items():
        if not is_storable(cell):
            return Row(number, refusal=Refusal("unstorable-text", name, "The text is not UTF-8, or holds NUL."))
    return Row(number, named)


def _truncated(line: int) -> ImportTruncated:
    sentence = (
        f"The file stops in the middle of the row of line {line}: its last line must end with a line break. "
        "Nothing was taken in."
    )
    return ImportTruncated(sentence, line=line)


def read_row(row: Row, recogniser: Recogniser) -> RecordTold | NoOpioidTold:
    """Return what a row tells.

    :raises Refusal: naming the column that keeps it from being taken in.
    """
    if row.refusal is not None:
        raise row.refusal
    cells = Element({name: cell for name, cell in (row.cells or {}).items() if cell}, "")
    identifier = _needed(cells, "fill", _LONGEST_NUMBER)
    product = _product(cells, recogniser)
    if product is None:
        return NoOpioidTold(kind=Kind.FILL, identifier=identifier, source_updated_at=cells.instant("updated_at"))
    try:
        return _told(cells, identifier, product, has_patient_columns=_has_patient_columns(row))
    except InvalidInput as error:
        name, sentences = next(iter(error.fields.items()))
        raise Refusal("invalid-input", name, sentences[0]) from error


def _product(cells: Element, recogniser: Recogniser) -> NamedProduct | None:
    rxcui, ndc, name = cells.text("rxcui"), cells.text("ndc"), cells.text("product_name")
    if rxcui or not ndc:
        return recogniser.product(codes=[(_needed(cells, "rxcui", 0), name)], path="rxcui")
    return recogniser.product(codes=[], ndcs=[(ndc, name)], path="ndc")


def _has_patient_columns(row: Row) -> bool:
    return any(name in (row.cells or {}) for name in PATIENT_COLUMNS)


def _told(cells: Element, identifier: str, product: NamedProduct, *, has_patient_columns: bool) -> RecordTold:
    number = _needed(cells, "patient", _LONGEST_IDENTIFIER)
    prescriber = _prescriber(cells)
    day = cells.day("dispensed_on")
    if day is None:
        raise Refusal("day-unknown", "dispensed_on", "The day it was dispensed is needed.")
    facts = FillFacts(
        identifier=identifier,
        status=_status(cells),
        starts_on=day,
        rxcui=product.rxcui,
        product_name=product.name[:LONGEST_NAME],
        quantity=_exact(cells, "quantity"),
        days_supply=_whole(cells, "days_supply"),
        daily_units=_exact(cells, "daily_units"),
        fill_number=_fill_number(cells),
        rx_number=cells.text("rx_number", longest=_LONGEST_NUMBER),
        prescription_identifier=cells.text("prescription", longest=_LONGEST_NUMBER) or None,
        prescriber_npi=prescriber.npi if prescriber else None,
        source_updated_at=cells.instant("updated_at"),
        is_part2=_truth(cells, "part2"),
    )
    registers = _patient(cells, number) if has_patient_columns else None
    return RecordTold(patient=PatientRef(identifier=number), facts=facts, prescriber=prescriber, registers=registers)


def _patient(cells: Element, number: str) -> PatientFacts:
    return PatientFacts(
        identifier=number,
        family_name=cells.text("family_name", longest=_LONGEST_PERSON_NAME),
        given_name=cells.text("given_name", longest=_LONGEST_PERSON_NAME),
        birth_date=cells.day("birth_date"),
    )


def _needed(cells: Element, name: str, longest: int) -> str:
    text = cells.text(name, longest=longest)
    if not text:
        raise Refusal("missing", name, "A value is needed.")
    return text


def _status(cells: Element) -> RecordStatus:
    try:
        return RecordStatus(cells.text("status") or RecordStatus.ACTIVE.value)
    except ValueError as error:
        raise Refusal("status-unknown", "status", f"Use one of: {', '.join(RecordStatus)}.") from error


def _prescriber(cells: Element) -> PrescriberTold | None:
    npi = cells.text("prescriber_npi")
    if npi and not is_valid_npi(npi):
        sentence = "Not a National Provider Identifier: the check digit does not fit."
        raise Refusal("not-an-npi", "prescriber_npi", sentence)
    return PrescriberTold(npi=npi) if npi else None


def _whole(cells: Element, name: str) -> int | None:
    text = cells.text(name)
    if text and not _WHOLE.fullmatch(text):
        raise Refusal("not-whole", name, "A whole number is needed.")
    return int(text) if text else None


def _truth(cells: Element, name: str) -> bool | None:
    text = cells.text(name)
    if text not in {"", "true", "false"}:
        raise Refusal("not-true-or-false", name, "true or false is needed.")
    return text == "true" if text else None


def _fill_number(cells: Element) -> int | None:
    number = _whole(cells, "fill_number")
    if number is not None and not 0 <= number <= _MOST_FILL_NUMBERS:
        raise Refusal("out-of-range", "fill_number", "The original fill is 0, the first refill 1, and so on.")
    return number


def _exact(cells: Element, name: str) -> Decimal | None:
    text = cells.text(name)
    if text and not _EXACT.fullmatch(text):
        raise Refusal("not-a-number", name, "A number such as 30 or 2.5 is needed.")
    return Decimal(text) if text else None
