"""A file as lines: what is whole, what was cut off, what cannot be a resource."""

import pytest

from authz.imports import lines
from authz.imports.lines import check_ndjson, json_object, ndjson_entries, raw_lines
from authz.imports.refusals import ImportTruncated, ImportUnreadable, Refusal
from tests.imports.builders import file, ndjson, patient


def test_lines_count_from_one_and_blank_ones_count_too() -> None:
    content = b'\xef\xbb\xbf{"a": 1}\r\n\r\n  \n{"b": 2}'

    found = [(entry.number, entry.resource) for entry in ndjson_entries(file(content))]

    assert found == [(1, {"a": 1}), (4, {"b": 2})]


def test_a_line_that_is_too_long_is_skipped_without_being_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "LONGEST_LINE", 20)
    content = b'{"a": 1}\n{"long": "' + b"x" * 100 + b'"}\n{"b": 2}\n'

    found = [(entry.number, entry.refusal.code if entry.refusal else None) for entry in ndjson_entries(file(content))]

    assert found == [(1, None), (2, "line-too-long"), (3, None)]
    assert all(len(line.content) <= 20 for line in raw_lines(file(content)))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "not-json"),
        ('{"a": NaN}', "not-json"),
        ('{"a": 1' + "0" * 5000 + "}", "not-json"),
        ('{"a":' + "[" * 100_000 + "]" * 100_000 + "}", "not-json"),
        ("[1, 2]", "not-a-resource"),
        ('"text"', "not-a-resource"),
        ('{"a": 1, "a": 2}', "named-twice"),
        ('{"a": "\\u0000"}', "unstorable-text"),
        ('{"a": [{"\\ud800": 1}]}', "unstorable-text"),
    ],
)
def test_what_cannot_be_read_in_one_way_or_stored_is_refused(text: str, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        json_object(text)

    assert refused.value.code == code


def test_an_escaped_character_that_can_be_stored_is_fine() -> None:
    assert json_object(r'{"a": "\u00e9 \ud83d\ude00 \\u0000"}') == {"a": "é \U0001f600 \\u0000"}


@pytest.mark.parametrize("depth", [480, 600, 900])
def test_a_line_is_looked_through_however_deep_it_is(depth: int) -> None:
    nested = '{"a":' * depth + r'"\u%s"' + "}" * depth

    assert json_object('{"x": %s}' % (nested % "0041"))["x"]
    with pytest.raises(Refusal, match="cannot be stored"):
        json_object('{"x": %s}' % (nested % "0000"))


def test_a_complaint_never_quotes_the_line() -> None:
    with pytest.raises(Refusal) as refused:
        json_object('{"family": "Doe" "given": "Pat"}')

    assert "Doe" not in refused.value.sentence
    assert "Pat" not in refused.value.sentence


def test_a_last_line_without_its_end_is_fine_when_it_is_whole() -> None:
    content = ndjson(patient(1), patient(2)).rstrip(b"\n")

    check_ndjson(file(content))

    assert len(list(ndjson_entries(file(content)))) == 2


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_file_cut_off_within_its_last_line_is_refused_and_the_line_named(cut: int) -> None:
    content = ndjson(patient(1), patient(2))

    with pytest.raises(ImportTruncated) as refused:
        check_ndjson(file(content[: -cut - 1]))

    assert "line 2" in refused.value.detail
    assert refused.value.context == {"line": 2}


def test_a_cut_in_the_middle_of_a_character_is_a_cut() -> None:
    content = '{"a": "é'.encode()[:-1]

    with pytest.raises(ImportTruncated):
        check_ndjson(file(content))


def test_a_broken_line_that_is_ended_is_no_cut() -> None:
    check_ndjson(file(b'{"a": \n'))

    (entry,) = ndjson_entries(file(b'{"a": \n'))
    assert entry.refusal is not None
    assert entry.refusal.code == "not-json"


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf", b"  \r\n"])
def test_an_empty_file_is_refused(content: bytes) -> None:
    with pytest.raises(ImportUnreadable):
        check_ndjson(file(content))
