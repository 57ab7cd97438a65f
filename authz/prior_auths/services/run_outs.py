"""Tell both sides, in time, that a patient will be without medication."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import F, Q

from authz import clock
from authz.access.roles import SYSTEM
from authz.audit import services as audit
from authz.outbox.services import announce
from authz.prior_auths import selectors
from authz.prior_auths.lifecycle import ACTIVE
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.run_out import SOON
from authz.prior_auths.services.sweeping import sweep

RUNNING_OUT: Final = "prior-auth.running-out"
_ACTIVE = sorted(state.value for state in ACTIVE)


def warn_of_run_outs(*, now: datetime) -> int:
    """Announce each run-out that is near, or that comes before the decision, once; return how many were new.

    When the supply turns out to end on another day, that is told again.
    """
    untold = Q(run_out_told=None) | ~Q(run_out_told=F("runs_out_on"))
    near = Q(runs_out_on__lte=now.date() + SOON) | Q(due_at__date__gte=F("runs_out_on"))
    rows = PriorAuth.objects.filter(near, untold, state__in=_ACTIVE).order_by("runs_out_on", "pk")
    return sweep(rows.values_list("pk", flat=True), work=_warn_of_one, now=now)


@transaction.atomic
def _warn_of_one(key: int, now: datetime) -> int:
    prior_auth = PriorAuth.objects.select_for_update(of=("self",)).select_related("clinic").get(pk=key)
    found = selectors.run_out_of(prior_auth)
    today = clock.day_in(prior_auth.clinic.time_zone, at=now)
    if found is None or prior_auth.run_out_told == prior_auth.runs_out_on or not found.is_soon(today=today):
        return 0
    prior_auth.run_out_told = prior_auth.runs_out_on
    prior_auth.save(update_fields=["run_out_told"])
    audit.record(by=SYSTEM, action="warn", subject_kind="prior-auth", subject_id=prior_auth.public_id, now=now)
    announce(topic=RUNNING_OUT, subject_id=prior_auth.public_id, now=now)
    return 1
