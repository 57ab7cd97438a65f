"""An insurer's plans, each naming the policy and the regime that apply to its members, and its own policies."""

from enum import StrEnum
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from authz.ids import new_id


class Plan(models.Model):
    """`policy` and `regime` are codes: of the insurer's own policies or the catalog's, and of the catalog's regimes.

    `time_zone` is the calendar its legal days run in.
    """

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {"id", "public_id", "insurer", "code", "name", "policy", "regime", "time_zone"}

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    insurer = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="plans")
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=200)
    policy = models.CharField(max_length=60, default="default")
    regime = models.CharField(max_length=60, default="generic")
    time_zone = models.CharField(max_length=64, default="America/New_York")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["insurer", "code"], name="plan_code_once_per_insurer")]

    def __str__(self) -> str:
        return self.name


class PolicyState(StrEnum):
    """A draft can still be rewritten; an active version never; a retired one keeps the days it was in force."""

    DRAFT = "draft"
    ACTIVE = "active"
    RETIRED = "retired"


class PayerPolicy(models.Model):
    """One version of a policy that an insurer holds itself. It goes before the catalog's policy of the same code.

    `terms` are the document's parts besides its name and validity, as `authz.policies.schema` writes them.
    `retired_on` is the first day on which it no longer holds, whatever `in_force_until` (a last day) says.
    `drafts` counts how often it was written.
    """

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "insurer", "code", "version", "title", "in_force_from", "in_force_until", "terms", "state",
        "drafts", "author", "drafted_at", "activated_by", "activated_at", "retired_by", "retired_on",
    }  # fmt: skip

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    insurer = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="payer_policies")
    code = models.CharField(max_length=60)
    version = models.CharField(max_length=20)
    title = models.CharField(max_length=200)
    in_force_from = models.DateField()
    in_force_until = models.DateField(null=True)
    terms = models.JSONField()
    # Strings, not members: a member would freeze its import path into the migration.
    state = models.CharField(
        max_length=10, choices=[(state.value, state.value) for state in PolicyState], default=PolicyState.DRAFT.value
    )
    drafts = models.PositiveIntegerField(default=1)
    author = models.ForeignKey("authz.Person", on_delete=models.PROTECT, related_name="+")
    drafted_at = models.DateTimeField()
    activated_by = models.ForeignKey("authz.Person", on_delete=models.PROTECT, null=True, related_name="+")
    activated_at = models.DateTimeField(null=True)
    retired_by = models.ForeignKey("authz.Person", on_delete=models.PROTECT, null=True, related_name="+")
    retired_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["insurer", "code", "version"], name="policy_version_once_per_insurer"),
            models.CheckConstraint(
                name="policy_state_is_known", condition=Q(state__in=[state.value for state in PolicyState])
            ),
            models.CheckConstraint(
                name="policy_validity_runs_forward",
                condition=Q(in_force_until=None) | Q(in_force_until__gte=F("in_force_from")),
            ),
            models.CheckConstraint(
                name="policy_is_activated_by_somebody_else",
                condition=Q(state=PolicyState.DRAFT.value, activated_by=None, activated_at=None)
                | (
                    ~Q(state=PolicyState.DRAFT.value)
                    & Q(activated_by__isnull=False, activated_at__isnull=False)
                    & ~Q(activated_by=F("author"))
                ),
            ),
            models.CheckConstraint(
                name="policy_is_retired_by_somebody_on_a_day",
                condition=Q(
                    state=PolicyState.RETIRED.value,
                    retired_by__isnull=False,
                    retired_on__gte=F("in_force_from"),
                )
                | (~Q(state=PolicyState.RETIRED.value) & Q(retired_by=None, retired_on=None)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.version}"

    @property
    def edition(self) -> int:
        """How often it was changed: each draft is a change, and so are its activation and its retirement."""
        return self.drafts + (self.activated_at is not None) + (self.retired_on is not None)


class PayerReason(models.Model):
    """A reason for deciding against what was asked, in an insurer's own words; it goes before the shipped one."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "insurer", "code", "text", "criterion", "would_change", "recorded_at",
    }  # fmt: skip

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    insurer = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="reasons")
    code = models.CharField(max_length=40)
    text = models.CharField(max_length=2000)
    criterion = models.CharField(max_length=500)
    would_change = models.CharField(max_length=1000)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["insurer", "code"], name="payer_reason_once_per_insurer")]

    def __str__(self) -> str:
        return self.code
