"""What was decided, line by line, and the right that a favourable decision creates."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from authz.ids import new_id
from authz.prior_auths.determination import HUMAN_ONLY, Outcome
from authz.prior_auths.models.requests import PriorAuth


class Determination(models.Model):
    """What was decided. Append-only; a later one supersedes. The database refuses an adverse one without a licence."""

    PHI: ClassVar[set[str]] = {"reason_text", "criterion"}
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "prior_auth", "supersedes", "outcome", "decided_at", "decided_by", "licence", "reason_code",
        "policy", "policy_version", "was_late",
    }  # fmt: skip

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    prior_auth = models.ForeignKey(PriorAuth, on_delete=models.PROTECT, related_name="determinations")
    supersedes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="superseded_by")
    outcome = models.CharField(max_length=20, choices=[(outcome.value, outcome.value) for outcome in Outcome])
    decided_at = models.DateTimeField()
    decided_by = models.ForeignKey("authz.Person", on_delete=models.PROTECT, null=True, related_name="+")
    licence = models.ForeignKey("authz.Licence", on_delete=models.PROTECT, null=True, related_name="+")
    reason_code = models.CharField(max_length=40)
    reason_text = models.CharField(max_length=2000)
    criterion = models.CharField(max_length=500)
    policy = models.CharField(max_length=60)
    policy_version = models.CharField(max_length=20)
    was_late = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="only_a_licensed_human_denies",
                condition=~Q(outcome__in=sorted(outcome.value for outcome in HUMAN_ONLY))
                | Q(decided_by__isnull=False, licence__isnull=False),
            ),
            models.CheckConstraint(
                name="adverse_determinations_say_why",
                condition=~Q(outcome__in=sorted(outcome.value for outcome in HUMAN_ONLY))
                | (~Q(reason_code="") & ~Q(reason_text="") & ~Q(criterion="")),
            ),
        ]


class DeterminationLine(models.Model):
    """Asked and granted, side by side. Granted never exceeds asked; the database holds it. Append-only."""

    PHI: ClassVar[set[str]] = {
        "rxcui", "asked_quantity", "asked_days", "granted_quantity", "granted_days", "starts_on", "ends_on",
    }  # fmt: skip
    PLAIN: ClassVar[set[str]] = {"id", "determination", "line"}

    determination = models.ForeignKey(Determination, on_delete=models.PROTECT, related_name="lines")
    line = models.PositiveSmallIntegerField()
    rxcui = models.CharField(max_length=8)
    asked_quantity = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    asked_days = models.PositiveIntegerField()
    granted_quantity = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    granted_days = models.PositiveIntegerField()
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["determination", "line"], name="determination_line_once"),
            models.CheckConstraint(
                name="granted_never_exceeds_asked",
                condition=Q(granted_days__lte=F("asked_days"))
                & (Q(granted_quantity=None) | Q(asked_quantity=None) | Q(granted_quantity__lte=F("asked_quantity"))),
            ),
            models.CheckConstraint(
                name="granted_says_how_much_when_asked_did",
                condition=Q(granted_days=0) | Q(asked_quantity=None) | Q(granted_quantity__isnull=False),
            ),
        ]


class Authorization(models.Model):
    """The right a favourable determination creates: both days included."""

    PHI: ClassVar[set[str]] = {"rxcui", "starts_on", "ends_on", "days_granted", "quantity_granted"}
    PLAIN: ClassVar[set[str]] = {"id", "public_id", "number", "prior_auth", "determination", "revoked_at", "opened_at"}

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    number = models.CharField(max_length=20, unique=True)
    prior_auth = models.ForeignKey(PriorAuth, on_delete=models.PROTECT, related_name="authorizations")
    determination = models.ForeignKey(Determination, on_delete=models.PROTECT, related_name="authorizations")
    rxcui = models.CharField(max_length=8)
    starts_on = models.DateField()
    ends_on = models.DateField()
    days_granted = models.PositiveIntegerField()
    quantity_granted = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    opened_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="authorization_period_runs_forward", condition=Q(ends_on__gte=F("starts_on")))
        ]
