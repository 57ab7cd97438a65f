"""Which products are taken in: opioids and benzodiazepines, by code where the formulary knows it, else by name."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from authz.formulary.selectors import NdcRefused, Products
from authz.imports.refusals import Refusal
from authz.rules.formulary import Formulary, Standing
from authz.rules.formulary.derivation import OTHER_OPIOIDS

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
NDC = "http://hl7.org/fhir/sid/ndc"
LONGEST_NAME = 300
_CODE = re.compile(r"[1-9][0-9]{0,7}")
_BRAND = re.compile(r"\[([^\]]+)\]")
_MOST_REMEMBERED = 10_000

Coded = tuple[str, str]
"""A code and what the sender calls it, "" when it gives no name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedProduct:
    """A product as the sender gives it. `rxcui` may be unknown to the formulary: a person then looks at it."""

    rxcui: str
    name: str


class Recogniser:
    """Tells what is taken in by one release of the formulary; made once for an import."""

    def __init__(self, products: Products) -> None:
        self._formulary = products.formulary
        self._rxcui_of_ndc = lru_cache(maxsize=_MOST_REMEMBERED)(products.rxcui_of_ndc)
        self._opioid_names = _opioid_names(products.formulary)

    def product(
        self, *, codes: Sequence[Coded], ndcs: Sequence[Coded] = (), other_names: Sequence[str] = (), path: str
    ) -> NamedProduct | None:
        """Return the product if it is an opioid or a benzodiazepine, or might be an opioid; None if it is neither.

        `codes` are RxNorm codes, the sender's choice first, `ndcs` NDCs, which are looked up only where there is no
        RxNorm code, and `other_names` what else the product is called. A code the formulary knows decides, whether it
        counts or is excluded; of several, one that counts. Otherwise the names do: one that names an opioid ingredient
        or brand is taken in as an unknown product; names that name none are no opioid; no name at all is unknown.

        :raises Refusal: when there is no code, one that cannot be, or an NDC that means no product for certain.
        """
        for code, _ in codes:
            if not _CODE.fullmatch(code):
                raise Refusal("not-an-rxnorm-code", path, "An RxNorm code has one to eight digits, the first not 0.")
        if codes:
            return self._by_code(codes, other_names)
        if not ndcs:
            raise Refusal("no-rxnorm-code", path, f"A product code of the system {RXNORM} or {NDC} is needed.")
        return self._by_ndc(ndcs, other_names, path)

    def names_an_opioid(self, name: str) -> bool:
        """Say whether a product's name holds the name of an opioid ingredient or brand as a word of its own."""
        return self._opioid_names.search(name) is not None

    def _by_code(self, codes: Sequence[Coded], other_names: Sequence[str]) -> NamedProduct | None:
        known = [item for item in codes if self._formulary.knows(item[0])]
        if known:
            return self._named(next((item for item in known if self._counts(item[0])), known[0]), other_names)
        names = _given(codes, other_names)
        if names and not any(self.names_an_opioid(name) for name in names):
            return None
        return self._named(codes[0], other_names)

    def _by_ndc(self, ndcs: Sequence[Coded], other_names: Sequence[str], path: str) -> NamedProduct | None:
        names = _given(ndcs, other_names)
        try:
            meant = dict.fromkeys(self._rxcui_of_ndc(ndc) for ndc, _ in ndcs)
        except NdcRefused as refusal:
            if names and not any(self.names_an_opioid(name) for name in names):
                return None
            raise Refusal(refusal.code, path, refusal.sentence) from refusal
        if len(meant) > 1:
            raise Refusal("ambiguous-ndc", path, f"The NDCs mean different products: {', '.join(meant)}.")
        if not names and not any(map(self._formulary.knows, meant)):
            return None  # The release that knows the NDC knows all opioids; this is none of them.
        return self._by_code([(rxcui, next(iter(names), "")) for rxcui in meant], other_names)

    def _counts(self, rxcui: str) -> bool:
        product = self._formulary.product(rxcui)
        return product is not None and product.counts(with_pain_buprenorphine=True)

    def _named(self, coded: Coded, other_names: Sequence[str]) -> NamedProduct:
        rxcui, display = coded
        product = self._formulary.product(rxcui)
        name = display or next(iter(other_names), "") or (product.name if product else "")
        return NamedProduct(rxcui=rxcui, name=name[:LONGEST_NAME])


def _given(coded: Iterable[Coded], other_names: Iterable[str]) -> list[str]:
    return [name for name in (*(display for _, display in coded), *other_names) if name]


def _opioid_names(formulary: Formulary) -> re.Pattern[str]:
    products = [p for p in formulary.products.values() if p.standing is not Standing.BENZODIAZEPINE]
    # Pharmacy systems cut names ("HYDROCODON-ACETAMINOPHN"): ingredients match from a word's start, without a last e.
    known = {product.ingredient for product in products}
    ingredients = {re.escape(name.removesuffix("e")) for name in (*known, *OTHER_OPIOIDS)}
    brands = {re.escape(brand) + r"\b" for product in products for brand in _BRAND.findall(product.name)}
    return re.compile(rf"\b(?:{'|'.join(sorted(ingredients | brands))})", re.IGNORECASE)
