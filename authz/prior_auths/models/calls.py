"""Peer-to-peer calls between the prescriber and the insurer's clinician: offers, times, and what came of them."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from authz.ids import new_id
from authz.prior_auths.call_lifecycle import OPEN, CallOutcome, CallState
from authz.prior_auths.models.events import StepTaken
from authz.prior_auths.models.requests import PriorAuth


class Call(models.Model):
    """A peer-to-peer call offered on a request. `version` counts its changes and is its ETag.

    `is_required` says that the request's regime requires the offer; `starts_at` is the time agreed on.
    """

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "prior_auth", "state", "version", "is_required", "offered_at", "starts_at", "outcome",
    }  # fmt: skip

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    prior_auth = models.ForeignKey(PriorAuth, on_delete=models.PROTECT, related_name="calls")
    state = models.CharField(max_length=20, choices=[(state.value, state.value) for state in CallState])
    version = models.PositiveIntegerField(default=0)
    is_required = models.BooleanField()
    offered_at = models.DateTimeField()
    starts_at = models.DateTimeField(null=True)
    outcome = models.CharField(
        max_length=20, blank=True, choices=[(outcome.value, outcome.value) for outcome in CallOutcome]
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["prior_auth"],
                condition=Q(state__in=sorted(state.value for state in OPEN)),
                name="one_open_call_of_a_request",
            ),
            models.CheckConstraint(
                name="calls_are_agreed_on_for_a_time",
                condition=~Q(state=CallState.AGREED.value) | Q(starts_at__isnull=False),
            ),
            models.CheckConstraint(
                name="concluded_calls_say_what_came_of_them",
                condition=(Q(state=CallState.CONCLUDED.value) & ~Q(outcome=""))
                | (~Q(state=CallState.CONCLUDED.value) & Q(outcome="")),
            ),
            models.CheckConstraint(
                name="only_a_call_at_a_time_was_held",
                condition=Q(outcome__in=["", CallOutcome.NOT_HELD.value]) | Q(starts_at__isnull=False),
            ),
        ]


class CallTime(models.Model):
    """A time one side put forward; those of the call's newest `round` are the ones to choose from. Append-only."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {"id", "public_id", "call", "round", "starts_at"}

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="times")
    round = models.PositiveIntegerField(help_text="The call's version in which it was put forward.")
    starts_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["call", "round", "starts_at"], name="a_time_once_in_a_round"),
        ]


class CallEvent(StepTaken):
    """One step taken on a peer-to-peer call."""

    PHI: ClassVar[set[str]] = StepTaken.PHI
    PLAIN: ClassVar[set[str]] = StepTaken.PLAIN | {"call"}

    call = models.ForeignKey(Call, on_delete=models.PROTECT, related_name="events")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["call", "sequence"], name="call_event_sequence_once")]
        ordering = ["sequence"]
