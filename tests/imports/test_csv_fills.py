"""Fills as a CSV file."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from authz.imports.csv_fills import COLUMNS, check_csv, csv_rows, read_row
from authz.imports.refusals import ImportTruncated, ImportUnreadable, Refusal
from authz.imports.told import NoOpioidTold, PatientRef, RecordTold
from authz.prescriptions.facts import FillFacts
from authz.rules.records import RecordStatus
from tests.imports.builders import CSV_HEADER, file, row, rows
from tests.imports.reading import LISINOPRIL_NDC, OXYCODONE_NDC, RECOGNISER


def told(line: str, header: str = CSV_HEADER) -> Any:
    (found,) = csv_rows(file(rows(line, header=header)))
    return read_row(found, RECOGNISER)


def refused(line: str, header: str = CSV_HEADER) -> tuple[str, str]:
    with pytest.raises(Refusal) as caught:
        told(line, header)
    return caught.value.code, caught.value.path


def test_a_row_with_every_column_is_a_fill_and_its_patient() -> None:
    cells = {
        "patient": "MRN-1",
        "fill": "F-1",
        "dispensed_on": "2025-03-01",
        "rxcui": "1049621",
        "ndc": "",
        "days_supply": "7",
        "product_name": '"oxycodone, 5 mg"',
        "quantity": "28",
        "daily_units": "4",
        "fill_number": "0",
        "rx_number": "RX-7",
        "prescription": "MedicationRequest/rx-1",
        "prescriber_npi": "1234567893",
        "status": "reversed",
        "updated_at": "2025-03-02T09:00:00Z",
        "part2": "true",
        "family_name": "Doe",
        "given_name": "Pat",
        "birth_date": "1970-05-05",
    }

    found = told(",".join(cells.values()), ",".join(cells))

    assert set(cells) == set(COLUMNS)
    assert isinstance(found, RecordTold)
    assert found.patient == PatientRef(identifier="MRN-1")
    assert found.registers is not None
    assert (found.registers.family_name, found.registers.birth_date) == ("Doe", date(1970, 5, 5))
    assert found.facts == FillFacts(
        identifier="F-1",
        status=RecordStatus.REVERSED,
        starts_on=date(2025, 3, 1),
        rxcui="1049621",
        product_name="oxycodone, 5 mg",
        quantity=Decimal(28),
        days_supply=7,
        daily_units=Decimal(4),
        fill_number=0,
        rx_number="RX-7",
        prescription_identifier="MedicationRequest/rx-1",
        prescriber_npi="1234567893",
        source_updated_at=datetime(2025, 3, 2, 9, tzinfo=UTC),
        is_part2=True,
    )


@pytest.mark.parametrize(("cell", "is_part2"), [("true", True), ("false", False), ("", None)])
def test_part_2_is_true_false_or_not_said(cell: str, is_part2: bool | None) -> None:
    assert told(f"{row()},{cell}", f"{CSV_HEADER},part2").facts.is_part2 is is_part2
    assert refused(f"{row()},yes", f"{CSV_HEADER},part2") == ("not-true-or-false", "part2")


@pytest.mark.parametrize(("text", "days"), [("0", 0), ("-3", -3), ("371", 371), ("", None)])
def test_a_silly_or_missing_supply_is_kept_for_a_person_to_see(text: str, days: int | None) -> None:
    assert told(row(days=text)).facts.days_supply == days


def test_a_product_that_names_no_opioid_is_none() -> None:
    assert isinstance(told("MRN-1,F-1,2025-03-01,314076,30,lisinopril 10 MG"), NoOpioidTold)


def test_without_patient_columns_a_row_tells_nothing_of_the_patient() -> None:
    assert told(row()).registers is None


@pytest.mark.parametrize(
    ("line", "code", "path"),
    [
        (",F-1,2025-03-01,1049621,7,", "missing", "patient"),
        ("MRN-1,,2025-03-01,1049621,7,", "missing", "fill"),
        ("MRN-1,F-1,,1049621,7,", "day-unknown", "dispensed_on"),
        ("MRN-1,F-1,2025-02-30,1049621,7,", "not-a-date", "dispensed_on"),
        ("MRN-1,F-1,03/01/2025,1049621,7,", "not-a-date", "dispensed_on"),
        ("MRN-1,F-1,2025-03-01,,7,", "missing", "rxcui"),
        ("MRN-1,F-1,2025-03-01,oxycodone,7,", "not-an-rxnorm-code", "rxcui"),
        ("MRN-1,F-1,2025-03-01,1049621,7.5,", "not-whole", "days_supply"),
        ("MRN-1,F-1,2025-03-01,1049621,999999999,", "invalid-input", "days_supply"),
        ("M" * 65 + ",F-1,2025-03-01,1049621,7,", "too-long", "patient"),
        ("MRN-1," + "F" * 101 + ",2025-03-01,1049621,7,", "too-long", "fill"),
        ("MRN-1,F-1,2025-03-01,1049621", "wrong-number-of-cells", ""),
        ("MRN-1,F-1,2025-03-01,1049621,7,,", "wrong-number-of-cells", ""),
        ('MRN-1,"F"-1,2025-03-01,1049621,7,', "not-csv", ""),
        ("MRN-1,F-1,2025-03-01,1049621,7,\0", "unstorable-text", "product_name"),
    ],
)
def test_a_row_that_is_not_clear_is_refused_and_the_column_named(line: str, code: str, path: str) -> None:
    assert refused(line) == (code, path)


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("quantity", "a few", "not-a-number"),
        ("quantity", "1e9", "not-a-number"),
        ("quantity", "0.00001", "invalid-input"),
        ("fill_number", "-1", "out-of-range"),
        ("fill_number", "40000", "out-of-range"),
        ("prescriber_npi", "1234567890", "not-an-npi"),
        ("status", "done", "status-unknown"),
        ("updated_at", "2025-03-01", "not-a-date"),
        ("birth_date", "1970-13-01", "not-a-date"),
        ("family_name", "x" * 121, "too-long"),
    ],
)
def test_a_further_column_that_is_not_clear_is_refused_and_named(column: str, cell: str, code: str) -> None:
    assert refused(f"{row()},{cell}", f"{CSV_HEADER},{column}") == (code, column)


def test_bytes_that_are_no_text_are_refused_with_their_row() -> None:
    content = rows(row(1)) + b"MRN-1,F-2,2025-03-01,1049621,7,\xff\r\n" + rows(row(3)).split(b"\r\n", 1)[1]

    found = list(csv_rows(file(content)))

    assert [item.refusal.code if item.refusal else None for item in found] == [None, "unstorable-text", None]


def test_rows_are_counted_by_the_line_they_start_in() -> None:
    content = rows(row(1), 'MRN-1,F-2,2025-03-01,1049621,7,"two\r\nlines"', "", row(3))

    assert [item.number for item in csv_rows(file(content))] == [2, 3, 6]


def test_an_ndc_stands_where_the_rxnorm_code_would() -> None:
    header = "patient,fill,dispensed_on,rxcui,ndc,days_supply"

    assert told(f"MRN-1,F-1,2025-03-01,,{OXYCODONE_NDC},7", header).facts.rxcui == "1049621"
    assert told(f"MRN-1,F-1,2025-03-01,1049625,{OXYCODONE_NDC},7", header).facts.rxcui == "1049625"
    assert isinstance(told(f"MRN-1,F-1,2025-03-01,,{LISINOPRIL_NDC},7", header), NoOpioidTold)
    assert refused("MRN-1,F-1,2025-03-01,,99999-9999-99,7", header) == ("unknown-ndc", "ndc")
    assert refused("MRN-1,F-1,2025-03-01,,,7", header) == ("missing", "rxcui")


def test_columns_may_come_in_any_order_after_a_byte_order_mark() -> None:
    content = b"\xef\xbb\xbf" + rows(
        "7,1049621,2025-03-01,F-1,MRN-1", header="days_supply,rxcui,dispensed_on,fill,patient"
    )

    (found,) = csv_rows(file(content))

    assert read_row(found, RECOGNISER).facts.identifier == "F-1"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("patient,fill,dispensed_on,days_supply", "no column rxcui or ndc"),
        ("patient,fill,dispensed_on,rxcui", "no column days_supply"),
        (f"{CSV_HEADER},ssn", "place 7"),
        (f"{CSV_HEADER},fill", "twice"),
        ("", "no column"),
        ('"patient', "header line"),
        ('"patient"x', "header line"),
    ],
)
def test_a_header_that_is_not_understood_refuses_the_file(header: str, part: str) -> None:
    with pytest.raises((ImportUnreadable, ImportTruncated)) as caught:
        check_csv(file(rows(row(), header=header)))

    assert part in caught.value.detail


def test_cut_off_anywhere_in_a_row_nothing_is_taken_in() -> None:
    content = rows(row(1), row(2))
    last_row = content.index(b"MRN-1,F-2")

    for cut in range(last_row + 1, len(content) - 1):
        with pytest.raises(ImportTruncated) as caught:
            check_csv(file(content[:cut]))
        assert "line 3" in caught.value.detail


def test_a_quoted_cell_that_is_never_closed_is_a_cut() -> None:
    content = rows(row(1), 'MRN-1,F-2,2025-03-01,1049621,7,"oxy', row(3))

    with pytest.raises(ImportTruncated) as caught:
        check_csv(file(content))

    assert caught.value.context == {"line": 3}


def test_a_whole_file_is_whole() -> None:
    check_csv(file(rows()))
    check_csv(file(rows(row(1), row(2)) + b"\r\n  "))
