"""The packaged formulary keeps its promises."""

from decimal import Decimal

import pytest

from authz.rules import formulary
from authz.rules.formulary import (
    Factor,
    FactorSource,
    Formulary,
    FormularyError,
    Product,
    Release,
    Standing,
    packaged,
    packaged_editions,
    read_products,
)
from authz.rules.policy import MmeTable
from tests.rules.builders import FENTANYL_PATCH_75, METHADONE_10, OXYCODONE_5, TRAMADOL_50

HEADER = "rxcui\tname\tingredient_rxcui\tingredient\tstrength\tunit\tdose_form\trelease\tstanding\tnote\tsources"


@pytest.fixture
def shipped() -> Formulary:
    """The packaged tables, read anew: otherwise they are read once in a process."""
    for table in (formulary.packaged_editions, formulary.dose_forms, formulary.partners, formulary._factors):
        table.cache_clear()
    return packaged()


def row(**changes: str) -> list[str]:
    facts = {
        "rxcui": "1",
        "name": "oxycodone hydrochloride 5 MG Oral Tablet",
        "ingredient_rxcui": "7804",
        "ingredient": "oxycodone",
        "strength": "5",
        "unit": "MG",
        "dose_form": "Oral Tablet",
        "release": "short",
        "standing": "counts",
        "note": "",
        "sources": "M",
    }
    return [HEADER, "\t".join((facts | changes).values())]


def lacks(product: Product) -> str | None:
    """What the house rule finds wrong with a product."""
    if product.standing is Standing.COUNTS and not product.factors and not product.note.startswith("no factor: "):
        return "counts, but has neither a factor nor a reason for having none"
    if not product.sources:
        return "has no source"
    return None if product.strength > 0 else "has no strength"


def test_every_product_has_a_factor_or_a_reason_a_source_and_a_strength(shipped: Formulary) -> None:
    assert {product.rxcui: wrong for product in shipped.products.values() if (wrong := lacks(product))} == {}


def test_the_house_rule_can_fail() -> None:
    assert lacks(read_products(row(dose_form="Topical Solution"))[0])
    assert lacks(read_products(row(sources=""))[0])
    assert lacks(read_products(row(strength="0"))[0])


def test_the_formulary_is_as_large_as_the_sources(shipped: Formulary) -> None:
    standings = [product.standing for product in shipped.products.values()]

    assert len(standings) == 1373
    assert standings.count(Standing.COUNTS) == 630
    assert standings.count(Standing.PAIN_BUPRENORPHINE) == 27
    assert standings.count(Standing.BENZODIAZEPINE) == 198
    assert shipped.version == "2025.2"


def test_an_older_edition_is_kept_as_it_was() -> None:
    older = packaged_editions()["2025.1"]

    assert len(older.products) == 1175
    assert older.product("308047") is None  # alprazolam
    assert list(packaged_editions().values())[-1] is packaged()


def test_a_brand_is_told_with_its_clinical_drug() -> None:
    products = packaged().products
    lost = [product for product in products.values() if not product.clinical_rxcui]

    assert products["1049640"].clinical_rxcui == "1049221"  # Percocet 5 mg, and what is in it
    assert products["1049221"].clinical_rxcui == "1049221"
    assert [product.rxcui for product in lost] == ["859143", "859941"]


@pytest.mark.parametrize(
    ("rxcui", "standing"),
    [
        ("1049621", Standing.COUNTS),
        ("1666837", Standing.INPATIENT_ONLY),  # Ionsys
        ("1487616", Standing.VETERINARY),  # Recuvyra
        ("1010600", Standing.OPIOID_USE_DISORDER),  # buprenorphine with naloxone
        ("864978", Standing.OPIOID_USE_DISORDER),  # dispersible methadone 40 mg
        ("904870", Standing.PAIN_BUPRENORPHINE),
        ("1716057", Standing.PAIN_BUPRENORPHINE),  # buccal film
        ("312104", Standing.ANTIDIARRHOEAL),  # belladonna and opium
        ("198402", Standing.INJECTABLE),
        ("308047", Standing.BENZODIAZEPINE),  # alprazolam
    ],
)
def test_products_that_are_easily_mistaken(rxcui: str, standing: Standing) -> None:
    product = packaged().product(rxcui)

    assert product is not None
    assert product.standing is standing
    assert product.exclusion_reason == (None if standing is Standing.COUNTS else standing.value)
    assert product.counts(with_pain_buprenorphine=False) == (standing is Standing.COUNTS)
    assert product.counts(with_pain_buprenorphine=True) == (standing in (Standing.COUNTS, Standing.PAIN_BUPRENORPHINE))


def test_a_code_the_table_does_not_know_is_no_product() -> None:
    assert packaged().product("9999999") is None


@pytest.mark.parametrize(("rxcui", "mg"), [("637540", "4.88"), ("724614", "2.44")])
def test_two_salts_of_oxycodone_are_added(rxcui: str, mg: str) -> None:
    product = packaged().product(rxcui)

    assert product is not None
    assert product.strength == Decimal(mg)


def test_no_excluded_product_has_a_factor(shipped: Formulary) -> None:
    with_factor = [product for product in shipped.products.values() if product.factors]

    assert {product.standing for product in with_factor} == {Standing.COUNTS}


def test_only_a_strength_per_hour_is_worn_as_a_patch(shipped: Formulary) -> None:
    patches = [product for product in shipped.products.values() if product.is_rated_patch]

    assert {product.strength_unit for product in patches} == {"MG/HR"}
    assert len(patches) == 13


