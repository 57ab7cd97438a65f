"""Patients, their coverages, and orders and fills as received, in both times.

A `Prescription` or `Fill` is only an identity. What is known of it is in its versions: each carries the day it is
about (`starts_on`) and the instant we learned it (`recorded_at`). A correction, reversal or cancellation is a further
version.
"""

from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F, Q

from authz.audit.circumstances import saw, saw_part2
from authz.ids import new_id
from authz.rules.records import ExemptionCategory, RecordStatus
from authz.sealing.fields import BlindIndex, SealedText


class Patient(models.Model):
    """A human being known to one or more organizations. Who they are is in the identifiers, never in a name."""

    PHI: ClassVar[set[str]] = {"birth_date"}
    PLAIN: ClassVar[set[str]] = {"id", "public_id", "merged_into", "registered_at"}

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    birth_date = models.DateField(null=True)
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="merged_from")
    registered_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.public_id)

    @classmethod
    def from_db(cls, *loaded: Any, **options: Any) -> Self:
        """Load a patient, and have the trail know: whatever is shown of anybody begins here."""
        row = super().from_db(*loaded, **options)
        saw(row.pk, row.__dict__.get("public_id"))
        return row


class PatientIdentifier(models.Model):
    """What one organization (the assigner) calls a patient: its own number and the name it typed.

    Another organization never sees this row, so it never sees that name either. The database sees neither name nor
    number: it holds that a number is not empty by the length of what is sealed.
    """

    PHI: ClassVar[set[str]] = {"value", "value_index", "family_name", "given_name"}
    PLAIN: ClassVar[set[str]] = {"id", "patient", "assigner", "recorded_at"}

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="identifiers")
    assigner = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="+")
    value = SealedText(max_length=64)
    value_index = BlindIndex(of="value")
    family_name = SealedText(max_length=120, blank=True)
    given_name = SealedText(max_length=120, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["assigner", "value_index"], name="patient_identifier_once_per_assigner")
        ]


class IdentityQuestion(models.Model):
    """Two sets of identifiers that might be one patient. Only a person answers it; nothing is merged by itself."""

    PHI: ClassVar[set[str]] = {"reason"}
    PLAIN: ClassVar[set[str]] = {"id", "public_id", "organization", "patients", "asked_at", "answered_at", "is_same"}

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    organization = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="+")
    patients = models.ManyToManyField(Patient, related_name="+")
    reason = models.CharField(max_length=300)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    is_same = models.BooleanField(null=True)


class Coverage(models.Model):
    """A plan covering a patient from a day to a day (both included). Without a plan the payer's rule is unknown."""

    PHI: ClassVar[set[str]] = {"member_id", "member_id_index", "payer_name"}
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "patient", "plan", "starts_on", "ends_on", "priority", "organization", "recorded_at",
    }  # fmt: skip

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="coverages")
    plan = models.ForeignKey("authz.Plan", on_delete=models.PROTECT, null=True, related_name="+")
    payer_name = models.CharField(max_length=200, blank=True)
    member_id = SealedText(max_length=64)
    member_id_index = BlindIndex(of="member_id")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True)
    priority = models.PositiveSmallIntegerField(default=1, help_text="1 is billed first.")
    organization = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "plan", "payer_name", "member_id_index", "starts_on"],
                name="coverage_recorded_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="coverage_period_runs_forward", condition=Q(ends_on=None) | Q(ends_on__gte=F("starts_on"))
            ),
            models.CheckConstraint(
                name="coverage_names_a_plan_or_a_payer", condition=Q(plan__isnull=False) | ~Q(payer_name="")
            ),
        ]


class Prescriber(models.Model):
    """A clinician who writes prescriptions, known by NPI. `person` is the same human's log-in, if there is one."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {"id", "public_id", "npi", "family_name", "given_name", "person", "organizations"}

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    npi = models.CharField(max_length=10, unique=True)
    family_name = models.CharField(max_length=120)
    given_name = models.CharField(max_length=120)
    person = models.OneToOneField("authz.Person", on_delete=models.PROTECT, null=True, related_name="prescriber")
    organizations = models.ManyToManyField("authz.Organization", related_name="prescribers")

    def __str__(self) -> str:
        return f"{self.given_name} {self.family_name}"


class Identified(models.Model):
    """What an order and a fill share: whose record it is, about whom, under which number of theirs."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="%(class)ss")
    organization = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="+")
    identifier = models.CharField(max_length=100)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.public_id)


