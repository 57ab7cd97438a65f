"""Releases of the formulary that an operator took in from RxNorm's files; the packaged one is in `rules`."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from authz.ids import new_id
from authz.rules.formulary.derivation import DECIMALS


class FormularyRelease(models.Model):
    """A release never changes, except that it is taken into use and out of it. The current one answers; if none is,
    the packaged one does.
    """

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "version", "files_sha256", "imported_at", "is_current", "activated_at",
    }  # fmt: skip

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    version = models.CharField(max_length=40, unique=True)
    files_sha256 = models.CharField(max_length=64)
    imported_at = models.DateTimeField()
    is_current = models.BooleanField(default=False)
    activated_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["is_current"], condition=Q(is_current=True), name="one_release_is_current"),
            models.CheckConstraint(
                condition=Q(is_current=False) | Q(activated_at__isnull=False), name="current_release_was_activated"
            ),
        ]

    def __str__(self) -> str:
        return self.version


class FormularyProduct(models.Model):
    """A product of a release, with the columns of the packaged table. Append-only.

    `unread_because` says why nothing but the name of an opioid could be read; a person must then look at its records.
    """

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id", "release", "rxcui", "name", "clinical_rxcui", "ingredient_rxcui", "ingredient", "strength",
        "strength_unit", "dose_form", "acts", "standing", "note", "sources", "factors", "unread_because",
    }  # fmt: skip

    release = models.ForeignKey(FormularyRelease, on_delete=models.PROTECT, related_name="products")
    rxcui = models.CharField(max_length=8)
    name = models.TextField()
    clinical_rxcui = models.CharField(max_length=8, blank=True)
    ingredient_rxcui = models.CharField(max_length=8, blank=True)
    ingredient = models.CharField(max_length=100, blank=True)
    strength = models.DecimalField(max_digits=16, decimal_places=DECIMALS, null=True)
    strength_unit = models.CharField(max_length=10, blank=True)
    dose_form = models.TextField(blank=True)
    acts = models.CharField(max_length=5, blank=True)
    standing = models.CharField(max_length=20, blank=True)
    note = models.CharField(max_length=300, blank=True)
    sources = models.CharField(max_length=100, blank=True)
    factors = models.JSONField(default=dict)
    unread_because = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["release", "rxcui"], name="product_once_per_release"),
            models.CheckConstraint(
                condition=(Q(standing="") & ~Q(unread_because="")) | (~Q(standing="") & Q(unread_because="")),
                name="product_is_read_or_says_why_not",
            ),
            models.CheckConstraint(
                condition=~Q(standing="counts") | ~Q(factors={}) | Q(note__startswith="no factor: "),
                name="product_has_a_factor_or_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.rxcui} {self.name}"


class NdcCode(models.Model):
    """A National Drug Code of eleven digits and the RxNorm code it means in a release. Append-only."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {"id", "release", "ndc", "rxcui"}

    release = models.ForeignKey(FormularyRelease, on_delete=models.PROTECT, related_name="ndc_codes")
    ndc = models.CharField(max_length=11)
    rxcui = models.CharField(max_length=8)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["release", "ndc", "rxcui"], name="ndc_meaning_once_per_release")]

    def __str__(self) -> str:
        return f"{self.ndc} {self.rxcui}"
