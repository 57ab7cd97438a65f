"""A release is taken in whole or not at all, never changes, and one at a time is in use."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from authz.audit.models import AuditEntry
from authz.errors import InvalidInput
from authz.formulary import selectors
from authz.formulary.models import FormularyProduct, FormularyRelease, NdcCode
from authz.formulary.selectors import NdcRefused
from authz.formulary.services import activate
from authz.management.commands.formulary import OPERATOR
from authz.rules.formulary import Product, Standing, packaged
from authz.rules.formulary.rrf import NotRrf
from tests.cast import NOW
from tests.formulary.rrf import (
    ALPRAZOLAM_3,
    ATTRIBUTES,
    GUM,
    LISINOPRIL,
    LISINOPRIL_NDC,
    NAMES,
    OXYCODONE_7,
    OXYCODONE_NDC,
    ROXINEW_7,
    ROXINEW_NDC,
    TITRATION_PACK,
    TWO_NDC,
    in_use,
    take,
)
from tests.rules.rrf_lines import attribute, concept, content

pytestmark = pytest.mark.django_db


def use(version: str) -> None:
    activate(version=version, by=OPERATOR, now=NOW)


def product(rxcui: str) -> Product:
    found = selectors.current().product(rxcui)
    assert found is not None
    return found


def test_a_release_is_taken_in_with_what_could_not_be_read() -> None:
    done = take()

    assert (done.is_new, done.products, done.carried_over, done.ndc_codes) == (True, 1376, 1373, 5)
    assert {drug.rxcui for drug, _ in done.unread} == {TITRATION_PACK, GUM}
    assert done.bad_lines.count == 0
    assert selectors.current() is packaged()


def test_what_is_kept_of_a_product_is_what_was_read() -> None:
    in_use()
    formulary = selectors.current()

    generic, brand, benzodiazepine = product(OXYCODONE_7), product(ROXINEW_7), product(ALPRAZOLAM_3)
    assert (generic.strength, generic.sources) == (Decimal(7), "RxNorm 2026-11-03")
    assert generic.factors == product("1049621").factors == packaged().products["1049621"].factors
    assert (brand.clinical_rxcui, generic.clinical_rxcui) == (OXYCODONE_7, OXYCODONE_7)
    assert (benzodiazepine.standing, benzodiazepine.ingredient_rxcui) == (Standing.BENZODIAZEPINE, "596")
    for rxcui in ("864706", "197696", "1010600", "637540"):
        assert product(rxcui) == packaged().products[rxcui]
    assert (formulary.knows(GUM), formulary.product(GUM), formulary.knows(LISINOPRIL)) == (True, None, False)
    assert "Chewing Gum" in formulary.unread[GUM]


def test_the_same_files_again_change_nothing() -> None:
    first = take()
    before = AuditEntry.objects.count(), FormularyProduct.objects.count(), NdcCode.objects.count()

    again = take()

    assert (again.is_new, again.release) == (False, first.release)
    assert (AuditEntry.objects.count(), FormularyProduct.objects.count(), NdcCode.objects.count()) == before


def test_a_name_that_is_taken_or_no_name_is_refused() -> None:
    take()

    for version in ("2026-11-03", "2025.1", "2025.2", "", "a/b", "x" * 41):
        with pytest.raises(InvalidInput) as refused:
            take([*NAMES, concept("1", "IN", "codeine")], version=version)
        assert list(refused.value.fields) == ["version"]

    assert FormularyRelease.objects.count() == 1


@pytest.mark.parametrize(
    ("names", "attributes"),
    [
        (content(NAMES), content(ATTRIBUTES)[:-3]),
        (content(NAMES), content(NAMES)),
        (content(ATTRIBUTES), content(ATTRIBUTES)),
    ],
)
def test_a_file_that_is_not_whole_leaves_nothing(names: bytes, attributes: bytes) -> None:
    with pytest.raises(NotRrf):
        take(names, attributes)

    assert not FormularyRelease.objects.exists()
    assert not NdcCode.objects.exists()


def test_files_without_any_opioid_are_refused() -> None:
    with pytest.raises(InvalidInput, match="not right"):
        take([concept("314076", "SCD", "lisinopril 10 MG Oral Tablet")])

    assert not FormularyRelease.objects.exists()


def test_bad_lines_are_named_with_their_file() -> None:
    done = take([*NAMES, "broken"], [*ATTRIBUTES, attribute("1", "NDC", "1-2-3")])

    assert [line[:2] for line in done.bad_lines.first] == [("RXNCONSO.RRF", 9), ("RXNSAT.RRF", 9)]


def test_marks_tell_a_drug_for_animals_from_one_for_both() -> None:
    marks = [attribute(OXYCODONE_7, "RXN_VET_DRUG", "US"), attribute(ROXINEW_7, "RXN_VET_DRUG", "US")]
    take(NAMES, [*marks, attribute(ROXINEW_7, "RXN_HUMAN_DRUG", "US")])
    use("2026-11-03")

    assert product(OXYCODONE_7).standing is Standing.VETERINARY
    assert product(ROXINEW_7).standing is Standing.COUNTS


def test_one_release_at_a_time_is_in_use_and_the_packaged_one_is_the_last_resort() -> None:
    take(version="2026-11-03")
    take(NAMES, ATTRIBUTES[:1], version="2026-12-01")

    use("2026-11-03")
    use("2026-12-01")
    with pytest.raises(NdcRefused):
        selectors.products_now().rxcui_of_ndc(ROXINEW_NDC)
    assert selectors.current().version == "2026-12-01"
    assert [release.version for release in FormularyRelease.objects.filter(is_current=True)] == ["2026-12-01"]

    use("2025.2")
    assert selectors.current() is packaged()
    acts = AuditEntry.objects.filter(subject_kind="formulary-release").order_by("pk").values_list("action", flat=True)
    assert list(acts)[2:] == ["take into use", "take out of use", "take into use", "take out of use"]


def test_releases_are_found_by_version_and_listed_with_their_counts() -> None:
    in_use()

    for version in ("2026-11-04", "2025.1"):
        with pytest.raises(InvalidInput):
            use(version)
    held = [selectors.by_version(version) for version in ("2025.1", "2025.2", "2026-11-03", "2026-12-01")]
    (release,) = selectors.releases()

    assert [formulary and formulary.version for formulary in held] == ["2025.1", "2025.2", "2026-11-03", None]
    assert (release.version, release.product_count, release.unread_count) == ("2026-11-03", 1376, 2)


def test_the_database_keeps_a_release_as_it_is() -> None:
    take()
    changes = [
        lambda: FormularyRelease.objects.update(version="other"),
        lambda: FormularyProduct.objects.update(standing="counts"),
        lambda: NdcCode.objects.update(rxcui="1"),
        lambda: NdcCode.objects.all().delete(),
        lambda: FormularyProduct.objects.all().delete(),
        lambda: FormularyRelease.objects.all()._raw_delete("default"),
    ]

    for change in changes:
        with pytest.raises(DatabaseError, match=r"append-only|immutable|permission denied"), transaction.atomic():
            change()


def test_the_database_keeps_a_reason_beside_a_missing_factor_and_one_release_in_use() -> None:
    release = take().release
    other = take(version="2026-12-01").release
    use("2026-11-03")

    with pytest.raises(IntegrityError, match="product_has_a_factor_or_a_reason"), transaction.atomic():
        FormularyProduct.objects.create(release=release, rxcui="1", name="x", standing="counts")
    with pytest.raises(IntegrityError, match="product_is_read_or_says_why_not"), transaction.atomic():
        FormularyProduct.objects.create(release=release, rxcui="1", name="x")
    other.is_current, other.activated_at = True, NOW
    with pytest.raises(IntegrityError, match="one_release_is_current"), transaction.atomic():
        other.save()


def test_an_ndc_means_one_product_of_the_release_in_use_or_is_refused() -> None:
    in_use()
    meant = {
        OXYCODONE_NDC: OXYCODONE_7,
        "0406-0552-01": OXYCODONE_7,
        "0406055201": OXYCODONE_7,  # of the three codes it can be, the release has one
        ROXINEW_NDC: ROXINEW_7,
        LISINOPRIL_NDC: LISINOPRIL,
    }
    refused = {
        "00000000003": ("unknown-ndc", "2026-11-03"),
        "00000000004": ("unknown-ndc", "2026-11-03"),
        TWO_NDC: ("ambiguous-ndc", f"{OXYCODONE_7} or {ROXINEW_7}"),
        "oxycodone": ("not-an-ndc", "eleven digits"),
    }

    assert {ndc: selectors.products_now().rxcui_of_ndc(ndc) for ndc in meant} == meant
    for ndc, (code, says) in refused.items():
        with pytest.raises(NdcRefused, match=says) as refusal:
            selectors.products_now().rxcui_of_ndc(ndc)
        assert refusal.value.code == code


def test_without_a_release_the_refusal_says_how_to_load_one() -> None:
    take()

    with pytest.raises(NdcRefused, match=r"manage\.py formulary import") as refused:
        selectors.products_now().rxcui_of_ndc(OXYCODONE_NDC)

    assert refused.value.code == "no-ndc-codes"
