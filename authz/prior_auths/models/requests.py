"""The request: the evaluation it rests on, what it asks for, its events, and what the insurer asked about it."""

from typing import Any, ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from authz.access.roles import Role
from authz.audit.circumstances import saw, saw_part2
from authz.ids import new_id
from authz.outbox.models import Leased
from authz.policies.history import Kind
from authz.policies.regime import Denier
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.lifecycle import ACTIVE, UNDECIDED, State
from authz.prior_auths.models.events import StepTaken
from authz.prior_auths.new_fact import NewFact
from authz.sealing.fields import SealedJson

ANSWERING = (Role.STAFF, Role.PRESCRIBER)
"""Whose it can be to answer the insurer."""


# In the order of the review queue: see MOST_PRESSING there.
_TURN = (F("insurer"), Coalesce("due_at", "reopened_at"), F("runs_out_on"), F("id"))


def _choices(values: type[State] | type[Urgency] | type[Denier]) -> list[tuple[str, str]]:
    return [(value.value, value.value) for value in values]


class Evaluation(models.Model):
    """One answer of the rule: for whom, as of when, under which policy, with everything needed to check it again.

    `inputs` is all that the rule read, in the form of `authz.prior_auths.evaluations`; its hash is `inputs_sha256`.
    """

    PHI: ClassVar[set[str]] = {"inputs", "verdict", "is_required"}
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "patient", "plan", "as_of", "evaluated_at", "policy", "policy_version", "rule_version",
        "formulary_version", "inputs_sha256", "attention_count",
    }  # fmt: skip

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    patient = models.ForeignKey("authz.Patient", on_delete=models.PROTECT, related_name="evaluations")
    plan = models.ForeignKey("authz.Plan", on_delete=models.PROTECT, null=True, related_name="+")
    as_of = models.DateField()
    evaluated_at = models.DateTimeField()
    policy = models.CharField(max_length=60)
    policy_version = models.CharField(max_length=20)
    rule_version = models.CharField(max_length=20)
    formulary_version = models.CharField(max_length=60)
    inputs = models.JSONField()
    inputs_sha256 = models.CharField(max_length=64)
    is_required = models.BooleanField()
    attention_count = models.PositiveIntegerField(default=0)
    verdict = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["patient", "-evaluated_at"], name="evaluation_latest")]


class Recheck(Leased):
    """A patient whose requests are to be brought into line again, though nobody recorded anything of them.

    Asked for again while one waits, it is still one; asked for again while one is under way, it is done once more.
    """

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id", "patient", "asked_at", "due_at", "attempts", "done_at", "dead_at", "last_error",
    }  # fmt: skip
    SETTLED = "done_at"

    patient = models.ForeignKey("authz.Patient", on_delete=models.PROTECT, related_name="rechecks")
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient"],
                condition=Q(attempts=0, done_at=None, dead_at=None),
                name="one_waiting_recheck_a_patient",
            )
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], name="recheck_waiting", condition=Q(done_at=None, dead_at=None))
        ]

    def __str__(self) -> str:
        return f"recheck {self.pk}"


