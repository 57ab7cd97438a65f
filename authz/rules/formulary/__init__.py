"""Which product codes are opioids, which of them count, and what one dispensed unit is worth in MME.

The packaged tables lie beside this file, with their sources in README.md. A newer release is derived from RxNorm's own
files (rrf.py, derivation.py).
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Final

from authz.rules.formulary.names import clinical_drugs
from authz.rules.policy import MmeTable

METHADONE_TIERS: Final = ((20, 4), (40, 8), (60, 10), (None, 12))
"""Total methadone up to so many mg a day (None: any more), and its MME per mg under the table of 2016 (CMS)."""

_PER_MG: Final = {"mg": 1, "mcg": 1000, "mcg/h": 1000}


class Release(StrEnum):
    """How long one dose acts."""

    SHORT = "short"
    LONG = "long"


class Standing(StrEnum):
    """Whether a product counts towards use-days; if it does not, why."""

    COUNTS = "counts"
    PAIN_BUPRENORPHINE = "pain_buprenorphine"
    OPIOID_USE_DISORDER = "opioid_use_disorder"
    COUGH_COLD = "cough_cold"
    INJECTABLE = "injectable"
    ANTIDIARRHOEAL = "antidiarrhoeal"
    INPATIENT_ONLY = "inpatient_only"
    VETERINARY = "veterinary"
    BENZODIAZEPINE = "benzodiazepine"


class FactorSource(StrEnum):
    """Where a conversion factor was read."""

    CDC_2018 = "cdc_2018"
    CDC_2022 = "cdc_2022"
    CMS_TIERS = "cms_tiers"
    UNCONFIRMED = "unconfirmed"


class FormularyError(ValueError):
    """A row of a formulary table cannot be read; the sentence names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """MME for one `per` of strength (mg, mcg, or mcg/h). `value` is None where methadone's tiers decide."""

    value: Decimal | None
    per: str
    source: FactorSource

    def is_fallback(self, table: MmeTable) -> bool:
        """Return whether the factor stands in for one that the table itself does not have."""
        return self.source not in _OWN[table]

    @property
    def is_by_tier(self) -> bool:
        """Whether all of the ingredient's mg of a day together decide."""
        return self.value is None


