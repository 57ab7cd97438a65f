"""RxNorm's files and names are read by rule, and what they do not say for certain is never guessed."""

from decimal import Decimal

import pytest

from authz.rules.formulary import Product, Standing, packaged
from authz.rules.formulary.derivation import Derived, derive, substances
from authz.rules.formulary.names import UnreadableName, read_name
from authz.rules.formulary.ndc import NotAnNdc, readings
from authz.rules.formulary.rrf import Attribute, Concepts, NotRrf, read_attributes, read_concepts, release_day
from authz.rules.policy import MmeTable
from tests.rules.rrf_lines import attribute, concept, content

# The packaged table calls the generic of Brixadi injectable and its brand a treatment of opioid use disorder; it is one
# depot, so the reader says the latter of both. Neither counts.
GENERIC_DEPOTS = {"2639021", "2639029", "2639031", "2639033", "2639036", "2639041", "2639043"}


def refuse(number: int, reason: str) -> None:
    raise AssertionError(f"line {number}: {reason}")


def concepts(*lines: str) -> Concepts:
    return read_concepts(content(lines).splitlines(keepends=True), substances(), refuse)


def derived(*lines: str, veterinary: frozenset[str] = frozenset()) -> Derived:
    return derive(concepts(*lines), veterinary=veterinary, source="RxNorm test", packed={})


def read(name: str, **rest: frozenset[str]) -> Product:
    found = derived(concept("1", "SCD", name), **rest)
    assert not found.unread, found.unread
    return found.products["1"]


def why_unread(name: str) -> str:
    found = derived(concept("1", "SCD", name))
    assert not found.products
    return found.unread["1"][1]


# -- the packaged table


def test_the_names_of_all_packaged_products_are_read_as_the_table_has_them() -> None:
    packed = packaged().products
    found = derived(*(concept(product.rxcui, "SCD", product.name) for product in packed.values()))
    facts = ("ingredient", "strength", "strength_unit", "dose_form", "release", "standing", "factors", "clinical_rxcui")

    differing = {
        product.rxcui
        for product in packed.values()
        if any(getattr(found.products[product.rxcui], name) != getattr(product, name) for name in facts)
    }

    assert found.unread == {}
    assert differing == GENERIC_DEPOTS
    assert {found.products[rxcui].standing for rxcui in GENERIC_DEPOTS} == {Standing.OPIOID_USE_DISORDER}


# -- names


@pytest.mark.parametrize(
    ("name", "ingredient", "strength", "unit", "standing"),
    [
        ("oxycodone hydrochloride 7 MG Oral Tablet", "oxycodone", "7", "MG", Standing.COUNTS),
        ("aspirin 5 MG / oxycodone 1.5 MG / oxycodone terephthalate 0.25 MG Oral Tablet", "oxycodone", "1.75", "MG",
         Standing.COUNTS),
        ("Abuse-Deterrent 12 HR morphine sulfate 15 MG Extended Release Oral Tablet [New]", "morphine", "15", "MG",
         Standing.COUNTS),
        ("{3 (fentanyl 0.6 MG/ACTUAT Mucosal Spray [Subsys]) } Pack [Subsys 1800 MCG]", "fentanyl", "0.6", "MG/ACTUAT",
         Standing.COUNTS),
        ("codeine phosphate 2 MG/ML / promethazine hydrochloride 1 MG/ML Oral Solution", "codeine", "2", "MG/ML",
         Standing.COUGH_COLD),
        ("2 ML hydromorphone hydrochloride 3 MG/ML Injection", "hydromorphone", "3", "MG/ML", Standing.INJECTABLE),
        ("buprenorphine 20 MG Drug Implant", "buprenorphine", "20", "MG", Standing.OPIOID_USE_DISORDER),
        ("168 HR buprenorphine 0.03 MG/HR Transdermal System", "buprenorphine", "0.03", "MG/HR",
         Standing.PAIN_BUPRENORPHINE),
        ("buprenorphine 3 MG / naloxone 1 MG Buccal Film", "buprenorphine", "3", "MG", Standing.OPIOID_USE_DISORDER),
        ("amitriptyline hydrochloride 5 MG / chlordiazepoxide 7 MG Chewing Gum", "chlordiazepoxide", "7", "MG",
         Standing.BENZODIAZEPINE),
    ],
)  # fmt: skip
def test_a_name_tells_what_the_rule_needs(
    name: str, ingredient: str, strength: str, unit: str, standing: Standing
) -> None:
    product = read(name)

    assert (product.ingredient, product.strength, product.strength_unit) == (ingredient, Decimal(strength), unit)
    assert product.standing is standing


