"""Whatever is done to a chain is found, against a root that was kept elsewhere."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from authz.audit.chain import BEGINNING, Fault, Root, Sealed, What, first_fault, hash_of
from authz.audit.exported import Head, NotAnExport, first_fault_in, lines_of
from tests.audit.slow_chain import hashes, is_whole, text_of

CLINIC = "11111111-1111-4111-8111-111111111111"
Line = tuple[dict[str, Any], str]

texts = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)


@some.composite
def chains(draw: some.DrawFn, least: int = 1) -> list[Line]:
    said = draw(some.lists(some.tuples(texts, some.lists(texts, max_size=2)), min_size=least, max_size=6))
    entries = [
        {"action": action, "organization": CLINIC, "patients": patients, "sequence": number}
        for number, (action, patients) in enumerate(said, start=1)
    ]
    return list(zip(entries, hashes(entries), strict=True))


def looked_at(lines: list[Line], root: Root) -> Fault | None:
    return first_fault([Sealed(*line) for line in lines], organization=CLINIC, roots=[root], ends=root.sequence)


def root_of(lines: list[Line]) -> Root:
    return Root(len(lines), lines[-1][1])


@given(chains())
def test_a_chain_that_nobody_touched_is_whole(lines: list[Line]) -> None:
    assert looked_at(lines, root_of(lines)) is None
    assert is_whole(lines, (len(lines), lines[-1][1]))


@given(chains(), some.data())
def test_an_altered_entry_is_named(lines: list[Line], data: some.DataObject) -> None:
    at = data.draw(some.integers(0, len(lines) - 1))
    entry, digest = lines[at]
    other = data.draw(texts.filter(lambda text: text != entry["action"]))

    altered = [*lines[:at], ({**entry, "action": other}, digest), *lines[at + 1 :]]

    assert looked_at(altered, root_of(lines)) == Fault(at + 1, What.ALTERED)


@given(chains(least=2), some.data())
def test_an_entry_that_is_gone_is_named_the_last_one_too(lines: list[Line], data: some.DataObject) -> None:
    at = data.draw(some.integers(0, len(lines) - 1))

    assert looked_at(lines[:at] + lines[at + 1 :], root_of(lines)) == Fault(at + 1, What.MISSING)


@given(chains(), some.data())
def test_a_chain_that_is_cut_lacks_the_first_entry_after_the_cut(lines: list[Line], data: some.DataObject) -> None:
    kept = data.draw(some.integers(0, len(lines) - 1))

    assert looked_at(lines[:kept], root_of(lines)) == Fault(kept + 1, What.MISSING)


@given(chains(least=2), some.data())
def test_two_entries_that_changed_places_are_named_by_the_earlier(lines: list[Line], data: some.DataObject) -> None:
    first = data.draw(some.integers(0, len(lines) - 2))
    second = data.draw(some.integers(first + 1, len(lines) - 1))
    swapped = list(lines)
    swapped[first], swapped[second] = lines[second], lines[first]

    assert looked_at(swapped, root_of(lines)) == Fault(first + 1, What.MOVED)


@given(chains(), some.data())
def test_an_entry_that_is_said_twice_is_named(lines: list[Line], data: some.DataObject) -> None:
    at = data.draw(some.integers(0, len(lines) - 1))
    to = data.draw(some.integers(at + 1, len(lines)))

    assert looked_at([*lines[:to], lines[at], *lines[to:]], root_of(lines)) == Fault(at + 1, What.ADDED)


@given(chains(), some.data(), texts)
def test_a_chain_that_was_hashed_anew_after_a_change_does_not_pass_a_root(
    lines: list[Line], data: some.DataObject, action: str
) -> None:
    at = data.draw(some.integers(0, len(lines)))
    forged = {"action": f"{action}!", "organization": CLINIC, "patients": [], "sequence": 0}
    entries = [entry for entry, _ in lines]
    entries = [{**entry, "sequence": n} for n, entry in enumerate([*entries[:at], forged, *entries[at:]], start=1)]
    anew = list(zip(entries, hashes(entries), strict=True))

    found = looked_at(anew, root_of(lines))

    assert found is not None
    assert not is_whole(anew, (len(lines), lines[-1][1]))
    assert found.what is (What.ADDED if at == len(lines) else What.ALTERED)


@given(chains(), some.data())
def test_both_implementations_say_the_same_of_any_shuffling(lines: list[Line], data: some.DataObject) -> None:
    picked = data.draw(some.lists(some.sampled_from(lines), min_size=1, max_size=len(lines) + 1))

    assert (looked_at(picked, root_of(lines)) is None) == is_whole(picked, (len(lines), lines[-1][1]))


@given(
    some.recursive(
        texts | some.integers() | some.none(),
        lambda inner: some.lists(inner) | some.dictionaries(texts, inner),
        max_leaves=6,
    )
)
def test_both_implementations_hash_the_same_words(value: Any) -> None:
    assert hash_of({"value": value}, before=BEGINNING.hash) == hashes([{"value": value}])[0]


def test_a_chain_of_another_organization_is_none_of_this_one() -> None:
    entry = {"organization": None, "sequence": 1}

    found = first_fault([Sealed(entry, hashes([entry])[0])], organization=CLINIC)

    assert found == Fault(1, What.ALTERED)


def exported() -> list[str]:
    entries = [{"action": f"read {n}", "organization": CLINIC, "sequence": n} for n in range(1, 5)]
    digests = hashes(entries)
    head = Head(organization=CLINIC, ends=Root(4, digests[3]), roots=(Root(2, digests[1]),))
    return list(lines_of(head, zip(map(text_of, entries), digests, strict=True)))


def test_an_export_alone_is_enough() -> None:
    assert first_fault_in(exported()) is None
    assert str(first_fault_in([*exported()[:2], *exported()[3:]])) == "Entry 2 is missing."
    assert str(first_fault_in([line.replace("read 3", "read 7") for line in exported()])) == "Entry 3 is altered."
    assert str(first_fault_in([*exported()[:2], "{", *exported()[3:]])) == "Entry 2 is altered."


def test_an_export_that_was_cut_with_its_head_does_not_reach_the_root_that_was_kept() -> None:
    lines = exported()
    head, last = json.loads(lines[0]), json.loads(lines[3])
    kept = Root(4, head["ends"]["hash"])
    head["ends"] = {"sequence": 3, "hash": last["hash"]}
    cut = [json.dumps(head), *lines[1:4]]

    assert first_fault_in(cut) is None
    assert first_fault_in(cut, roots=[kept]) == Fault(4, What.MISSING)


@pytest.mark.parametrize("first", ["", "{}", "[]", "null", '{"format": "authz-audit-1"}', "[" * 100_000])
def test_what_has_no_head_is_no_export(first: str) -> None:
    with pytest.raises(NotAnExport):
        first_fault_in([first, *exported()[1:]])