class PriorAuth(models.Model):
    """A request for prior authorization. `version` counts its changes and is its ETag.

    `episode_anchor` is the first order or fill of the episode when the request was opened; `record_ids` are all the
    episode's orders and fills seen so far, by which a recomputed episode is recognised. `regime`, `regime_version` and
    `time_zone` are what its clocks run on: the plan's, until it is submitted, and from then on those of that day.
    `denied_by` is what the regime says of who may deny, by which the database holds whoever does to it.
    `urgency` is what it is now: asked for with the request or later, until it is refused.
    `decider_specialties` are those of which a licence must be to decide against it, by the policy that it was submitted
    under; without any a licence of whatever specialty does.
    `is_part2` says that something it rests on, or a document with it, is or was under 42 CFR Part 2.
    `reason` is why people opened it; empty when the rule did. `new_fact` is what they stated to be new since the same
    was decided against. `duplicate_of` is proposed by the service and holds once
    somebody links the two.
    """

    PHI: ClassVar[set[str]] = {
        "explanation", "pa_required_from", "runs_out_on", "is_dispensed", "run_out_told", "covered_days", "packet",
        "reason", "new_fact", "is_part2",
    }  # fmt: skip
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "number", "patient", "coverage", "clinic", "insurer", "prescriber", "state", "version",
        "urgency", "episode_anchor", "record_ids", "evaluation", "answers", "opened_at", "touched_by_human_at",
        "need_in_doubt_at", "submitted_at", "decided_at", "reviewer", "leased_until", "policy", "policy_version",
        "regime", "regime_version", "denied_by", "time_zone", "packet_sha256", "is_payer_rule_unknown", "duplicate_of",
        "reopened_at", "screened_at", "due_at", "renews", "new_fact_kind", "assignee", "decider_specialties",
    }  # fmt: skip
    LONG: ClassVar[tuple[str, ...]] = ("explanation", "packet")
    """What most steps do not read, and takes as long to load as all the rest; deferred, it is loaded when read."""

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    number = models.CharField(max_length=20)
    patient = models.ForeignKey("authz.Patient", on_delete=models.PROTECT, related_name="prior_auths")
    coverage = models.ForeignKey("authz.Coverage", on_delete=models.PROTECT, null=True, related_name="prior_auths")
    # Every step writes every index anew, so there are no more than are read: the worklist's begins with the clinic.
    clinic = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="+", db_index=False)
    insurer = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, null=True, related_name="+")
    prescriber = models.ForeignKey("authz.Prescriber", on_delete=models.PROTECT, null=True, related_name="+")
    assignee = models.ForeignKey(
        "authz.Person",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="Who of the clinic works on it.",
    )
    state = models.CharField(max_length=20, choices=_choices(State))
    version = models.PositiveIntegerField(default=0)
    urgency = models.CharField(max_length=10, choices=_choices(Urgency), default=Urgency.STANDARD.value)
    reason = models.CharField(max_length=500, blank=True)
    new_fact_kind = models.CharField(max_length=30, blank=True, choices=[(kind.value, kind.value) for kind in NewFact])
    new_fact = models.CharField(max_length=1000, blank=True)

    episode_anchor = models.UUIDField()
    record_ids = ArrayField(models.UUIDField())
    pa_required_from = models.DateField()
    runs_out_on = models.DateField(help_text="While nothing was dispensed, the day before the use begins.")
    is_dispensed = models.BooleanField(default=True, db_default=True, help_text="Whether anything of its use was.")
    run_out_told = models.DateField(null=True, help_text="The run-out that both sides were told of.")
    covered_days = models.PositiveIntegerField(default=0, help_text="The episode's covered days when last looked at.")
    evaluation = models.ForeignKey(Evaluation, on_delete=models.PROTECT, related_name="+", db_index=False)
    policy = models.CharField(max_length=60)
    policy_version = models.CharField(max_length=20)
    decider_specialties = ArrayField(models.CharField(max_length=40), default=list, db_default=[])
    regime = models.CharField(max_length=60)
    regime_version = models.CharField(max_length=20)
    denied_by = models.CharField(
        max_length=30, choices=_choices(Denier), default=Denier.PHYSICIAN.value, db_default=Denier.PHYSICIAN.value
    )
    time_zone = models.CharField(max_length=64)
    is_payer_rule_unknown = models.BooleanField(default=False)
    explanation = models.JSONField()
    is_part2 = models.BooleanField(default=False, db_default=False)

    # Its index is what row-level security finds the request of a sheet by.
    answers = models.ForeignKey("authz.AnswerSheet", on_delete=models.PROTECT, null=True, related_name="+")
    packet = SealedJson(null=True)
    packet_sha256 = models.CharField(max_length=64, blank=True)

    opened_at = models.DateTimeField()
    touched_by_human_at = models.DateTimeField(null=True)
    need_in_doubt_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(
        null=True, help_text="Derived at each step, to order and find requests by; the clocks themselves are computed."
    )
    decided_at = models.DateTimeField(null=True)
    screened_at = models.DateTimeField(null=True, help_text="When it was looked at for an approval by rule.")
    reopened_at = models.DateTimeField(null=True)
    renews = models.OneToOneField("authz.Authorization", on_delete=models.PROTECT, null=True, related_name="renewal")
    duplicate_of = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="duplicates")
    reviewer = models.ForeignKey("authz.Person", on_delete=models.PROTECT, null=True, related_name="+")
    leased_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # Not `unique` on the field, which would bring a second index for searches by pattern that nobody makes.
            models.UniqueConstraint(fields=["number"], name="prior_auth_number_once"),
            models.UniqueConstraint(
                fields=["patient", "coverage", "episode_anchor"],
                condition=Q(state__in=sorted(state.value for state in ACTIVE)),
                name="one_active_request_per_episode",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="submitted_requests_have_an_insurer_and_a_packet",
                condition=Q(submitted_at=None)
                | (Q(insurer__isnull=False, packet__isnull=False) & ~Q(packet_sha256="")),
            ),
            models.CheckConstraint(
                name="decided_requests_know_when",
                condition=~Q(state=State.DECIDED.value) | Q(decided_at__isnull=False),
            ),
            models.CheckConstraint(
                name="duplicates_name_the_survivor",
                condition=~Q(state=State.DUPLICATE.value) | Q(duplicate_of__isnull=False),
            ),
            models.CheckConstraint(
                name="a_new_fact_has_its_kind",
                condition=Q(new_fact="", new_fact_kind="") | (~Q(new_fact="") & ~Q(new_fact_kind="")),
            ),
            models.CheckConstraint(name="nothing_duplicates_itself", condition=~Q(duplicate_of=F("id"))),
        ]
        indexes = [
            models.Index(
                *_TURN,
                condition=Q(state__in=sorted(state.value for state in UNDECIDED)),
                name="prior_auth_review_queue",
            ),
            # One for each of the two states to claim from: in one over both, what is in review would stand at the head.
            models.Index(
                *_TURN,
                condition=Q(state=State.QUEUED.value),
                name="prior_auth_next_in_queue",
            ),
            models.Index(
                *_TURN,
                condition=Q(state=State.CLINICAL_REVIEW.value),
                name="prior_auth_next_for_physician",
            ),
            # What is open, in the order of the worklist, with all that its cards count; and the rest of a clinic's.
            models.Index(
                fields=["clinic", "runs_out_on", "id"],
                include=["state", "due_at"],
                condition=Q(state__in=sorted(state.value for state in ACTIVE)),
                name="prior_auth_worklist",
            ),
            models.Index(fields=["clinic", "decided_at"], name="prior_auth_of_clinic"),
        ]

    def __str__(self) -> str:
        return self.number

    @classmethod
    def from_db(cls, *loaded: Any, **options: Any) -> Self:
        """Load a request, and have the trail know whose it is: it can be told of without loading the patient."""
        row = super().from_db(*loaded, **options)
        if "patient_id" in row.__dict__:
            saw(row.patient_id)
        if row.__dict__.get("is_part2"):
            saw_part2()
        return row