@pytest.mark.parametrize(
    ("name", "because"),
    [
        (
            "{7 (tramadol hydrochloride 50 MG Oral Tablet) / 7 (tramadol hydrochloride 100 MG Oral Tablet) } Pack",
            "pack",
        ),
        ("{7 (tramadol hydrochloride 50 MG Oral Tablet) / 1 (aspirin 5 MG Oral Tablet) } Pack", "pack"),
        ("codeine phosphate 5 MG Chewing Gum", "the dose form Chewing Gum is not in the table"),
        ("codeine phosphate 5 MG / novelamine 3 MG Oral Tablet", "novelamine"),
        ("codeine phosphate 5 MG / oxycodone hydrochloride 5 MG Oral Tablet", "holds codeine and oxycodone"),
        ("alprazolam 1 MG / oxycodone hydrochloride 5 MG Oral Tablet", "holds alprazolam and oxycodone"),
        ("codeine phosphate 5 MEQ Oral Tablet", "in MEQ"),
        ("codeine phosphate 5 MG / codeine sulfate 5 MG/ML Oral Solution", "in MG and MG/ML"),
        ("codeine phosphate 0.123456789 MG Oral Tablet", "exactly"),
        ("codeine phosphate 0 MG Oral Tablet", "exactly"),
        ("codeine phosphate 100000000 MG Oral Tablet", "exactly"),
        ("codeine phosphate Oral Tablet", "strength"),
        ("codeine phosphate 5 MG", "dose form"),
        ("Novel codeine 5 MG Oral Tablet", "none that is known"),
        ("oliceridine 1 MG/ML Injection", "no code of the ingredient oliceridine"),
    ],
)
def test_an_opioid_that_is_not_certain_is_left_to_a_person(name: str, because: str) -> None:
    assert because in why_unread(name)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("codeine phosphate 5 MG", "the dose form does not stand at the end of its name"),
        (
            "{7 (codeine phosphate 5 MG Oral Tablet) / 1 (aspirin 5 MG Oral Tablet) } Pack",
            "it is a pack of several products, which has no one strength",
        ),
        ("codeine phosphate Oral Tablet", "an ingredient does not stand with its strength and unit"),
        (
            "Novel codeine 5 MG Oral Tablet",
            "it should hold one opioid or benzodiazepine, but holds none that is known",
        ),
    ],
)
def test_the_reason_is_a_sentence_for_that_person(name: str, sentence: str) -> None:
    assert why_unread(name) == sentence


def test_a_counted_product_without_a_factor_says_why() -> None:
    found = derived(concept("56795", "IN", "sufentanil"), concept("1", "SCD", "sufentanil 0.03 MG Sublingual Tablet"))
    product = found.products["1"]

    assert (product.standing, product.factors, product.ingredient_rxcui) == (Standing.COUNTS, {}, "56795")
    assert product.note == "no factor: no table lists sufentanil in MG as Sublingual Tablet"
    rated, uncounted = read("oxycodone 5 MG Oral Tablet"), read("2 ML hydromorphone 3 MG/ML Injection")
    assert (rated.worth(MmeTable.CDC_2022), rated.note) == ((15, 2), "")
    assert (uncounted.factors, uncounted.note) == ({}, "")


def test_a_product_has_its_own_code_and_the_release_for_its_source() -> None:
    product = read("oxycodone 5 MG Oral Tablet [Xoxy]")

    assert (product.rxcui, product.sources) == ("1", "RxNorm test")
    assert product.clinical_rxcui == ""  # the release has no oxycodone 5 MG without that brand


