"""From a drug's RxNorm name to what the rule needs of it, by the rules that the packaged table follows.

What a name does not say for certain is never guessed: such an opioid is left unread, with the reason, and stays an
unknown product that a person must look at.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Final

from authz.rules.formulary import (
    Product,
    Release,
    Standing,
    dose_forms,
    factors_of,
    packaged,
    partners,
    with_clinical_drugs,
)
from authz.rules.formulary.names import Component, DrugName, UnreadableName, read_name
from authz.rules.formulary.rrf import Concepts, Drug

OTHER_OPIOIDS: Final = frozenset(
    {"alfentanil", "dextropropoxyphene", "diamorphine", "oliceridine", "pethidine", "remifentanil", "sufentanil"}
)
"""Opioids that no packaged product holds, and what others call those that they do."""

DECIMALS: Final = 8
"""No strength has more decimals than this; one that has is left unread."""

_LARGEST = 10**8
_UNITS = frozenset({"MG", "MG/ML", "MG/HR", "MG/ACTUAT"})
_LONG_BY_THEMSELVES = frozenset({"methadone", "levorphanol"})
_INPATIENT_BRANDS = frozenset({"ionsys"})
_VETERINARY_BRANDS = frozenset({"recuvyra", "zorbium"})
_DEPOT_STRENGTH = Decimal(50)
"""MG/ML from which on buprenorphine in a syringe is a depot for opioid use disorder (Brixadi 50 and 356, Sublocade
200); for pain it is 0.3."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """What was read of a release: the products by code, and each opioid that was not, with the drug and the reason.

    `carried_over` are the codes of products that stand as the packaged table has them, because the release names them
    no more, or says nothing certain.
    """

    products: dict[str, Product]
    unread: dict[str, tuple[Drug, str]]
    carried_over: frozenset[str]


def substances() -> frozenset[str]:
    """Return the names of all ingredients that are looked for, in lower case."""
    return frozenset(_opioids()) | frozenset(_benzodiazepines()) | OTHER_OPIOIDS


def derive(
    concepts: Concepts, *, veterinary: Collection[str], source: str, packed: Mapping[str, Product] | None = None
) -> Derived:
    """Return what the names say, and of the packaged products what they do not say.

    `veterinary` are codes of drugs for animals only; `source` names the release; `packed` are the packaged products
    unless others are given.
    """
    packed = packaged().products if packed is None else packed
    read: dict[str, Product] = {}
    unread: dict[str, tuple[Drug, str]] = {}
    # Obsolete drugs come first: of two drugs of one name, brands then belong to the one that is current.
    for drug in sorted(concepts.drugs.values(), key=lambda drug: (not drug.is_obsolete, int(drug.rxcui))):
        try:
            read[drug.rxcui] = _product(drug, concepts.ingredients, source, is_veterinary=drug.rxcui in veterinary)
        except UnreadableName as reason:
            unread[drug.rxcui] = (drug, str(reason))
    carried_over = {rxcui: product for rxcui, product in packed.items() if rxcui not in read}
    return Derived(
        products=with_clinical_drugs({**carried_over, **read}),
        unread={rxcui: why for rxcui, why in unread.items() if rxcui not in packed},
        carried_over=frozenset(carried_over),
    )


def _product(drug: Drug, codes: dict[str, str], source: str, *, is_veterinary: bool) -> Product:
    name = read_name(drug.name)
    ingredient, strength, unit = _amount(name.components)
    code = codes.get(ingredient) or _opioids().get(ingredient, "")
    standing = Standing.VETERINARY if is_veterinary else _standing(name, ingredient, strength)
    if not code and standing is not Standing.BENZODIAZEPINE:
        raise UnreadableName(f"RXNCONSO has no code of the ingredient {ingredient}")
    factors = factors_of(standing, code, name.dose_form, strength_unit=unit)
    lacks_factor = standing is Standing.COUNTS and not factors
    return Product(
        rxcui=drug.rxcui,
        name=drug.name,
        ingredient_rxcui=code,
        ingredient=ingredient,
        strength=strength,
        strength_unit=unit,
        dose_form=name.dose_form,
        release=_release(name.dose_form, ingredient),
        standing=standing,
        note=f"no factor: no table lists {ingredient} in {unit} as {name.dose_form}" if lacks_factor else "",
        sources=f"{source}, obsolete" if drug.is_obsolete else source,
        factors=factors,
    )


def _amount(components: Iterable[Component]) -> tuple[str, Decimal, str]:
    """Return the one ingredient that is looked for, and how much of it there is; two salts of it are added."""
    own = [(ingredient, part) for part in components if (ingredient := _base(part.ingredient, substances()))]
    if len({ingredient for ingredient, _ in own}) != 1:
        found = " and ".join(sorted({ingredient for ingredient, _ in own})) or "none that is known"
        raise UnreadableName(f"it should hold one opioid or benzodiazepine, but holds {found}")
    unit, *others = sorted({part.unit for _, part in own})
    if others or unit not in _UNITS:
        raise UnreadableName(f"its strength is in {' and '.join([unit, *others])}")
    strength = sum((part.amount for _, part in own), Decimal(0))
    if not 0 < strength < _LARGEST or strength != round(strength, DECIMALS):
        raise UnreadableName(f"its strength {strength} cannot be kept exactly")
    return own[0][0], strength, unit


def _standing(name: DrugName, ingredient: str, strength: Decimal) -> Standing:
    if ingredient in _benzodiazepines():
        return Standing.BENZODIAZEPINE
    form = dose_forms().get(name.dose_form)
    if form is None:
        raise UnreadableName(f"the dose form {name.dose_form} is not in the table of forms")
    if name.brand.casefold() in _VETERINARY_BRANDS or (ingredient, form) == ("buprenorphine", "topical"):
        return Standing.VETERINARY
    if ingredient == "buprenorphine":
        return _standing_of_buprenorphine(name, form, strength)
    if form == "injected":
        return Standing.INJECTABLE
    if ingredient == "levomethadyl" or (ingredient, name.dose_form) == ("methadone", "Tablet for Oral Suspension"):
        return Standing.OPIOID_USE_DISORDER
    if name.brand.casefold() in _INPATIENT_BRANDS:
        return Standing.INPATIENT_ONLY
    return _standing_beside(name.components)


def _standing_of_buprenorphine(name: DrugName, form: str, strength: Decimal) -> Standing:
    """Patches and buccal films without naloxone are for pain; what is injected too, except depots and implants."""
    if form == "injected" and name.dose_form != "Drug Implant" and strength < _DEPOT_STRENGTH:
        return Standing.INJECTABLE
    is_for_pain = form == "patch" or (name.dose_form == "Buccal Film" and len(name.components) == 1)
    return Standing.PAIN_BUPRENORPHINE if is_for_pain else Standing.OPIOID_USE_DISORDER


def _standing_beside(components: Iterable[Component]) -> Standing:
    """Return how the product stands by what it holds beside its opioid."""
    met = set()
    for part in components:
        if _base(part.ingredient, substances()):
            continue
        partner = _base(part.ingredient, partners())
        if partner is None:
            raise UnreadableName(f"what {part.ingredient} makes of it is not in the table of partners")
        met.add(partners()[partner])
    return next(iter(met - {Standing.COUNTS}), Standing.COUNTS)


def _release(dose_form: str, ingredient: str) -> Release:
    is_long = dose_form.startswith("Extended Release") or dose_form == "Transdermal System"
    return Release.LONG if is_long or ingredient in _LONG_BY_THEMSELVES else Release.SHORT


def _base(named: str, among: Collection[str]) -> str | None:
    """Return which of the ingredients a named one is: itself, or a salt of it, whose name begins with its own."""
    return next((name for name in among if named == name or named.startswith(f"{name} ")), None)


@cache
def _opioids() -> dict[str, str]:
    """Return the packaged opioid ingredients by name, with their codes."""
    packed = packaged().products.values()
    return {p.ingredient: p.ingredient_rxcui for p in packed if p.standing is not Standing.BENZODIAZEPINE}


@cache
def _benzodiazepines() -> frozenset[str]:
    packed = packaged().products.values()
    return frozenset(p.ingredient for p in packed if p.standing is Standing.BENZODIAZEPINE)
