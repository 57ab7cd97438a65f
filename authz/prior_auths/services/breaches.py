"""A legal time limit that was missed, noted once."""

from datetime import datetime
from typing import Final

from authz.outbox.services import announce
from authz.policies.history import Kind
from authz.prior_auths.models import Appeal, Breach, PriorAuth

OVERDUE: Final = "prior-auth.overdue"


def note_breach(
    *,
    prior_auth: PriorAuth,
    kind: Kind,
    due_at: datetime,
    now: datetime,
    appeal: Appeal | None = None,
    is_silent: bool = False,
) -> bool:
    """Note that a clock of a locked request, or of an appeal of it, was missed; return whether it is new.

    The administrators are told of a new one, unless it `is_silent`: when it only follows from one they heard of, or is
    old.
    """
    _, is_new = Breach.objects.get_or_create(
        prior_auth=prior_auth, appeal=appeal, kind=kind.value, defaults={"due_at": due_at, "noted_at": now}
    )
    if is_new and not is_silent:
        announce(topic=OVERDUE, subject_id=prior_auth.public_id, now=now)
    return is_new
