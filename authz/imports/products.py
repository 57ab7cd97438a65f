"""PURE: is this product an opioid? By RxNorm code where the formulary knows it, else by what the sender calls it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from authz.imports.refusals import Refusal
from authz.rules.formulary import packaged

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LONGEST_NAME = 300
_CODE = re.compile(r"[1-9][0-9]{0,7}")
# Opioids that no product of the formulary holds, and what others call those that it does.
_FURTHER_NAMES = (
    "alfentanil",
    "dextropropoxyphene",
    "diamorphine",
    "oliceridine",
    "pethidine",
    "remifentanil",
    "sufentanil",
)
_BRAND = re.compile(r"\[([^\]]+)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedProduct:
    """A product as the sender gives it. `rxcui` may be unknown to the formulary: a person then looks at it."""

    rxcui: str
    name: str


def opioid(*, codes: Sequence[tuple[str, str]], other_names: Sequence[str], path: str) -> NamedProduct | None:
    """Return the product if it is an opioid or might be one, None if it is none.

    `codes` are RxNorm codes with their display texts, the sender's choice first; `other_names` what else the product is
    called. A code the formulary knows decides, whether it counts or is excluded; of several, one that counts. Otherwise
    the names do: one that names an opioid ingredient or brand is taken in as an unknown product; names that name none
    are no opioid; no name at all is unknown.

    :raises Refusal: when there is no RxNorm code, or one that cannot be.
    """
    if not codes:
        raise Refusal("no-rxnorm-code", path, f"A product code of the system {RXNORM} is needed.")
    for code, _ in codes:
        if not _CODE.fullmatch(code):
            raise Refusal("not-an-rxnorm-code", path, "An RxNorm code has one to eight digits, the first not 0.")
    known = [(product, display) for code, display in codes if (product := packaged().product(code))]
    if known:
        product, display = next((item for item in known if item[0].counts(with_pain_buprenorphine=True)), known[0])
        return _named(product.rxcui, display, other_names)
    names = [name for name in (*(display for _, display in codes), *other_names) if name]
    if names and not any(names_an_opioid(name) for name in names):
        return None
    return _named(*codes[0], other_names)


def names_an_opioid(name: str) -> bool:
    """Say whether a product's name holds the name of an opioid ingredient or brand as a word of its own."""
    return _opioid_names().search(name) is not None


def _named(code: str, display: str, other_names: Sequence[str]) -> NamedProduct:
    product = packaged().product(code)
    name = display or next(iter(other_names), "") or (product.name if product else "")
    return NamedProduct(rxcui=code, name=name[:LONGEST_NAME])


@cache
def _opioid_names() -> re.Pattern[str]:
    products = packaged().products.values()
    # Pharmacy systems cut names ("HYDROCODON-ACETAMINOPHN"): ingredients match from a word's start, without a last e.
    known = {product.ingredient for product in products}
    ingredients = {re.escape(name.removesuffix("e")) for name in (*known, *_FURTHER_NAMES)}
    brands = {re.escape(brand) + r"\b" for product in products for brand in _BRAND.findall(product.name)}
    return re.compile(rf"\b(?:{'|'.join(sorted(ingredients | brands))})", re.IGNORECASE)
