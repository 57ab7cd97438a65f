"""Who is invited into an organization."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from authz.ids import new_id
from authz.outbox.models import Leased


class Invitation(Leased):
    """Some roles in one organization, for whoever reads the mail of an address. Used once, before `expires_at`."""

    PHI: ClassVar[set[str]] = set()
    PLAIN: ClassVar[set[str]] = {
        "id", "public_id", "organization", "email", "roles", "invited_by", "invited_at", "expires_at", "accepted_at",
        "withdrawn_at", "due_at", "attempts", "sent_at", "dead_at", "last_error",
    }  # fmt: skip
    SETTLED = "sent_at"

    public_id = models.UUIDField(default=new_id, unique=True, editable=False)
    organization = models.ForeignKey("authz.Organization", on_delete=models.PROTECT, related_name="+")
    email = models.EmailField(max_length=254)
    roles = models.JSONField()
    invited_by = models.ForeignKey("authz.Person", on_delete=models.PROTECT, null=True, related_name="+")
    invited_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="invited_address_is_lower_case", condition=Q(email=Lower("email"))),
            models.CheckConstraint(
                name="invitation_ends_in_one_way", condition=Q(accepted_at=None) | Q(withdrawn_at=None)
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)
