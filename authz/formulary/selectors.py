"""Which release answers, what it holds, and what an NDC means in it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, Q

from authz.formulary.models import FormularyProduct, FormularyRelease, NdcCode
from authz.rules.formulary import (
    Factor,
    FactorSource,
    Formulary,
    Product,
    Release,
    Standing,
    packaged,
    packaged_editions,
)
from authz.rules.formulary.ndc import NotAnNdc, readings
from authz.rules.policy import MmeTable


class NdcRefused(Exception):
    """What is sent as an NDC does not mean one product; a stable code, and a sentence for the sender."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Products:
    """The release that answers now: its products, and which RxNorm code an NDC means in it.

    `rxcui_of_ndc` raises `NdcRefused` when the text is no NDC, or means no product or several.
    """

    formulary: Formulary
    rxcui_of_ndc: Callable[[str], str]


class Held(NamedTuple):
    """A release that was taken in, with how many products and how many unread opioids it has."""

    version: str
    imported_at: datetime
    product_count: int
    unread_count: int


def releases() -> list[Held]:
    """Return the releases taken in, newest first."""
    rows = FormularyRelease.objects.order_by("-imported_at", "-pk")
    counted = rows.annotate(
        of_all=Count("products"), of_read=Count("products", filter=Q(products__unread_because=""))
    ).values_list("version", "imported_at", "of_all", "of_read")
    return [Held(version, imported_at, of_read, of_all - of_read) for version, imported_at, of_all, of_read in counted]


def current() -> Formulary:
    """Return the formulary that answers now: that of the current release, else the packaged one."""
    release = _current_release()
    return packaged() if release is None else _formulary(release.public_id)


def by_version(version: str) -> Formulary | None:
    """Return the formulary of that version, packaged or taken in; None when it is held no more."""
    if version in packaged_editions():
        return packaged_editions()[version]
    release = FormularyRelease.objects.filter(version=version).first()
    return None if release is None else _formulary(release.public_id)


def that_answered(version: str) -> Formulary:
    """Return the formulary of the version that something was judged by; where it is held no more, the current one."""
    return by_version(version) or current()


def products_now() -> Products:
    """Return the release that answers now. It stays the same one, whatever is taken into use meanwhile."""
    release = _current_release()
    return Products(
        formulary=packaged() if release is None else _formulary(release.public_id),
        rxcui_of_ndc=lambda ndc: _rxcui_of(ndc, release),
    )


def _current_release() -> FormularyRelease | None:
    return FormularyRelease.objects.filter(is_current=True).first()


def _rxcui_of(ndc: str, release: FormularyRelease | None) -> str:
    try:
        possible = readings(ndc)
    except NotAnNdc as reason:
        raise NdcRefused("not-an-ndc", str(reason)) from reason
    codes = NdcCode.objects.filter(release=release)
    if release is None or not codes.exists():
        raise NdcRefused(
            "no-ndc-codes",
            "No release with NDC codes is in use, so send the RxNorm code. An operator can load one: "
            "manage.py formulary import RXNCONSO.RRF RXNSAT.RRF --activate.",
        )
    meant = sorted(set(codes.filter(ndc__in=possible).values_list("rxcui", flat=True)))
    if not meant:
        raise NdcRefused("unknown-ndc", f"Release {release.version} of the formulary has no such NDC.")
    if len(meant) > 1:
        raise NdcRefused("ambiguous-ndc", f"In release {release.version} this can be {' or '.join(meant)}.")
    return meant[0]


# A release never changes, so what was read of one stays right; the key is an id that is never given twice.
@lru_cache(maxsize=4)
def _formulary(release_id: UUID) -> Formulary:
    release = FormularyRelease.objects.get(public_id=release_id)
    products: dict[str, Product] = {}
    unread: dict[str, str] = {}
    for row in FormularyProduct.objects.filter(release=release).order_by("pk"):
        if row.unread_because:
            unread[row.rxcui] = row.unread_because
        else:
            products[row.rxcui] = _product(row)
    return Formulary(release.version, products, unread)


def _product(row: FormularyProduct) -> Product:
    return Product(
        rxcui=row.rxcui,
        name=row.name,
        ingredient_rxcui=row.ingredient_rxcui,
        ingredient=row.ingredient,
        strength=row.strength or Decimal(0),
        strength_unit=row.strength_unit,
        dose_form=row.dose_form,
        release=Release(row.acts),
        standing=Standing(row.standing),
        note=row.note,
        sources=row.sources,
        clinical_rxcui=row.clinical_rxcui,
        factors={MmeTable(table): _factor(told) for table, told in row.factors.items()},
    )


def _factor(told: dict[str, Any]) -> Factor:
    value = told["value"]
    return Factor(value=None if value is None else Decimal(value), per=told["per"], source=FactorSource(told["source"]))