def test_a_benzodiazepine_needs_no_code_of_its_ingredient() -> None:
    assert read("alprazolam 1 MG Oral Tablet").ingredient_rxcui == ""


def test_a_name_tells_the_brand_where_there_is_one() -> None:
    assert read_name("oxycodone 9 MG Extended Release Oral Capsule [Xtampza]").brand == "Xtampza"
    assert read_name("oxycodone 9 MG Extended Release Oral Capsule").brand == ""


def test_a_drug_for_animals_only_is_told_by_its_mark() -> None:
    name = "fentanyl 5 MG Oral Lozenge"

    assert read(name).standing is Standing.COUNTS
    assert read(name, veterinary=frozenset({"1"})).standing is Standing.VETERINARY


def test_a_brand_belongs_to_the_current_drug_of_its_name() -> None:
    found = derived(
        concept("3", "SCD", "oxycodone hydrochloride 7 MG Oral Tablet"),
        concept("1", "SBD", "Oxycodone Hydrochloride 7 MG Oral Tablet [Roxinew]"),
        concept("9", "SCD", "oxycodone hydrochloride 7 MG Oral Tablet", suppress="O"),
    )

    assert {code: product.clinical_rxcui for code, product in found.products.items()} == {"1": "3", "3": "3", "9": "9"}
    assert found.products["9"].sources == "RxNorm test, obsolete"


def test_what_the_release_does_not_say_stands_as_packaged() -> None:
    packed = packaged().products
    found = derive(
        concepts(
            concept("1049621", "SCD", "oxycodone hydrochloride 6 MG Oral Tablet"),
            concept("1049683", "SCD", "oxycodone hydrochloride 10 MG Chewing Gum"),
        ),
        veterinary=(),
        source="RxNorm test",
    )

    assert found.unread == {}
    assert found.products["1049621"].strength == 6
    assert found.products["1049683"] == packed["1049683"]
    assert found.carried_over == frozenset(packed) - {"1049621"}


def test_a_name_that_is_no_name_is_refused() -> None:
    with pytest.raises(UnreadableName):
        read_name("")


# -- files


def test_of_the_names_only_rxnorms_own_drugs_are_kept() -> None:
    name = "oxycodone hydrochloride 7 MG Oral Tablet"
    found = concepts(
        concept("1", "SCD", name),
        concept("2", "SCD", name, source="MTHSPL"),
        f"2|ENG||||||21|RXNORM|2||MTHSPL|SCD|2|{name}||N|4096|",
        concept("3", "SCD", name, suppress="E"),
        concept("4", "SY", name),
        concept("5", "SCD", "apomorphine 1 MG Oral Tablet"),
        concept("6", "SCD", "lisinopril 1 MG Oral Tablet [Codeine]"),
        concept("7", "IN", "Oxycodone"),
        concept("8", "IN", "lisinopril"),
        concept("9", "SCD", f"old {name}", suppress="O"),
        concept("9", "SCD", name),
        concept("1", "SCD", f"old {name}", suppress="O"),
        concept("1", "SCD", f"second {name}"),
        concept("10", "SCD", f"first {name}", suppress="O"),
        concept("10", "SCD", f"second {name}", suppress="O"),
    )

    assert {drug.rxcui: (drug.name, drug.is_obsolete) for drug in found.drugs.values()} == {
        "1": (name, False),
        "9": (name, False),
        "10": (f"first {name}", True),
    }
    assert found.ingredients == {"oxycodone": "7"}


def test_of_the_attributes_rxnorms_own_current_ones_are_kept() -> None:
    lines = [
        attribute("1", "NDC", "00406055201"),
        attribute("1", "NDC", "00406055202", source="MTHSPL"),
        attribute("1", "NDC", "00406055203", suppress="O"),
        attribute("1", "RXN_STRENGTH", "5 MG"),
        attribute("2", "RXN_VET_DRUG", "US"),
    ]

    assert list(read_attributes(content(lines).splitlines(keepends=True), refuse)) == [
        Attribute("1", "NDC", "00406055201"),
        Attribute("2", "RXN_VET_DRUG", "US"),
    ]


