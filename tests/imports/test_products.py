"""Which products are opioids: a missed one is worse than one too many before a person."""

import pytest

from authz.imports.products import names_an_opioid, opioid
from authz.imports.refusals import Refusal
from tests.imports.builders import LISINOPRIL, OXYCODONE, PERCOCET

UNKNOWN = "9990001"


@pytest.mark.parametrize(
    ("code", "display", "is_taken_in"),
    [
        (*OXYCODONE, True),
        (*PERCOCET, True),
        (OXYCODONE[0], "", True),
        (OXYCODONE[0], "lisinopril by mistake", True),  # the code decides where it is known
        ("197696", "72 HR fentanyl 0.075 MG/HR Transdermal System", True),
        ("198402", "Fentanyl 1.5 MG/ML Injectable Solution", True),  # excluded by the rule, but recorded
        (*LISINOPRIL, False),
        (UNKNOWN, "oxycodone hydrochloride 7 MG Oral Tablet", True),
        (UNKNOWN, "HYDROCODON-ACETAMINOPHN 5-325", True),
        (UNKNOWN, "Percocet 10/325", True),
        (UNKNOWN, "sufentanil 0.03 MG Sublingual Tablet", True),
        (UNKNOWN, "dextromethorphan 1 MG/ML Oral Solution", False),
        (UNKNOWN, "apomorphine 10 MG/ML Injection", False),
        (UNKNOWN, "naloxone 4 MG Nasal Spray", False),
        (UNKNOWN, "", True),
    ],
)
def test_a_product_is_known_by_code_else_by_name(code: str, display: str, is_taken_in: bool) -> None:
    found = opioid(codes=[(code, display)], other_names=[], path="x")

    assert (found is not None) == is_taken_in
    assert found is None or found.rxcui == code


def test_any_name_may_tell_that_it_is_an_opioid() -> None:
    found = opioid(codes=[(UNKNOWN, "tablet")], other_names=["Roxicodone 15 mg"], path="x")

    assert found is not None
    assert (found.rxcui, found.name) == (UNKNOWN, "tablet")


def test_of_several_codes_the_known_one_that_counts_is_taken() -> None:
    codes = [(UNKNOWN, "some tablet"), ("198402", "injection"), OXYCODONE]

    found = opioid(codes=codes, other_names=[], path="x")

    assert found is not None
    assert found.rxcui == OXYCODONE[0]


def test_a_product_without_a_name_gets_the_name_the_formulary_has() -> None:
    found = opioid(codes=[(OXYCODONE[0], "")], other_names=[], path="x")

    assert found is not None
    assert "oxycodone" in found.name.lower()


def test_a_name_is_kept_as_long_as_there_is_room() -> None:
    found = opioid(codes=[(OXYCODONE[0], "x" * 1000)], other_names=[], path="x")

    assert found is not None
    assert found.name == "x" * 300


@pytest.mark.parametrize("code", ["", "0", "0123", "123456789", "12a", "１２３", " 12", "-1"])
def test_a_code_that_cannot_be_rxnorm_is_refused(code: str) -> None:
    with pytest.raises(Refusal) as refused:
        opioid(codes=[(code, "aspirin")], other_names=[], path="here")

    assert (refused.value.code, refused.value.path) == ("not-an-rxnorm-code", "here")


def test_no_rxnorm_code_at_all_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        opioid(codes=[], other_names=["aspirin"], path="here")

    assert refused.value.code == "no-rxnorm-code"


def test_names_are_found_in_any_case_and_as_words_of_their_own() -> None:
    assert names_an_opioid("acetaminophen/OXYCODONE")
    assert names_an_opioid("Tylenol with Codeine #3")
    assert not names_an_opioid("norcodeineless")
