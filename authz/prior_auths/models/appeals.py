"""What came after an adverse decision: the appeal, its events, and what was decided on it."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from authz.ids import new_id
from authz.prior_auths.appeal_lifecycle import AGAINST, UNDECIDED, UNHEARD, AppealOutcome, AppealState
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.models.decisions import Determination
from authz.prior_auths.models.events import StepTaken
from authz.prior_auths.models.requests import PriorAuth


class Appeal(models.Model):
    """An appeal of one adverse determination. `version` counts its changes and is its ETag.

    `was_late` says that it was filed after the last day, for the `good_cause` that was stated. A trigger holds that
    what is appealed is an adverse determination of the same request, and that neither is ever exchanged. `documents`
    are what the clinic sent in with it, each in the insurer's hands from then on.
    """

    PHI: ClassVar[set[str]] = {"reason", "good_cause"}
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "prior_auth", "determination", "state", "version", "urgency", "was_late", "filed_at",
        "due_at", "reviewer", "leased_until", "documents",
    }  # fmt: skip

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    prior_auth = models.ForeignKey(PriorAuth, on_delete=models.PROTECT, related_name="appeals")
    determination = models.ForeignKey(Determination, on_delete=models.PROTECT, related_name="appeals")
    state = models.CharField(max_length=20, choices=[(state.value, state.value) for state in AppealState])
    version = models.PositiveIntegerField(default=0)
    urgency = models.CharField(max_length=10, choices=[(urgency.value, urgency.value) for urgency in Urgency])
    reason = models.CharField(max_length=2000)
    good_cause = models.CharField(max_length=2000, blank=True)
    was_late = models.BooleanField()
    filed_at = models.DateTimeField()
    due_at = models.DateTimeField(
        null=True, help_text="Derived at each step, to order and find appeals by; the clocks themselves are computed."
    )
    reviewer = models.ForeignKey("authz.Person", on_delete=models.PROTECT, null=True, related_name="+")
    leased_until = models.DateTimeField(null=True)
    documents = models.ManyToManyField("authz.Attachment", related_name="appeals")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["determination"],
                condition=~Q(state__in=sorted(state.value for state in UNHEARD)),
                name="one_appeal_of_a_determination",
            ),
            models.CheckConstraint(
                name="late_appeals_state_good_cause", condition=Q(was_late=False) | ~Q(good_cause="")
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                condition=Q(state__in=sorted(state.value for state in UNDECIDED)),
                name="appeal_most_pressing",
            )
        ]


class AppealEvent(StepTaken):
    """One step taken on an appeal."""

    PHI: ClassVar[set[str]] = StepTaken.PHI
    PLAIN: ClassVar[set[str]] = StepTaken.PLAIN | {"appeal"}

    appeal = models.ForeignKey(Appeal, on_delete=models.PROTECT, related_name="events")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["appeal", "sequence"], name="appeal_event_sequence_once")]
        ordering = ["sequence"]


class AppealDecision(models.Model):
    """What was decided on an appeal, by whom. Append-only.

    A trigger refuses whoever determined the request before, or is no appeal reviewer of its insurer; and what leaves
    less than was asked without a physician's licence of their own, valid on that day. `determination` is what
    supersedes the one that was appealed; an appeal that was upheld has none.
    """

    PHI: ClassVar[set[str]] = {"reason_text", "criterion", "would_change"}
    PLAIN: ClassVar[set[str]] = {
        "id", "appeal", "outcome", "decided_at", "decided_by", "licence", "reason_code", "determination", "due_at",
        "was_late",
    }  # fmt: skip

    appeal = models.OneToOneField(Appeal, on_delete=models.PROTECT, related_name="decision")
    outcome = models.CharField(max_length=20, choices=[(outcome.value, outcome.value) for outcome in AppealOutcome])
    decided_at = models.DateTimeField()
    decided_by = models.ForeignKey("authz.Person", on_delete=models.PROTECT, related_name="+")
    licence = models.ForeignKey("authz.Licence", on_delete=models.PROTECT, null=True, related_name="+")
    reason_code = models.CharField(max_length=40)
    reason_text = models.CharField(max_length=2000)
    criterion = models.CharField(max_length=500)
    would_change = models.CharField(max_length=1000, blank=True)
    determination = models.OneToOneField(
        Determination, on_delete=models.PROTECT, null=True, related_name="appeal_decision"
    )
    due_at = models.DateTimeField(null=True)
    was_late = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="only_a_licensed_human_decides_against_an_appeal",
                condition=~Q(outcome__in=sorted(outcome.value for outcome in AGAINST)) | Q(licence__isnull=False),
            ),
            models.CheckConstraint(
                name="what_is_overturned_is_superseded",
                condition=Q(outcome=AppealOutcome.UPHELD.value, determination=None)
                | (~Q(outcome=AppealOutcome.UPHELD.value) & Q(determination__isnull=False)),
            ),
            models.CheckConstraint(
                name="appeal_decisions_say_why",
                condition=~Q(reason_code="") & ~Q(reason_text="") & ~Q(criterion=""),
            ),
            models.CheckConstraint(
                name="an_appeal_is_late_after_it_was_due",
                condition=Q(was_late=False) | Q(due_at__isnull=False, due_at__lt=F("decided_at")),
            ),
        ]


class IndependentReview(models.Model):
    """What the independent reviewer decided on a request that was forwarded, itself or on appeal. Append-only.

    `decided_on` is the day of their decision, in the request's calendar, and `reference` theirs. A trigger holds that
    it was forwarded, once; and that `determination`, which supersedes the insurer's own unless that was upheld, says
    the same.
    """

    PHI: ClassVar[set[str]] = {"reference", "reason"}
    PLAIN: ClassVar[set[str]] = {"id", "prior_auth", "outcome", "decided_on", "determination", "recorded_at"}

    prior_auth = models.OneToOneField(PriorAuth, on_delete=models.PROTECT, related_name="independent_review")
    outcome = models.CharField(max_length=20, choices=[(outcome.value, outcome.value) for outcome in AppealOutcome])
    decided_on = models.DateField()
    reference = models.CharField(max_length=200)
    reason = models.CharField(max_length=2000)
    determination = models.OneToOneField(
        Determination, on_delete=models.PROTECT, null=True, related_name="independent_review"
    )
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="what_is_overturned_independently_is_superseded",
                condition=Q(outcome=AppealOutcome.UPHELD.value, determination=None)
                | (~Q(outcome=AppealOutcome.UPHELD.value) & Q(determination__isnull=False)),
            ),
            models.CheckConstraint(
                name="an_independent_review_says_under_which_reference_and_why",
                condition=~Q(reference="") & ~Q(reason=""),
            ),
        ]
