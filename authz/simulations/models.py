"""A simulation that somebody asked for: what was compared, how far it has come, and its figures."""

from enum import StrEnum
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from authz.ids import new_id
from authz.outbox.models import Leased


class SimulationState(StrEnum):
    """Waiting for a worker, in a worker's hands, finished, or given up after the last attempt."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Simulation(Leased):
    """A policy of an insurer over its members' recorded history. `document` is the policy as it was when asked.

    `report` are figures only, as `authz.simulations.report` gives them.
    """

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "policy", "document", "plans", "since", "until", "minutes_a_request", "asked_by", "asked_at",
        "due_at", "attempts", "dead_at", "last_error", "patients_done", "patients_in_all", "finished_at", "report",
    }  # fmt: skip
    SETTLED = "finished_at"

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    policy = models.ForeignKey("authz.PayerPolicy", on_delete=models.PROTECT, related_name="simulations")
    document = models.JSONField()
    plans = ArrayField(models.BigIntegerField())
    since = models.DateField()
    until = models.DateField()
    minutes_a_request = models.PositiveIntegerField()
    asked_by = models.ForeignKey("authz.Person", on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    patients_done = models.PositiveIntegerField(default=0)
    patients_in_all = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)
    report = models.JSONField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="simulated_period_runs_forward", condition=Q(until__gte=F("since"))),
            models.CheckConstraint(
                name="a_finished_simulation_has_its_report",
                condition=Q(finished_at=None, report=None) | Q(finished_at__isnull=False, report__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at", "id"], name="simulation_waiting", condition=Q(finished_at=None, dead_at=None)
            )
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def state(self) -> SimulationState:
        """How far it is."""
        if self.finished_at is not None:
            return SimulationState.DONE
        if self.dead_at is not None:
            return SimulationState.FAILED
        return SimulationState.RUNNING if self.attempts else SimulationState.WAITING
