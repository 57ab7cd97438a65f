"""What names a patient is sealed so that only our keys open it, and only where it belongs."""

import pytest
from django.conf import LazySettings
from django.core.exceptions import FieldError
from hypothesis import given
from hypothesis import strategies as st

from authz.prescriptions.models import PatientIdentifier
from authz.sealing import CannotOpen
from authz.sealing.identifiers import ADDED_BYTES, digests, opened, sealed

HERE, ELSEWHERE = "patients.name", "patients.number"
OLD, NEW = "an old key of enough length for anybody", "a new key of enough length for anybody"


@given(st.binary())
def test_whatever_is_sealed_comes_back_and_never_looks_the_same(content: bytes) -> None:
    kept, again = sealed(content, place=HERE), sealed(content, place=HERE)

    assert opened(kept, place=HERE) == opened(again, place=HERE) == content
    assert kept != again
    assert len(kept) == len(content) + ADDED_BYTES


def test_what_was_changed_or_moved_or_cut_does_not_open() -> None:
    kept = sealed(b"Doe", place=HERE)
    changed = [kept[:place] + bytes([kept[place] ^ 1]) + kept[place + 1 :] for place in range(len(kept))]

    for one in (*changed, kept[:-1], kept[:5], b""):
        with pytest.raises(CannotOpen):
            opened(one, place=HERE)
    with pytest.raises(CannotOpen):
        opened(kept, place=ELSEWHERE)


def test_a_key_is_replaced_at_leisure_and_one_that_is_missed_is_said(settings: LazySettings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    kept, index = sealed(b"Doe", place=HERE), digests("Doe", place=HERE)

    settings.ENCRYPTION_KEYS = [NEW, OLD]
    anew, both = sealed(b"Doe", place=HERE), digests("Doe", place=HERE)
    assert opened(kept, place=HERE) == opened(anew, place=HERE) == b"Doe"
    assert both[1:] == index
    settings.ENCRYPTION_KEYS = [NEW]
    assert (opened(anew, place=HERE), digests("Doe", place=HERE)) == (b"Doe", both[:1])
    with pytest.raises(CannotOpen, match="a key that AUTHZ_ENCRYPTION_KEYS does not name"):
        opened(kept, place=HERE)


def test_an_index_tells_of_one_place_alone_and_of_the_exact_text() -> None:
    said = {*digests("MRN-1", place=HERE), *digests("mrn-1", place=HERE), *digests("MRN-1", place=ELSEWHERE)}

    assert len(said) == 3
    assert digests("MRN-1", place=HERE) == digests("MRN-1", place=HERE)


@pytest.mark.parametrize("asked", ["family_name", "family_name__icontains", "value", "value__in"])
def test_nothing_is_asked_of_a_sealed_column(asked: str) -> None:
    with pytest.raises(FieldError, match="is sealed"):
        PatientIdentifier.objects.filter(**{asked: "Doe"})
