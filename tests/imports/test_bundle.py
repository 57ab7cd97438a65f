"""A Bundle is read entry by entry, and refused whole when it is not whole."""

import json
import tracemalloc

import pytest

from authz.imports import bundle as reader
from authz.imports.bundle import bundle_entries, check_bundle
from authz.imports.refusals import ImportTruncated, ImportUnreadable
from tests.imports.builders import bundle, dispensing, file, patient

RESOURCES = [patient(1), dispensing(1), dispensing(2, days=0)]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("piece", [1, 7, 64 * 1024])
def test_entries_come_in_order_with_their_place(
    monkeypatch: pytest.MonkeyPatch, indent: int | None, piece: int
) -> None:
    monkeypatch.setattr(reader, "_PIECE", piece)
    content = bundle(*RESOURCES, addresses=["urn:uuid:1"], indent=indent)

    found = list(bundle_entries(file(content)))

    assert [entry.number for entry in found] == [1, 2, 3]
    assert [entry.resource for entry in found] == RESOURCES
    assert [entry.full_url for entry in found] == ["urn:uuid:1", "", ""]


def test_members_around_the_entries_are_read_over() -> None:
    content = b'\xef\xbb\xbf {"total": 12.50e1, "entry": [ ], "resourceType": "Bundle", "link": [{"url": "x"}]} \n'

    assert list(bundle_entries(file(content))) == []


@pytest.mark.parametrize("piece", [1, 2, 3])
def test_a_number_split_between_two_reads_is_one_number(monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(reader, "_PIECE", piece)
    content = b'{"total": 12.5e+10, "resourceType": "Bundle"}'

    assert list(bundle_entries(file(content))) == []


@pytest.mark.parametrize("indent", [None, 1])
def test_cut_off_anywhere_nothing_is_taken_in(indent: int | None) -> None:
    content = bundle(patient(1), dispensing(1, days=True), indent=indent)

    for cut in range(1, len(content)):
        with pytest.raises(ImportTruncated) as refused:
            check_bundle(file(content[:cut]))
        assert "line" in refused.value.context, cut


def test_the_line_of_the_cut_is_named() -> None:
    content = bundle(patient(1), indent=1)

    with pytest.raises(ImportTruncated) as refused:
        check_bundle(file(b"\n".join(content.split(b"\n")[:5])))

    assert "line 5" in refused.value.detail


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"[]", "'{' is missing"),
        (b'{"resourceType": "Patient"}', "no FHIR Bundle"),
        (b'{"resourceType": "Bundle"} {"resourceType": "Bundle"}', "follows the end"),
        (b'{"resourceType": "Bundle", "entry": {}}', "'[' is missing"),
        (b'{"resourceType": "Bundle", "entry": [], "entry": []}', "twice"),
        (b'{"resourceType": "Bundle", "implicitRules": "urn:x"}', "implicitRules"),
        (b'{"resourceType": "Bundle", "entry": [{"a": 1, "a": 2}]}', "names something twice"),
        (b'{"resourceType": "Bundle", "entry": [{"a" 1}], "more": "text that follows"}', "line 1"),
        (b'{"resourceType": "Bundle", "entry": [' + b"[" * 100_000, "goes too far"),
        (b'{"resourceType": "\xff", "more": "text that follows"}', "not UTF-8"),
        (b"{1: 2, 3: 4, 5: 6}", "no name"),
    ],
)
def test_what_is_no_readable_bundle_is_refused_whole(content: bytes, part: str) -> None:
    with pytest.raises(ImportUnreadable) as refused:
        check_bundle(file(content))

    assert part in refused.value.detail


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ({"request": {"method": "DELETE", "url": "Patient/1"}}, "deleted"),
        ({"response": {"status": "200"}}, "not-a-resource"),
        (7, "not-a-resource"),
        ({"fullUrl": 7, "resource": {}}, "wrong-type"),
        ({"modifierExtension": [{"url": "x"}], "resource": {}}, "must-understand"),
        ({"resource": {"id": "\0"}}, "unstorable-text"),
    ],
)
def test_an_entry_that_is_none_is_refused_and_the_others_go_on(entry: object, code: str) -> None:
    content = json.dumps({"resourceType": "Bundle", "entry": [entry, {"resource": patient()}]}).encode()

    first, second = bundle_entries(file(content))

    assert first.refusal is not None
    assert first.refusal.code == code
    assert second.resource == patient()


def test_memory_stays_with_the_largest_entry() -> None:
    content = file(bundle(*[patient(number, note="x" * 1000) for number in range(5000)]))

    tracemalloc.start()
    check_bundle(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert content.getbuffer().nbytes > 5_000_000
    assert peak < 1_000_000