class Breach(models.Model):
    """One clock of a request, or of an appeal of its decision, that was missed, noted once."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {"id", "prior_auth", "appeal", "kind", "due_at", "noted_at"}

    prior_auth = models.ForeignKey(PriorAuth, on_delete=models.PROTECT, related_name="breaches")
    appeal = models.ForeignKey("authz.Appeal", on_delete=models.PROTECT, null=True, related_name="breaches")
    kind = models.CharField(max_length=30, choices=[(kind.value, kind.value) for kind in Kind])
    due_at = models.DateTimeField()
    noted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["prior_auth", "appeal", "kind"], name="breach_noted_once_per_clock", nulls_distinct=False
            ),
            models.CheckConstraint(name="nothing_is_missed_before_it_is_due", condition=Q(noted_at__gt=F("due_at"))),
        ]


class RequestedLine(models.Model):
    """What is asked for: one product. A request asks for what its trigger record dispenses or orders."""

    PHI: ClassVar[set[str]] = {
        "rxcui", "product_name", "quantity", "days_supply", "daily_units", "refills", "starts_on", "ends_on",
    }  # fmt: skip
    PLAIN: ClassVar[set[str]] = {"id", "prior_auth", "line"}

    prior_auth = models.ForeignKey(PriorAuth, on_delete=models.PROTECT, related_name="lines")
    line = models.PositiveSmallIntegerField(default=1)
    rxcui = models.CharField(max_length=8)
    product_name = models.CharField(max_length=300)
    quantity = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    days_supply = models.PositiveIntegerField()
    daily_units = models.DecimalField(max_digits=18, decimal_places=4, null=True)
    refills = models.PositiveSmallIntegerField(null=True)
    starts_on = models.DateField()
    ends_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["prior_auth", "line"], name="requested_line_once"),
            models.CheckConstraint(name="requested_period_runs_forward", condition=Q(ends_on__gte=F("starts_on"))),
        ]
        ordering = ["line"]

    @property
    def days_with_refills(self) -> int:
        """Return how many days it asks for in all, when every refill is fetched."""
        return self.days_supply * (1 + (self.refills or 0))


class Event(StepTaken):
    """One step taken on a request."""

    PHI: ClassVar[set[str]] = StepTaken.PHI
    PLAIN: ClassVar[set[str]] = StepTaken.PLAIN | {"prior_auth"}

    prior_auth = models.ForeignKey(PriorAuth, on_delete=models.PROTECT, related_name="events")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["prior_auth", "sequence"], name="event_sequence_once")]
        ordering = ["sequence"]


class InformationRequest(models.Model):
    """One question of the insurer to the clinic, and its answer: whose it is to answer, and by when it is wanted.

    `documents` go with the answer: the insurer has them once it is given.
    """

    PHI: ClassVar[set[str]] = {"question", "answer"}
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "prior_auth", "asked_at", "asked_by", "owner", "reply_by", "answered_at", "answered_by",
        "documents",
    }  # fmt: skip

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    prior_auth = models.ForeignKey(PriorAuth, on_delete=models.PROTECT, related_name="information_requests")
    question = models.CharField(max_length=1000)
    asked_at = models.DateTimeField()
    asked_by = models.ForeignKey("authz.Person", on_delete=models.PROTECT, related_name="+")
    owner = models.CharField(
        max_length=20, choices=[(role.value, role.value) for role in ANSWERING], default=Role.STAFF.value
    )
    reply_by = models.DateTimeField(null=True)
    answer = models.CharField(max_length=4000, blank=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey("authz.Person", on_delete=models.PROTECT, null=True, related_name="+")
    documents = models.ManyToManyField("authz.Attachment", related_name="information_requests")

    class Meta:
        ordering = ["id"]
