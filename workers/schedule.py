"""What runs when."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings

DRAIN_OUTBOX = "authz.drain-outbox"
SEND_DELIVERIES = "authz.send-deliveries"
RELEASE_EXPIRED_REVIEWS = "authz.release-expired-reviews"
ASK_FOR_DUE_PATIENTS = "authz.ask-for-due-patients"
RECHECK_PATIENTS = "authz.recheck-patients"
RUN_SIMULATIONS = "authz.run-simulations"
APPROVE_BY_RULE = "authz.approve-by-rule"
DEEM_DUE = "authz.deem-due"
NOTE_UNFORWARDED = "authz.note-unforwarded"
NOTE_OVERDUE_APPEALS = "authz.note-overdue-appeals"
NOTE_LATE_NOTICES = "authz.note-late-notices"
RESUME_UNANSWERED = "authz.resume-unanswered"
OPEN_RENEWALS = "authz.open-renewals"
WARN_OF_RUN_OUTS = "authz.warn-of-run-outs"
ESCALATE_DUE = "authz.escalate-due"
PRUNE_OUTBOX = "authz.prune-outbox"
PRUNE_ACCESS = "authz.prune-access"
SEAL_AUDIT = "authz.seal-audit"
ROOT_AUDIT = "authz.root-audit"
PRUNE_AUDIT = "authz.prune-audit"

OUTSIDE = "outside"
"""The queue of what waits for other people's servers: a slow one holds up nothing that is done in the house."""
ROUTES: Mapping[str, Mapping[str, str]] = {SEND_DELIVERIES: {"queue": OUTSIDE}}


def _every(task: str, pause: timedelta) -> dict[str, Any]:
    # Expires with the next round: workers that were away find one sweep waiting, not a thousand.
    return {"task": task, "schedule": pause, "options": {"expires": pause.total_seconds()}}


BEAT = {
    "beat_scheduler": "workers.scheduler:Scheduler",
    "beat_schedule": {
        "sweep-outbox": _every(DRAIN_OUTBOX, timedelta(seconds=settings.SWEEP_SECONDS)),
        "sweep-deliveries": _every(SEND_DELIVERIES, timedelta(seconds=settings.SWEEP_SECONDS)),
        "release-expired-reviews": _every(RELEASE_EXPIRED_REVIEWS, timedelta(minutes=1)),
        "resume-unanswered": _every(RESUME_UNANSWERED, timedelta(minutes=1)),
        "open-renewals": _every(OPEN_RENEWALS, timedelta(minutes=10)),
        "warn-of-run-outs": _every(WARN_OF_RUN_OUTS, timedelta(minutes=10)),
        "escalate-due": _every(ESCALATE_DUE, timedelta(minutes=1)),
        "deem-due": _every(DEEM_DUE, timedelta(minutes=1)),
        "note-unforwarded": _every(NOTE_UNFORWARDED, timedelta(minutes=1)),
        "note-overdue-appeals": _every(NOTE_OVERDUE_APPEALS, timedelta(minutes=1)),
        "note-late-notices": _every(NOTE_LATE_NOTICES, timedelta(minutes=10)),
        "approve-by-rule": _every(APPROVE_BY_RULE, timedelta(minutes=1)),
        # A clinic's day begins at any hour of ours, and its orders become current or expire with it.
        "ask-for-due-patients": _every(ASK_FOR_DUE_PATIENTS, timedelta(minutes=10)),
        "recheck-patients": _every(RECHECK_PATIENTS, timedelta(seconds=30)),
        # Hourly, though once a day would do: beat keeps no file, and a day in which it never restarts may not come.
        "prune-outbox": _every(PRUNE_OUTBOX, timedelta(hours=1)),
        "prune-access": _every(PRUNE_ACCESS, timedelta(minutes=10)),
        "seal-audit": _every(SEAL_AUDIT, timedelta(minutes=1)),
        # Hourly, though one a day is made, as above.
        "root-audit": _every(ROOT_AUDIT, timedelta(hours=1)),
        "prune-audit": _every(PRUNE_AUDIT, timedelta(hours=1)),
        "run-simulations": _every(RUN_SIMULATIONS, timedelta(seconds=30)),
    },
}
