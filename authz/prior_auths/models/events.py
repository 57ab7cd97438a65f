"""One step taken, by whom and when: what the events of requests and of appeals have in common."""

from typing import ClassVar

from django.db import models


class StepTaken(models.Model):
    """Append-only: a trigger refuses UPDATE and DELETE."""

    PHI: ClassVar[set[str]] = {"note"}
    PLAIN: ClassVar[set[str]] = {
        "id", "sequence", "step", "code", "from_state", "to_state", "at", "person", "client", "organization",
        "actor_name",
    }  # fmt: skip

    sequence = models.PositiveIntegerField()
    step = models.CharField(max_length=30)
    code = models.CharField(max_length=40, blank=True, help_text="The coded reason, of steps that need one.")
    from_state = models.CharField(max_length=20, blank=True)
    to_state = models.CharField(max_length=20)
    at = models.DateTimeField()
    actor_name = models.CharField(max_length=200)
    person = models.ForeignKey("authz.Person", on_delete=models.PROTECT, null=True, related_name="+")
    client = models.ForeignKey("authz.ApiClient", on_delete=models.PROTECT, null=True, related_name="+")
    organization = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, null=True, related_name="+")
    note = models.CharField(max_length=2000, blank=True)

    class Meta:
        abstract = True
