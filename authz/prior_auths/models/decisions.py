"""What was decided, line by line, and the right that a favourable decision creates."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from authz.ids import new_id
from authz.prior_auths.determination import (
    BY_LAW,
    EXTERNAL,
    HUMAN_ONLY,
    Basis,
    Outcome,
    Reason,
    SecondFinding,
    outcome_of,
)
from authz.prior_auths.models.requests import PriorAuth

_BY_LAW = sorted(outcome.value for outcome in BY_LAW)
_EXTERNAL = sorted(outcome.value for outcome in EXTERNAL)
_BY_PEOPLE = sorted(outcome.value for outcome in frozenset(Outcome) - BY_LAW)


class Determination(models.Model):
    """What was decided, and on what basis. Append-only; a later one supersedes.

    What an independent reviewer decided supersedes it as one of that basis, once it was forwarded. Other than that,
    triggers refuse a denial or a partial approval unless an active physician or appeal reviewer of the insurer stands
    behind it with a licence of their own, of a profession that may deny the request, valid on that day in the request's
    calendar; one that leaves out a line or misstates what was asked; and one of what is not open, or dated before it
    was. `due_at` is by when it was due, as computed then; `trace` is what a rule that approved was shown, criterion by
    criterion; `formulary_version` is the formulary that answered then, by which another product is granted and named,
    empty before it was kept.
    """

    PHI: ClassVar[set[str]] = {"reason_text", "criterion", "would_change", "trace"}
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "prior_auth", "supersedes", "outcome", "decided_at", "decided_by", "licence", "reason_code",
        "policy", "policy_version", "formulary_version", "was_late", "basis", "due_at", "is_sampled",
    }  # fmt: skip

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    prior_auth = models.ForeignKey(PriorAuth, on_delete=models.PROTECT, related_name="determinations")
    supersedes = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="superseded_by")
    outcome = models.CharField(max_length=20, choices=[(outcome.value, outcome.value) for outcome in Outcome])
    basis = models.CharField(
        max_length=10, choices=[(basis.value, basis.value) for basis in Basis], default=Basis.PERSON.value
    )
    decided_at = models.DateTimeField()
    decided_by = models.ForeignKey("authz.Person", on_delete=models.PROTECT, null=True, related_name="+")
    licence = models.ForeignKey("authz.Licence", on_delete=models.PROTECT, null=True, related_name="+")
    reason_code = models.CharField(max_length=40)
    reason_text = models.CharField(max_length=2000)
    criterion = models.CharField(max_length=500)
    would_change = models.CharField(max_length=1000, blank=True)
    trace = models.JSONField(null=True)
    is_sampled = models.BooleanField(default=False, help_text="Whether a person is to read it a second time.")
    due_at = models.DateTimeField(null=True)
    policy = models.CharField(max_length=60)
    policy_version = models.CharField(max_length=20)
    formulary_version = models.CharField(max_length=60, blank=True, db_default="")
    was_late = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["prior_auth"], condition=Q(supersedes=None), name="one_first_determination_of_a_request"
            ),
            models.CheckConstraint(
                name="people_decide_or_a_rule_approves_or_the_law_does",
                condition=Q(basis=Basis.PERSON.value, decided_by__isnull=False, outcome__in=_BY_PEOPLE)
                | Q(basis=Basis.RULE.value, decided_by=None, licence=None, outcome=Outcome.APPROVED.value)
                | Q(basis=Basis.LAW.value, decided_by=None, licence=None, outcome__in=_BY_LAW)
                | Q(basis=Basis.EXTERNAL.value, decided_by=None, licence=None, outcome__in=_EXTERNAL),
            ),
            models.CheckConstraint(
                name="the_law_decides_only_once_the_time_is_over",
                condition=~Q(basis=Basis.LAW.value) | Q(due_at__isnull=False, due_at__lt=F("decided_at")),
            ),
            models.CheckConstraint(
                name="a_rule_shows_what_it_was_shown",
                condition=~Q(basis=Basis.RULE.value) | Q(trace__isnull=False),
            ),
            models.CheckConstraint(
                name="only_a_licensed_human_denies",
                condition=~Q(outcome__in=sorted(outcome.value for outcome in HUMAN_ONLY))
                | Q(decided_by__isnull=False, licence__isnull=False)
                | Q(basis=Basis.EXTERNAL.value),
            ),
            models.CheckConstraint(
                name="adverse_determinations_say_why",
                condition=~Q(outcome__in=sorted(outcome.value for outcome in HUMAN_ONLY))
                | (~Q(reason_code="") & ~Q(reason_text="") & ~Q(criterion="")),
            ),
        ]


def _no_more(what: str) -> Q:
    granted, asked = f"granted_{what}", f"asked_{what}"
    return Q(**{granted: None}) | Q(**{asked: None}) | Q(**{f"{granted}__lte": F(asked)})


class DeterminationLine(models.Model):
    """Asked and granted, side by side. Granted never exceeds asked; the database holds it. Append-only.

    What it says of a reason is the line's own, and empty where the determination's holds.
    """

    PHI: ClassVar[set[str]] = {
        "rxcui", "asked_quantity", "asked_days", "asked_daily_units", "asked_refills", "asked_from", "asked_until",
        "granted_rxcui", "granted_quantity", "granted_days", "granted_daily_units", "granted_refills", "starts_on",
        "ends_on", "reason_text", "criterion", "would_change",
    }  # fmt: skip
    PLAIN: ClassVar[set[str]] = {"id", "determination", "line", "reason_code"}

    determination = models.ForeignKey(Determination, on_delete=models.PROTECT, related_name="lines")
    line = models.PositiveSmallIntegerField()
    rxcui = models.CharField(max_length=8)
    asked_quantity = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    asked_days = models.PositiveIntegerField()
    asked_daily_units = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    asked_refills = models.PositiveSmallIntegerField(null=True)
    asked_from = models.DateField(null=True)
    asked_until = models.DateField(null=True)
    granted_rxcui = models.CharField(max_length=8, blank=True)
    granted_quantity = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    granted_days = models.PositiveIntegerField()
    granted_daily_units = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    granted_refills = models.PositiveSmallIntegerField(null=True)
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    reason_code = models.CharField(max_length=40, blank=True, db_default="")
    reason_text = models.CharField(max_length=2000, blank=True, db_default="")
    criterion = models.CharField(max_length=500, blank=True, db_default="")
    would_change = models.CharField(max_length=1000, blank=True, db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["determination", "line"], name="determination_line_once"),
            models.CheckConstraint(
                name="granted_never_exceeds_asked",
                condition=Q(granted_days__lte=F("asked_days"))
                & _no_more("quantity")
                & _no_more("daily_units")
                & (Q(granted_refills=None) | Q(granted_refills__lte=Coalesce("asked_refills", 0)))
                & (Q(starts_on=None) | Q(asked_from=None) | Q(starts_on__gte=F("asked_from")))
                & (Q(ends_on=None) | Q(asked_until=None) | Q(ends_on__lte=F("asked_until"))),
            ),
            models.CheckConstraint(
                name="granted_says_how_much_when_asked_did",
                condition=Q(granted_days=0) | Q(asked_quantity=None) | Q(granted_quantity__isnull=False),
            ),
            models.CheckConstraint(
                name="a_lines_own_reason_is_whole",
                condition=Q(reason_code="", reason_text="", criterion="", would_change="")
                | (~Q(reason_code="") & ~Q(reason_text="") & ~Q(criterion="")),
            ),
        ]
        ordering = ["line"]

    @property
    def outcome(self) -> Outcome:
        """What was decided of this line by itself."""
        return outcome_of(self)

    @property
    def reason(self) -> Reason | None:
        """Why not all that was asked is granted: the line's own reason, or the determination's. None where all is."""
        if self.outcome is Outcome.APPROVED:
            return None
        said = self if self.reason_code else self.determination
        return Reason(
            code=said.reason_code, text=said.reason_text, criterion=said.criterion, would_change=said.would_change
        )


class SecondReading(models.Model):
    """What a person found of an approval by rule that was chosen to be read. Append-only; it changes no decision."""

    PHI: ClassVar[set[str]] = {"note"}
    PLAIN: ClassVar[set[str]] = {"id", "determination", "finding", "read_at", "read_by"}

    determination = models.OneToOneField(Determination, on_delete=models.PROTECT, related_name="second_reading")
    finding = models.CharField(max_length=10, choices=[(one.value, one.value) for one in SecondFinding])
    note = models.CharField(max_length=2000, blank=True)
    read_at = models.DateTimeField()
    read_by = models.ForeignKey("authz.Person", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="who_disagrees_says_why", condition=Q(finding=SecondFinding.AGREES.value) | ~Q(note="")
            )
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
