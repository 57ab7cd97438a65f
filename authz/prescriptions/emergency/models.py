"""Records opened in an emergency by somebody who otherwise would not see them."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from authz.ids import new_id


class EmergencyAccess(models.Model):
    """One clinician's sight of one patient's opioid use, for a reason, until `ends_at`. Never taken back or changed."""

    PHI: ClassVar[set[str]] = {"reason"}
    PLAIN: ClassVar[set[str]] = {"id", "public_id", "patient", "organization", "person", "opened_at", "ends_at"}

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    patient = models.ForeignKey("authz.Patient", on_delete=models.PROTECT, related_name="emergency_accesses")
    organization = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey("authz.Person", on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=1000)
    opened_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="emergency_access_gives_a_reason", condition=~Q(reason="")),
            models.CheckConstraint(name="emergency_access_ends", condition=Q(ends_at__gt=F("opened_at"))),
        ]

    def __str__(self) -> str:
        return str(self.public_id)
