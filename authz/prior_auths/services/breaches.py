"""A legal time limit that was missed, noted once."""

from datetime import datetime
from typing import Final

from authz.outbox.services import announce
from authz.policies.history import Kind
from authz.prior_auths.models import Breach, PriorAuth

OVERDUE: Final = "prior-auth.overdue"


def note_breach(*, prior_auth: PriorAuth, kind: Kind, due_at: datetime, now: datetime) -> bool:
    """Note that a clock of a locked request was missed, tell the administrators, and return whether it is new."""
    _, is_new = Breach.objects.get_or_create(
        prior_auth=prior_auth, kind=kind.value, defaults={"due_at": due_at, "noted_at": now}
    )
    if is_new:
        announce(topic=OVERDUE, subject_id=prior_auth.public_id, now=now)
    return is_new