_OWN = {
    MmeTable.CDC_2022: {FactorSource.CDC_2022},
    MmeTable.CDC_2016: {FactorSource.CDC_2018, FactorSource.CMS_TIERS},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One RxNorm product. `strength` is the opioid's alone, in `strength_unit`: MG, MG/ML, MG/HR or MG/ACTUAT.

    `clinical_rxcui` is the same drug without a brand: its own code when it has no brand, "" when the table holds no
    such drug. A benzodiazepine is held to be recognised; it never counts. The packaged ones have no `ingredient_rxcui`.
    """

    rxcui: str
    name: str
    ingredient_rxcui: str
    ingredient: str
    strength: Decimal
    strength_unit: str
    dose_form: str
    release: Release
    standing: Standing
    note: str = ""
    sources: str = ""
    clinical_rxcui: str = ""
    factors: Mapping[MmeTable, Factor] = field(default_factory=dict)

    def counts(self, *, with_pain_buprenorphine: bool) -> bool:
        """Return whether a dispensing of this product is opioid use."""
        return self.standing is Standing.COUNTS or (
            with_pain_buprenorphine and self.standing is Standing.PAIN_BUPRENORPHINE
        )

    @property
    def exclusion_reason(self) -> str | None:
        """Why the product does not count of itself; None when it does."""
        return None if self.standing is Standing.COUNTS else self.standing.value

    @property
    def has_no_mme_by_rule(self) -> bool:
        """Whether MME is not to be computed at all: a partial agonist has none in the tables of 2018 and 2022."""
        return self.standing is Standing.PAIN_BUPRENORPHINE

    @property
    def is_rated_patch(self) -> bool:
        """Whether the factor assumes three days of wear for each patch."""
        return self.strength_unit == "MG/HR" and any(factor.per == "mcg/h" for factor in self.factors.values())

    def worth(self, table: MmeTable) -> tuple[int, int] | None:
        """Return the MME of one dispensed unit as an exact (numerator, denominator); None without a factor.

        Where tiers decide, it is the unit's mg instead.
        """
        factor = self.factors.get(table)
        if factor is None:
            return None
        amount = self.strength if factor.value is None else self.strength * _PER_MG[factor.per] * factor.value
        return amount.as_integer_ratio()


@dataclass(frozen=True, slots=True)
class Formulary:
    """A versioned table of products. The version is stored with every verdict.

    `unread` are opioids of which the table does not know what the rule needs, each with the reason: to the rule they
    are unknown products, which a person must look at.
    """

    version: str
    products: Mapping[str, Product]
    unread: Mapping[str, str] = field(default_factory=dict)

    def product(self, rxcui: str) -> Product | None:
        """Return the product of that RxNorm code, or None when the table does not know it."""
        return self.products.get(rxcui)

    def knows(self, rxcui: str) -> bool:
        """Say whether the code is one of the table's, be it only as an opioid that a person must look at."""
        return rxcui in self.products or rxcui in self.unread


def packaged() -> Formulary:
    """Return the formulary that ships with the product, in its newest edition."""
    *_, newest = packaged_editions().values()
    return newest


@cache
def packaged_editions() -> Mapping[str, Formulary]:
    """Return what was ever packaged, by version, newest last: a verdict of an older edition can be computed again."""
    opioids, benzodiazepines = _edition("products.tsv"), _edition("benzodiazepines.tsv")
    both = Formulary(benzodiazepines.version, {**opioids.products, **benzodiazepines.products})
    return {edition.version: edition for edition in (opioids, both)}


def _edition(file: str) -> Formulary:
    head, *rows = _text(file).splitlines()
    products = {product.rxcui: product for product in read_products(rows)}
    return Formulary(head.removeprefix("# version: "), with_clinical_drugs(products))


def with_clinical_drugs(products: Mapping[str, Product]) -> dict[str, Product]:
    """Return the products, each with the code of the same drug without a brand."""
    clinical = clinical_drugs({rxcui: product.name for rxcui, product in products.items()})
    return {rxcui: replace(product, clinical_rxcui=clinical.get(rxcui, "")) for rxcui, product in products.items()}


def read_products(lines: Iterable[str]) -> list[Product]:
    """Return the products of a tab-separated table whose first line names the columns of `products.tsv`.

    :raises FormularyError: naming the row that cannot be read, or an unknown dose form.
    """
    return [_product(row) for row in csv.DictReader(lines, delimiter="\t")]


def _product(row: dict[str, str]) -> Product:
    try:
        return Product(
            rxcui=row["rxcui"],
            name=row["name"],
            ingredient_rxcui=row["ingredient_rxcui"],
            ingredient=row["ingredient"],
            strength=Decimal(row["strength"]),
            strength_unit=row["unit"],
            dose_form=row["dose_form"],
            release=Release(row["release"]),
            standing=Standing(row["standing"]),
            note=row["note"],
            sources=row["sources"],
            factors=factors_of(
                Standing(row["standing"]), row["ingredient_rxcui"], row["dose_form"], strength_unit=row["unit"]
            ),
        )
    except (KeyError, ValueError, ArithmeticError) as error:
        raise FormularyError(f"Product {row.get('rxcui')!r} cannot be read: {error!r}.") from error


def factors_of(
    standing: Standing, ingredient_rxcui: str, dose_form: str, *, strength_unit: str
) -> Mapping[MmeTable, Factor]:
    """Return the factors of a product that counts; a rate per hour is a factor's only for a strength per hour.

    :raises KeyError: when no factor could be looked up, because the dose form is not in the table of forms.
    """
    if standing is not Standing.COUNTS:
        return {}
    factors = _factors().get((ingredient_rxcui, dose_forms()[dose_form]), {})
    is_rate = strength_unit == "MG/HR"
    return {table: factor for table, factor in factors.items() if (factor.per == "mcg/h") == is_rate}


@cache
def dose_forms() -> Mapping[str, str]:
    """Return RxNorm's dose forms that the tables know, each with the form a factor is given for."""
    return {row["dose_form"]: row["form"] for row in _rows("dose_forms.tsv")}


@cache
def partners() -> Mapping[str, Standing]:
    """Return what else an opioid product may hold, and how a product with it stands."""
    return {row["partner"]: Standing(row["makes_it"]) for row in _rows("partners.tsv")}


@cache
def _factors() -> dict[tuple[str, str], dict[MmeTable, Factor]]:
    return {(row["ingredient_rxcui"], row["form"]): _both_tables(row) for row in _rows("factors.tsv")}


def _both_tables(row: dict[str, str]) -> dict[MmeTable, Factor]:
    given = {table: (row[f"factor_{table}"], row[f"source_{table}"]) for table in MmeTable}
    return {
        table: Factor(value=None if text == "tiers" else Decimal(text), per=row["per"], source=FactorSource(source))
        for table, (text, source) in given.items()
        if text != "-"
    }


def _rows(file: str) -> Iterable[dict[str, str]]:
    return csv.DictReader(_text(file).splitlines(), delimiter="\t")


def _text(file: str) -> str:
    return resources.files(__name__).joinpath(file).read_text(encoding="utf-8")