class Version(models.Model):
    """One state of knowledge about an order or a fill. Added, never changed: a trigger refuses UPDATE and DELETE."""

    version = models.PositiveIntegerField()
    status = models.CharField(max_length=20, choices=[(status.value, status.value) for status in RecordStatus])
    starts_on = models.DateField(help_text="The day dispensed or written, in the pharmacy's or clinic's own calendar.")
    rxcui = models.CharField(max_length=8)
    product_name = models.CharField(max_length=300, blank=True)
    quantity = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    days_supply = models.IntegerField(null=True)
    daily_units = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    prescriber = models.ForeignKey(Prescriber, on_delete=models.PROTECT, null=True, related_name="+")
    recorded_at = models.DateTimeField()
    recorded_on = models.DateField(help_text="The day we learned it, in the clinic's calendar.")
    source_updated_at = models.DateTimeField(null=True, help_text="When the sender says it last changed.")
    is_part2 = models.BooleanField(
        default=False, db_default=False, help_text="It comes from a program under 42 CFR Part 2."
    )

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, *loaded: Any, **options: Any) -> Self:
        """Load a version, and have the notice go with what it is shown in."""
        row = super().from_db(*loaded, **options)
        if row.__dict__.get("is_part2"):
            saw_part2()
        return row


_VERSION_PHI = {"starts_on", "rxcui", "product_name", "quantity", "days_supply", "daily_units", "status", "is_part2"}
_VERSION_PLAIN = {"id", "version", "prescriber", "recorded_at", "recorded_on", "source_updated_at"}


class Prescription(Identified):
    """A written order."""

    PHI: ClassVar[set[str]] = {"identifier"}
    PLAIN: ClassVar[set[str]] = {"id", "public_id", "patient", "organization"}

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "identifier"], name="prescription_once_per_organization")
        ]


class PrescriptionVersion(Version):
    PHI: ClassVar[set[str]] = _VERSION_PHI | {"refills", "directions"}
    PLAIN: ClassVar[set[str]] = _VERSION_PLAIN | {"prescription"}

    prescription = models.ForeignKey(Prescription, on_delete=models.PROTECT, related_name="versions")
    refills = models.PositiveSmallIntegerField(null=True)
    directions = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["prescription", "version"], name="prescription_version_once")]


class Fill(Identified):
    """A dispensing."""

    PHI: ClassVar[set[str]] = {"identifier"}
    PLAIN: ClassVar[set[str]] = {"id", "public_id", "patient", "organization"}

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "identifier"], name="fill_once_per_organization")
        ]


class FillVersion(Version):
    """`rx_number` is the pharmacy's prescription number, which lets two feeds of one fill be recognised."""

    PHI: ClassVar[set[str]] = _VERSION_PHI | {"fill_number", "rx_number"}
    PLAIN: ClassVar[set[str]] = _VERSION_PLAIN | {"fill", "prescription"}

    fill = models.ForeignKey(Fill, on_delete=models.PROTECT, related_name="versions")
    prescription = models.ForeignKey(Prescription, on_delete=models.PROTECT, null=True, related_name="+")
    rx_number = models.CharField(max_length=100, blank=True)
    fill_number = models.PositiveSmallIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["fill", "version"], name="fill_version_once")]


class Exemption(models.Model):
    """A reason why a patient's use needs no approval, from a day to a day (both included), with its evidence."""

    PHI: ClassVar[set[str]] = {"category", "starts_on", "ends_on", "evidence"}
    PLAIN: ClassVar[set[str]] = {"id", "public_id", "patient", "organization", "recorded_at", "withdrawn_at"}

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="exemptions")
    organization = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="+")
    category = models.CharField(
        max_length=20, choices=[(category.value, category.value) for category in ExemptionCategory]
    )
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    evidence = models.CharField(max_length=500)
    recorded_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="exemption_period_runs_forward",
                condition=Q(ends_on=None) | Q(starts_on=None) | Q(ends_on__gte=F("starts_on")),
            ),
            models.CheckConstraint(name="exemption_has_evidence", condition=~Q(evidence="")),
        ]
