"""Organizations, the people in them, their licences, and the machines that act for them."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from authz.access.contact import LONGEST_ADDRESS, LONGEST_HOURS, LONGEST_NUMBER, Contact
from authz.access.machines.scopes import EVERYTHING
from authz.access.roles import OrganizationKind, Profession, Role
from authz.access.specialties import specialty_of
from authz.ids import new_id


def everything() -> list[str]:
    """Return every scope there is: a client without narrower ones may all that its roles allow."""
    return list(EVERYTHING)


class CurrentTenant(models.Func):
    """In whose name the row is written, as PostgreSQL knows it; nobody's where it is written in everybody's."""

    function = "authz_tenant"
    arity = 0
    output_field = models.BigIntegerField(null=True)


class WrittenFor(models.Model):
    """A row that belongs to whoever wrote it until another row refers to it: row-level security goes by `tenant`."""

    tenant = models.BigIntegerField(null=True, editable=False, db_default=CurrentTenant())

    class Meta:
        abstract = True


class Organization(models.Model):
    """A tenant: a clinic or an insurer. `time_zone` (IANA name) is the calendar its days are read in.

    How an insurer is reached is empty until its administrator has said it.
    """

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "kind", "name", "time_zone", "identifier_system", "has_pain_signal",
        "postal_address", "phone", "fax", "hours",
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
    postal_address = models.CharField(max_length=LONGEST_ADDRESS, blank=True, db_default="")
    phone = models.CharField(max_length=LONGEST_NUMBER, blank=True, db_default="")
    fax = models.CharField(max_length=LONGEST_NUMBER, blank=True, db_default="")
    hours = models.CharField(max_length=LONGEST_HOURS, blank=True, db_default="", help_text="When calls are answered.")

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
            models.CheckConstraint(
                name="an_insurer_is_reached_by_post_and_by_phone",
                condition=Q(postal_address="", phone="", fax="", hours="")
                | (Q(kind=OrganizationKind.INSURER.value) & ~Q(postal_address="") & ~Q(phone="")),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def contact(self) -> Contact | None:
        """How it is reached; None until that was said."""
        if not self.phone:
            return None
        return Contact(postal_address=self.postal_address, phone=self.phone, fax=self.fax, hours=self.hours)


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
    """A clinician's licence. Without one valid at that instant nobody can deny; the database checks it.

    Once somebody decided by it a trigger lets only its period change, and never so that it was not valid on that day.
    `specialty` is one that policies can name, as `Specialty` has it, or in any words another, which none can.
    """

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id",
        "public_id",
        "person",
        "number",
        "state",
        "profession",
        "specialty",
        "valid_from",
        "valid_until",
    }

    public_id = models.UUIDField(default=new_id, db_default=RandomUUID(), unique=True, editable=False)
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

    @property
    def specialty_words(self) -> str:
        """The specialty as people read it."""
        known = specialty_of(self.specialty)
        return known.words.capitalize() if known else self.specialty


class ApiClient(models.Model):
    """A machine that acts for one organization in fixed roles, narrowed by the `scopes` it was granted.

    It proves who it is in one way: by keys of its own, given inline or fetched from an address, or by a secret, of
    which only a hash is kept. The secret before holds until `previous_secret_until`.
    """

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "organization", "name", "roles", "scopes", "is_active", "registered_at", "requests_a_minute",
        "secret_sha256", "previous_secret_sha256", "previous_secret_until",
        "jwks", "jwks_url", "fetched_jwks", "fetched_at", "asked_at",
    }  # fmt: skip

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="api_clients")
    name = models.CharField(max_length=100)
    roles = models.JSONField(default=list)
    scopes = models.JSONField(default=everything)
    is_active = models.BooleanField(default=True)
    registered_at = models.DateTimeField(null=True)
    requests_a_minute = models.PositiveIntegerField(null=True, help_text="Null: as many as the deployment allows.")
    secret_sha256 = models.CharField(max_length=64, blank=True)
    previous_secret_sha256 = models.CharField(max_length=64, blank=True)
    previous_secret_until = models.DateTimeField(null=True)
    jwks = models.JSONField(null=True)
    jwks_url = models.CharField(max_length=500, blank=True)
    fetched_jwks = models.JSONField(null=True)
    fetched_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True, help_text="When its keys were last asked for, whatever was answered.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="client_proves_itself_in_one_way",
                condition=(Q(jwks=None, jwks_url="") & ~Q(secret_sha256=""))
                | (Q(jwks=None, secret_sha256="") & ~Q(jwks_url=""))
                | Q(jwks__isnull=False, jwks_url="", secret_sha256=""),
            ),
            models.CheckConstraint(
                name="previous_secret_has_an_end",
                condition=Q(previous_secret_sha256="", previous_secret_until=None)
                | (Q(previous_secret_until__isnull=False) & ~Q(previous_secret_sha256="")),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def has_keys(self) -> bool:
        return self.jwks is not None or bool(self.jwks_url)


class SeenAssertion(models.Model):
    """An assertion a client has used. It is refused when it comes again, until it would be refused as expired."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {"id", "client", "jti_sha256", "expires_at"}

    client = models.ForeignKey(ApiClient, on_delete=models.PROTECT, related_name="+")
    jti_sha256 = models.CharField(max_length=64)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "jti_sha256"], name="assertion_is_used_once")]


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
        "scopes",
    }

    key_sha256 = models.CharField(max_length=64, unique=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    client = models.ForeignKey(ApiClient, on_delete=models.PROTECT, null=True, related_name="+")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    scopes = models.JSONField(null=True, help_text="Of a client's token; a person's is not narrowed.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="token_stands_for_exactly_one",
                condition=Q(person__isnull=False, client__isnull=True) | Q(person__isnull=True, client__isnull=False),
            )
        ]
