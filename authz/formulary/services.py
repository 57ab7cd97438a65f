"""Take in a release of RxNorm, whole or not at all, and take one into use."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import file_digest, sha256
from io import BufferedIOBase
from itertools import islice
from typing import Any, TypeVar

from django.db import transaction

from authz.access.roles import Actor
from authz.audit import services as audit
from authz.errors import InvalidInput
from authz.formulary.models import FormularyProduct, FormularyRelease, NdcCode
from authz.outbox.services import announce
from authz.rules.formulary import Factor, Product, packaged, packaged_editions
from authz.rules.formulary.derivation import Derived, derive, substances
from authz.rules.formulary.rrf import ANIMAL, HUMAN, NDC, Attribute, Drug, read_attributes, read_concepts

IN_USE = "formulary.in-use"
"""Another release answers from now on."""

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_BATCH = 5_000
_LINES_BETWEEN_NEWS = 50_000
_MOST_KEPT = 100
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class RrfFile:
    """One of RxNorm's files. The stream can be read again from its start."""

    name: str
    stream: BufferedIOBase


@dataclass(slots=True)
class BadLines:
    """Lines that could not be read and were passed over: how many, and the first hundred with file, number and why."""

    count: int = 0
    first: list[tuple[str, int, str]] = field(default_factory=list)

    def of(self, file: str) -> Callable[[int, str], None]:
        """Return who is to be told of the bad lines of a file."""

        def tell(number: int, reason: str) -> None:
            self.count += 1
            if len(self.first) < _MOST_KEPT:
                self.first.append((file, number, reason))

        return tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What became of the files. When the release was there already (`is_new` False), nothing was read or changed."""

    release: FormularyRelease
    is_new: bool
    products: int = 0
    carried_over: int = 0
    ndc_codes: int = 0
    unread: tuple[tuple[Drug, str], ...] = ()
    bad_lines: BadLines = field(default_factory=BadLines)


@transaction.atomic
def import_release(
    *,
    names: RrfFile,
    attributes: RrfFile,
    version: str,
    by: Actor,
    now: datetime,
    on_progress: Callable[[str, int], None] = lambda _name, _done_bytes: None,
) -> Imported:
    """Take in RXNCONSO (`names`) and RXNSAT (`attributes`) as a release of that version; it is not yet in use.

    :raises InvalidInput: when it cannot be called so, or other files are that version already.
    :raises NotRrf: when a file is not what it should be, or was cut off.
    """
    _must_be_free(version)
    digest = _digest(names, attributes)
    release, is_new = FormularyRelease.objects.get_or_create(
        version=version, defaults={"files_sha256": digest, "imported_at": now}
    )
    if release.files_sha256 != digest:
        raise InvalidInput({"version": [f"Other files were taken in as {version}; a release never changes."]})
    if not is_new:
        return Imported(release=release, is_new=False)
    bad = BadLines()
    concepts = read_concepts(_lines(names, on_progress), substances(), bad.of(names.name))
    if not concepts.drugs:
        raise InvalidInput({"file": [f"{names.name} holds no opioid of RxNorm's own names (SAB=RXNORM)."]})
    told = read_attributes(_lines(attributes, on_progress), bad.of(attributes.name))
    veterinary = _write_ndc_codes(release, told, concepts.drugs)
    derived = derive(concepts, veterinary=veterinary, source=f"RxNorm {version}")
    _write_products(release, derived)
    _record("import", release, by, now)
    return Imported(
        release=release,
        is_new=True,
        products=len(derived.products),
        carried_over=len(derived.carried_over),
        ndc_codes=release.ndc_codes.count(),
        unread=tuple(derived.unread.values()),
        bad_lines=bad,
    )


@transaction.atomic
def activate(*, version: str, by: Actor, now: datetime) -> None:
    """Take a release into use, and the one that was out of it. The packaged version puts every other out of use.

    What was evaluated before stays as it was until the patients are rechecked, which the announcement asks for.

    :raises InvalidInput: when no release of that version is held.
    """
    releases = {release.version: release for release in FormularyRelease.objects.select_for_update().order_by("pk")}
    if version not in releases and version != packaged().version:
        held = ", ".join([*releases, packaged().version])
        raise InvalidInput({"version": [f"There is no release {version}. There are: {held}."]})
    chosen = releases.get(version)
    former = next((release for release in releases.values() if release.is_current), None)
    changed = chosen or former
    if changed is None or chosen == former:
        return
    if former is not None:
        former.is_current = False
        former.save(update_fields=["is_current"])
        _record("take out of use", former, by, now)
    if chosen is not None:
        chosen.is_current, chosen.activated_at = True, now
        chosen.save(update_fields=["is_current", "activated_at"])
        _record("take into use", chosen, by, now)
    announce(topic=IN_USE, subject_id=changed.public_id, now=now)


def _record(action: str, release: FormularyRelease, by: Actor, now: datetime) -> None:
    audit.record(by=by, action=action, subject_kind="formulary-release", subject_id=release.public_id, now=now)


def _must_be_free(version: str) -> None:
    if not _VERSION.fullmatch(version):
        raise InvalidInput({"version": ["Up to 40 letters, digits, dots, hyphens and underscores are needed."]})
    if version in packaged_editions():
        raise InvalidInput({"version": [f"{version} is the packaged formulary's own name."]})


def _digest(*files: RrfFile) -> str:
    digests = []
    for file in files:
        file.stream.seek(0)
        digests.append(file_digest(file.stream, "sha256").hexdigest())
    return sha256("".join(digests).encode()).hexdigest()


def _lines(file: RrfFile, on_progress: Callable[[str, int], None]) -> Iterator[bytes]:
    file.stream.seek(0)
    done = 0
    for number, line in enumerate(file.stream):
        done += len(line)
        if number % _LINES_BETWEEN_NEWS == 0:
            on_progress(file.name, done)
        yield line


def _write_ndc_codes(release: FormularyRelease, told: Iterable[Attribute], drugs: Collection[str]) -> frozenset[str]:
    """Write the NDC codes down. Return which of the drugs are for animals only."""
    marked: dict[str, set[str]] = defaultdict(set)

    def codes() -> Iterator[NdcCode]:
        for attribute in told:
            if attribute.name == NDC:
                yield NdcCode(release=release, ndc=attribute.value, rxcui=attribute.rxcui)
            elif attribute.rxcui in drugs:
                marked[attribute.name].add(attribute.rxcui)

    for some in _chunks(codes()):
        # One code may be told of one drug more than once.
        NdcCode.objects.bulk_create(some, ignore_conflicts=True)
    return frozenset(marked[ANIMAL] - marked[HUMAN])


def _write_products(release: FormularyRelease, derived: Derived) -> None:
    read = (_read_row(release, product) for product in derived.products.values())
    unread = (
        FormularyProduct(release=release, rxcui=drug.rxcui, name=drug.name, unread_because=reason)
        for drug, reason in derived.unread.values()
    )
    for rows in (read, unread):
        for some in _chunks(rows):
            FormularyProduct.objects.bulk_create(some)


def _read_row(release: FormularyRelease, product: Product) -> FormularyProduct:
    return FormularyProduct(
        release=release,
        rxcui=product.rxcui,
        name=product.name,
        clinical_rxcui=product.clinical_rxcui,
        ingredient_rxcui=product.ingredient_rxcui,
        ingredient=product.ingredient,
        strength=product.strength,
        strength_unit=product.strength_unit,
        dose_form=product.dose_form,
        acts=product.release.value,
        standing=product.standing.value,
        note=product.note,
        sources=product.sources,
        factors={table.value: _factor(factor) for table, factor in product.factors.items()},
    )


def _factor(factor: Factor) -> dict[str, Any]:
    value = None if factor.value is None else str(factor.value)
    return {"value": value, "per": factor.per, "source": factor.source.value}


def _chunks(rows: Iterable[_T]) -> Iterator[list[_T]]:
    rest = iter(rows)
    while some := list(islice(rest, _BATCH)):
        yield some
