"""Appeals whose time is over: each legal time limit that was missed is noted once."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef

from authz.access.roles import SYSTEM
from authz.ids import AppealId
from authz.policies.history import Kind
from authz.prior_auths import appeals
from authz.prior_auths.appeal_lifecycle import UNDECIDED, AppealState
from authz.prior_auths.models import Appeal, Breach
from authz.prior_auths.services import appeal_steps
from authz.prior_auths.services.breaches import note_breach
from authz.prior_auths.services.sweeping import sweep

_UNDECIDED: Final = [state.value for state in UNDECIDED]
_MISSED: Final = (Kind.APPEAL_DECIDE_BY, Kind.FORWARD_BY)


def note_missed(*, now: datetime) -> int:
    """Note a breach for each appeal not decided, or then not forwarded, in time; return how many are new.

    The kept due instant only finds them; each is computed anew under its lock, so a decision made in time always wins.
    """
    forwarded_late = Breach.objects.filter(appeal=OuterRef("pk"), kind=Kind.FORWARD_BY.value)
    over = Appeal.objects.filter(state__in=_UNDECIDED, due_at__lt=now).exclude(Exists(forwarded_late))
    return sweep(map(AppealId, over.values_list("public_id", flat=True)), work=_note_one, now=now)


@transaction.atomic
def _note_one(appeal_id: AppealId, now: datetime) -> int:
    appeal = appeal_steps.lock(appeal_id=appeal_id, by=SYSTEM)
    if AppealState(appeal.state) not in UNDECIDED:
        return 0
    clocks = [appeals.clocks_of(appeal).get(kind) for kind in _MISSED]
    missed = [(clock.kind, clock.due_at) for clock in clocks if clock and clock.due_at and clock.is_missed(by=now)]
    request = appeal.prior_auth
    return sum(
        note_breach(prior_auth=request, appeal=appeal, kind=kind, due_at=due_at, now=now) for kind, due_at in missed
    )
