"""Organizations, the people in them, their licences, and the machines that act for them."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from authz.access.roles import OrganizationKind, Profession, Role
from authz.ids import new_id


class Organization(models.Model):
    """A tenant: a clinic or an insurer. `time_zone` (IANA name) is the calendar its days are read in."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "kind", "name", "time_zone", "identifier_system", "has_pain_signal",
    }  # fmt: skip

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    # Strings, not enum members: a member would freeze its import path into the migration.
    kind = models.CharField(max_length=10, choices=[(kind.value, kind.value) for kind in OrganizationKind])
    name = models.CharField(max_length=200, unique=True)
    time_zone = models.CharField(max_length=64, default="America/New_York")
    identifier_system = models.CharField(
        max_length=255, blank=True, help_text="The FHIR identifier system under which it numbers patients."
    )
    has_pain_signal = models.BooleanField(default=False, help_text="Whether its prescribers want the pain signal.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="organization_is_clinic_or_insurer",
                condition=Q(kind__in=[OrganizationKind.CLINIC.value, OrganizationKind.INSURER.value]),
            ),
            models.CheckConstraint(
                name="only_a_clinic_has_a_pain_signal",
                condition=Q(has_pain_signal=False) | Q(kind=OrganizationKind.CLINIC.value),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class People(BaseUserManager["Person"]):
    def get_by_natural_key(self, username: str | None) -> "Person":
        return self.get(email=(username or "").lower())


class Person(AbstractBaseUser):
    """Someone who logs in. What they may do is in their memberships, never on the person."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id",
        "public_id",
        "email",
        "full_name",
        "is_active",
        "time_zone",
        "password",
        "last_login",
    }

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    full_name = models.CharField(max_length=200)
    time_zone = models.CharField(max_length=64, default="America/New_York")
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]
    objects = People()

    class Meta:
        constraints = [models.CheckConstraint(name="person_email_is_lower_case", condition=Q(email=Lower("email")))]

    def __str__(self) -> str:
        return self.full_name


class Membership(models.Model):
    """One role of one person in one organization."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {"id", "person", "organization", "role"}

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="memberships")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20, choices=[(role.value, role.value) for role in Role])

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "organization", "role"], name="membership_role_once"),
            models.CheckConstraint(name="membership_is_never_system", condition=~Q(role=Role.SYSTEM.value)),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.person_id} in {self.organization_id}"


class ReportingLine(models.Model):
    """Whom a person reports to in an organization. Who is subordinate to a decider does not decide the appeal."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {"id", "organization", "person", "superior"}

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    superior = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "person"], name="one_superior_in_an_organization"),
            models.CheckConstraint(name="nobody_reports_to_themselves", condition=~Q(person=F("superior"))),
        ]


class Licence(models.Model):
    """A clinician's licence. Without one valid at that instant nobody can deny; the database checks it."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id",
        "person",
        "number",
        "state",
        "profession",
        "specialty",
        "valid_from",
        "valid_until",
    }

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="licences")
    number = models.CharField(max_length=40)
    state = models.CharField(max_length=2, help_text="Two-letter code of the licensing state.")
    profession = models.CharField(
        max_length=20,
        choices=[(profession.value, profession.value) for profession in Profession],
        default=Profession.PHYSICIAN.value,
    )
    specialty = models.CharField(max_length=80)
    valid_from = models.DateField()
    valid_until = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["state", "number"], name="licence_number_once_per_state"),
            models.CheckConstraint(
                name="licence_profession_is_known",
                condition=Q(profession__in=sorted(profession.value for profession in Profession)),
            ),
            models.CheckConstraint(name="licence_period_runs_forward", condition=Q(valid_until__gte=F("valid_from"))),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.number}"


class ApiClient(models.Model):
    """A machine that acts for one organization in fixed roles. Only a hash of its secret is kept."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {"id", "public_id", "organization", "name", "roles", "secret_sha256", "is_active"}

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="api_clients")
    name = models.CharField(max_length=100)
    roles = models.JSONField(default=list)
    secret_sha256 = models.CharField(max_length=64)
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return self.name


class AccessToken(models.Model):
    """A bearer token, kept as a hash. It stands for a person in one organization, or for an API client."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id",
        "key_sha256",
        "person",
        "client",
        "organization",
        "issued_at",
        "expires_at",
        "revoked_at",
    }

    key_sha256 = models.CharField(max_length=64, unique=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    client = models.ForeignKey(ApiClient, on_delete=models.PROTECT, null=True, related_name="+")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="token_stands_for_exactly_one",
                condition=Q(person__isnull=False, client__isnull=True) | Q(person__isnull=True, client__isnull=False),
            )
        ]