def test_a_bad_line_is_named_and_passed_over() -> None:
    good = concept("1", "SCD", "codeine 5 MG Oral Tablet")
    told: list[tuple[int, str]] = []
    lines = [
        good.encode() + b"\n",
        b"1|too|few|\n",
        concept("x", "SCD", "codeine 5 MG Oral Tablet").encode() + b"\n",
        good.encode().replace(b"codeine", b"code\xffine") + b"\n",
        concept("2", "SCD", "codeine 6 MG Oral Tablet").encode() + b"\n",
    ]

    found = read_concepts(lines, substances(), lambda *line: told.append(line))

    assert list(found.drugs) == ["1", "2"]
    assert told == [
        (2, "RXNCONSO.RRF has 18 cells in a line; this one has 3."),
        (3, "The first cell is no RxNorm code."),
        (4, "The line is not UTF-8 text."),
    ]
    ndcs = [attribute("1", "NDC", "0406-0552-01"), attribute("x", "NDC", "00406055201"), "1|too|few|"]
    told.clear()
    assert list(read_attributes(content(ndcs).splitlines(keepends=True), lambda *line: told.append(line))) == []
    assert told == [
        (1, "An NDC of eleven digits is needed."),
        (2, "The first cell is no RxNorm code."),
        (3, "RXNSAT.RRF has 13 cells in a line; this one has 3."),
    ]


@pytest.mark.parametrize(
    ("content_of_file", "says"),
    [
        (b"", "RXNCONSO.RRF is empty"),
        (b"patient,fill\n", "18 cells in a line; this one has 0"),
        (content([attribute("1", "NDC", "00406055201")]), "this one has 13"),
        (content([concept("1", "IN", "codeine")])[:-1], "stops in the middle of line 1"),
        (content([concept("1", "IN", "codeine")]) + b"2|ENG|", "stops in the middle of line 2"),
    ],
)
def test_what_is_not_the_file_or_not_all_of_it_is_refused(content_of_file: bytes, says: str) -> None:
    with pytest.raises(NotRrf, match=says):
        read_concepts(content_of_file.splitlines(keepends=True), substances(), lambda _number, _reason: None)


def test_the_list_of_sources_tells_the_day_of_the_release() -> None:
    other = b"C1|C2|GS_2017_09_28|GS|Gold Standard|GS|2017_09_28" + b"|" * 19 + b"\n"
    own = b"C3|C4|RXNORM_26AB_261103F|RXNORM|RxNorm Vocabulary|RXNORM|26AB_261103F" + b"|" * 19 + b"\n"

    assert release_day([other, b"too|few|\n", own]) == "2026-11-03"
    assert release_day([other]) is None


def test_of_other_vocabularies_the_list_tells_no_release() -> None:
    later = b"C5|C6|MMSL_26AC_261201|MMSL|Multum|RXNORM|26AC_261201" + b"|" * 19 + b"\n"

    assert release_day([later]) is None


# -- NDCs


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("00406055201", {"00406055201"}),
        ("00406-0552-01", {"00406055201"}),
        ("0406-0552-01", {"00406055201"}),
        ("59011-441-10", {"59011044110"}),
        ("59011-0441-1", {"59011044101"}),
        ("0406055201", {"00406055201", "04060055201", "04060552001"}),
    ],
)
def test_an_ndc_is_read_in_every_way_it_is_written(text: str, codes: set[str]) -> None:
    assert readings(text) == codes


@pytest.mark.parametrize(
    "text", ["", "123", "123456789", "123456789012", "0406-0552-1", "0406-055201", "0040605520x", "٠٠٤٠٦٠٥٥٢٠١"]
)
def test_what_is_no_ndc_is_refused(text: str) -> None:
    with pytest.raises(NotAnNdc, match=r"^An NDC has eleven digits, or ten in three groups such as 0002-8215-01\.$"):
        readings(text)