def test_a_shipped_product_is_read_whole(shipped: Formulary) -> None:
    cdc_2018 = Factor(value=Decimal("7.2"), per="mcg/h", source=FactorSource.CDC_2018)

    assert shipped.product(FENTANYL_PATCH_75) == Product(
        rxcui="197696",
        name="72 HR fentanyl 0.075 MG/HR Transdermal System",
        ingredient_rxcui="4337",
        ingredient="fentanyl",
        strength=Decimal("0.075"),
        strength_unit="MG/HR",
        dose_form="Transdermal System",
        release=Release.LONG,
        standing=Standing.COUNTS,
        note="",
        sources="M K K19 K20 A V",
        factors={
            MmeTable.CDC_2016: cdc_2018,
            MmeTable.CDC_2022: Factor(value=Decimal("7.2"), per="mcg/h", source=FactorSource.CDC_2022),
        },
        clinical_rxcui="197696",
    )


@pytest.mark.parametrize(
    ("rxcui", "in_2016", "in_2022"),
    [
        # MME of one unit, as (numerator, denominator); methadone's mg where its tiers decide
        (OXYCODONE_5, (15, 2), (15, 2)),
        (TRAMADOL_50, (5, 1), (10, 1)),
        (METHADONE_10, (10, 1), (47, 1)),
        (FENTANYL_PATCH_75, (540, 1), (540, 1)),  # 75 mcg/h at 7.2
        ("897696", (8, 1), (10, 1)),  # hydromorphone 2 mg
        ("199789", (37, 2), (37, 2)),  # pentazocine 50 mg
        ("1487611", None, None),  # fentanyl topical solution: no table lists it
        ("904870", None, None),  # buprenorphine patch: none by rule
    ],
)
def test_what_one_unit_is_worth(
    shipped: Formulary, rxcui: str, in_2016: tuple[int, int] | None, in_2022: tuple[int, int] | None
) -> None:
    product = shipped.product(rxcui)

    assert product is not None
    assert (product.worth(MmeTable.CDC_2016), product.worth(MmeTable.CDC_2022)) == (in_2016, in_2022)


def test_a_factor_that_one_table_lacks_is_missing_in_it_alone(shipped: Formulary) -> None:
    benzhydrocodone = next(one for one in shipped.products.values() if one.ingredient == "benzhydrocodone")

    assert benzhydrocodone.factors == {
        MmeTable.CDC_2022: Factor(value=Decimal("1.22"), per="mg", source=FactorSource.UNCONFIRMED)
    }


def test_fentanyl_for_the_mouth_is_worth_by_the_microgram(shipped: Formulary) -> None:
    lozenge = next(one for one in shipped.products.values() if one.name.startswith("fentanyl 0.2 MG Oral Lozenge"))

    assert lozenge.worth(MmeTable.CDC_2022) == (26, 1)  # 200 mcg at 0.13


def test_a_table_knows_its_products_and_the_opioids_it_could_not_read() -> None:
    table = Formulary("test", {"1": next(iter(packaged().products.values()))}, {"2": "no dose form"})

    assert [table.knows(code) for code in ("1", "2", "3")] == [True, True, False]


def test_methadone_goes_by_tiers_in_2016_only() -> None:
    methadone = packaged().product("864706")

    assert methadone is not None
    assert methadone.factors[MmeTable.CDC_2016].is_by_tier
    assert not methadone.factors[MmeTable.CDC_2022].is_by_tier
    assert methadone.worth(MmeTable.CDC_2016) == (10, 1)
    assert methadone.worth(MmeTable.CDC_2022) == (47, 1)


@pytest.mark.parametrize(
    ("source", "in_2016", "in_2022"),
    [
        (FactorSource.CDC_2022, True, False),
        (FactorSource.CDC_2018, False, True),
        (FactorSource.CMS_TIERS, False, True),
        (FactorSource.UNCONFIRMED, True, True),
    ],
)
def test_a_factor_from_elsewhere_is_a_fallback(source: FactorSource, in_2016: bool, in_2022: bool) -> None:
    factor = Factor(value=Decimal(1), per="mg", source=source)

    assert factor.is_fallback(MmeTable.CDC_2016) == in_2016
    assert factor.is_fallback(MmeTable.CDC_2022) == in_2022


def test_a_row_of_a_newer_release_is_read() -> None:
    (product,) = read_products(row(release="long"))

    assert (product.rxcui, product.release, product.worth(MmeTable.CDC_2022)) == ("1", Release.LONG, (15, 2))


@pytest.mark.parametrize(
    "change", [{"strength": "five"}, {"release": "medium"}, {"standing": "maybe"}, {"dose_form": "Chewing Gum"}]
)
def test_a_row_that_cannot_be_read_is_named(change: dict[str, str]) -> None:
    with pytest.raises(FormularyError, match=r"^Product '1' cannot be read: .+\.$"):
        read_products(row(**change))


def test_a_row_of_a_newer_release_keeps_its_note_and_its_sources() -> None:
    (product,) = read_products(row(note="no factor: new", sources="M K"))

    assert (product.note, product.sources) == ("no factor: new", "M K")


def test_a_row_without_a_column_is_refused() -> None:
    with pytest.raises(FormularyError, match="sources"):
        read_products([line.rpartition("\t")[0] for line in row()])
