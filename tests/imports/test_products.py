"""Which products are opioids: a missed one is worse than one too many before a person."""

import pytest

from authz.imports.refusals import Refusal
from tests.imports.builders import LISINOPRIL, OXYCODONE, PERCOCET
from tests.imports.reading import LISINOPRIL_NDC, OXYCODONE_NDC, RECOGNISER, TWO_PRODUCTS_NDC

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
        ("308047", "alprazolam 0.25 MG Oral Tablet", True),
        (UNKNOWN, "alprazolam 7 MG Oral Tablet", False),
    ],
)
def test_a_product_is_known_by_code_else_by_name(code: str, display: str, is_taken_in: bool) -> None:
    found = RECOGNISER.product(codes=[(code, display)], path="x")

    assert (found is not None) == is_taken_in
    assert found is None or found.rxcui == code


def test_any_name_may_tell_that_it_is_an_opioid() -> None:
    found = RECOGNISER.product(codes=[(UNKNOWN, "tablet")], other_names=["Roxicodone 15 mg"], path="x")

    assert found is not None
    assert (found.rxcui, found.name) == (UNKNOWN, "tablet")


def test_of_several_codes_the_known_one_that_counts_is_taken() -> None:
    codes = [(UNKNOWN, "some tablet"), ("198402", "injection"), OXYCODONE]

    found = RECOGNISER.product(codes=codes, path="x")

    assert found is not None
    assert found.rxcui == OXYCODONE[0]


def test_a_product_without_a_name_gets_the_name_the_formulary_has() -> None:
    found = RECOGNISER.product(codes=[(OXYCODONE[0], "")], path="x")

    assert found is not None
    assert "oxycodone" in found.name.lower()


def test_a_name_is_kept_as_long_as_there_is_room() -> None:
    found = RECOGNISER.product(codes=[(OXYCODONE[0], "x" * 1000)], path="x")

    assert found is not None
    assert found.name == "x" * 300


@pytest.mark.parametrize("code", ["", "0", "0123", "123456789", "12a", "１２３", " 12", "-1"])
def test_a_code_that_cannot_be_rxnorm_is_refused(code: str) -> None:
    with pytest.raises(Refusal) as refused:
        RECOGNISER.product(codes=[(code, "aspirin")], path="here")

    assert (refused.value.code, refused.value.path) == ("not-an-rxnorm-code", "here")


def test_no_rxnorm_code_at_all_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        RECOGNISER.product(codes=[], other_names=["aspirin"], path="here")

    assert refused.value.code == "no-rxnorm-code"


def test_names_are_found_in_any_case_and_as_words_of_their_own() -> None:
    assert RECOGNISER.names_an_opioid("acetaminophen/OXYCODONE")
    assert RECOGNISER.names_an_opioid("Tylenol with Codeine #3")
    assert not RECOGNISER.names_an_opioid("norcodeineless")


@pytest.mark.parametrize(
    ("ndcs", "names", "expected"),
    [
        ([OXYCODONE_NDC], [], "1049621"),
        ([OXYCODONE_NDC], ["lisinopril by mistake"], "1049621"),
        ([LISINOPRIL_NDC], [], None),  # the release knows what it is, and that is no opioid
        ([LISINOPRIL_NDC], ["oxycodone"], "314076"),  # a person looks at it
        (["99999-9999-99"], ["lisinopril 10 MG"], None),
    ],
)
def test_an_ndc_tells_the_product(ndcs: list[str], names: list[str], expected: str | None) -> None:
    found = RECOGNISER.product(codes=[], ndcs=[(ndc, "") for ndc in ndcs], other_names=names, path="x")

    assert (found and found.rxcui) == expected


@pytest.mark.parametrize(
    ("ndcs", "names", "code"),
    [
        (["99999-9999-99"], [], "unknown-ndc"),
        (["99999-9999-99"], ["Roxicodone"], "unknown-ndc"),
        ([TWO_PRODUCTS_NDC], [], "ambiguous-ndc"),
        ([OXYCODONE_NDC, LISINOPRIL_NDC], [], "ambiguous-ndc"),
    ],
)
def test_an_ndc_is_never_guessed(ndcs: list[str], names: list[str], code: str) -> None:
    with pytest.raises(Refusal) as refused:
        RECOGNISER.product(codes=[], ndcs=[(ndc, "") for ndc in ndcs], other_names=names, path="x")

    assert refused.value.code == code


def test_an_rxnorm_code_goes_before_an_ndc() -> None:
    found = RECOGNISER.product(codes=[PERCOCET], ndcs=[(OXYCODONE_NDC, "")], path="x")

    assert found is not None
    assert found.rxcui == PERCOCET[0]
