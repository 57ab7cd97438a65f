"""The packaged formulary keeps its promises."""

from decimal import Decimal

import pytest

from authz.rules.formulary import (
    Factor,
    FactorSource,
    FormularyError,
    Product,
    Release,
    Standing,
    packaged,
    read_products,
)
from authz.rules.policy import MmeTable

HEADER = "rxcui\tname\tingredient_rxcui\tingredient\tstrength\tunit\tdose_form\trelease\tstanding\tnote\tsources"
PRODUCTS = list(packaged().products.values())


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


def test_every_product_has_a_factor_or_a_reason_a_source_and_a_strength() -> None:
    assert {product.rxcui: wrong for product in PRODUCTS if (wrong := lacks(product))} == {}


def test_the_house_rule_can_fail() -> None:
    assert lacks(read_products(row(dose_form="Topical Solution"))[0])
    assert lacks(read_products(row(sources=""))[0])
    assert lacks(read_products(row(strength="0"))[0])


def test_the_formulary_is_as_large_as_the_sources() -> None:
    standings = [product.standing for product in PRODUCTS]

    assert len(PRODUCTS) == 1175
    assert standings.count(Standing.COUNTS) == 630
    assert standings.count(Standing.PAIN_BUPRENORPHINE) == 27
    assert len({product.rxcui for product in PRODUCTS}) == 1175
    assert packaged().version == "2025.1"


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


def test_no_excluded_product_has_a_factor() -> None:
    assert not [product.rxcui for product in PRODUCTS if product.factors and product.standing is not Standing.COUNTS]


def test_only_a_strength_per_hour_is_worn_as_a_patch() -> None:
    assert {product.strength_unit for product in PRODUCTS if product.is_rated_patch} == {"MG/HR"}
    assert len([product for product in PRODUCTS if product.is_rated_patch]) == 13


def test_methadone_goes_by_tiers_in_2016_only() -> None:
    methadone = packaged().product("864706")

    assert methadone is not None
    assert methadone.uses_tiers(MmeTable.CDC_2016)
    assert not methadone.uses_tiers(MmeTable.CDC_2022)
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
    with pytest.raises(FormularyError, match="Product '1' cannot be read"):
        read_products(row(**change))
