"""What reviewers say about their queue: what they pass over, and when they are away."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from authz.prior_auths.models.requests import PriorAuth


class Skip(models.Model):
    """A reviewer passed a request over, for a reason; the next one it is offered to is somebody else.

    For a while only: of one person there can be several.
    """

    PHI: ClassVar[set[str]] = {"reason"}
    PLAIN: ClassVar[set[str]] = {"id", "prior_auth", "person", "at"}

    prior_auth = models.ForeignKey(PriorAuth, on_delete=models.PROTECT, related_name="skips")
    person = models.ForeignKey("authz.Person", on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=2000)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["prior_auth", "person", "at"], name="skip_of_a_request")]


class Absence(models.Model):
    """A time in which a reviewer is away: nothing is given or comes back to them."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {"id", "person", "organization", "starts_at", "ends_at"}

    person = models.ForeignKey("authz.Person", on_delete=models.PROTECT, related_name="absences")
    organization = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(name="absence_runs_forward", condition=Q(ends_at__gt=F("starts_at")))]
