"""What workers do: read the clock, make one call. No task takes arguments, so the broker never carries any data."""

from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic, sleep

from django.conf import settings

from authz import clock
from authz.access.machines import services as machines
from authz.access.people import services as people
from authz.audit import roots
from authz.audit import services as audit
from authz.notifications import services as notifications
from authz.notifications.services import FACTS_AT_ONCE
from authz.operations.models import Part
from authz.operations.services import note_heartbeat
from authz.outbox.nudge import Waiting
from authz.prior_auths.services import (
    automation,
    deeming,
    overdue_appeals,
    questions,
    queue,
    rechecking,
    renewals,
    run_outs,
)
from authz.simulations import services as simulations
from workers.app import app
from workers.broker import heed
from workers.guard import only_one
from workers.schedule import (
    APPROVE_BY_RULE,
    ASK_FOR_DUE_PATIENTS,
    DEEM_DUE,
    DRAIN_OUTBOX,
    ESCALATE_DUE,
    NOTE_LATE_NOTICES,
    NOTE_OVERDUE_APPEALS,
    NOTE_UNFORWARDED,
    OPEN_RENEWALS,
    PRUNE_ACCESS,
    PRUNE_AUDIT,
    PRUNE_OUTBOX,
    RECHECK_PATIENTS,
    RELEASE_EXPIRED_REVIEWS,
    RESUME_UNANSWERED,
    ROOT_AUDIT,
    RUN_SIMULATIONS,
    SEAL_AUDIT,
    SEND_DELIVERIES,
    WARN_OF_RUN_OUTS,
)

# Well below the hard time limit, so that a long backlog is worked off in turns and nothing is killed half done.
_TURN_SECONDS = 30.0
# Told one by one, facts cost several times as much: what comes in the next moment is waited for.
_GATHER_SECONDS = 0.01
# A policy that only the rule itself can answer for takes a minute for every hundred thousand patients.
_SIMULATION_SECONDS = 3600


@app.task(name=DRAIN_OUTBOX)
def drain_outbox() -> None:
    """Tell what is in the outbox. Rows are leased, so several drains may share a backlog; else one alone is cheaper."""
    note_heartbeat(part=Part.TELLING, now=clock.now())
    with only_one(DRAIN_OUTBOX) as alone:
        if alone:  # nobody is nudged meanwhile: what comes is told here
            _take_turns(_tell_what_comes)
    if alone:
        heed(Waiting.FACTS)  # whoever is nudged from now on is alone; what came before is found by the last look
    _take_turns(_tell_a_backlog)


@app.task(name=SEND_DELIVERIES)
def send_deliveries() -> None:
    """Send what leaves the house. Needs no guard: rows are leased, so several workers share the work."""
    note_heartbeat(part=Part.SENDING, now=clock.now())
    heed(Waiting.DELIVERIES)
    _take_turns(notifications.send_next)


@app.task(name=RELEASE_EXPIRED_REVIEWS)
def release_expired_reviews() -> None:
    """Put back into the queue what reviewers held for too long."""
    with only_one(RELEASE_EXPIRED_REVIEWS) as alone:
        if alone:
            queue.release_expired(now=clock.now())


@app.task(name=ASK_FOR_DUE_PATIENTS)
def ask_for_due_patients() -> None:
    """Ask for a recheck of the patients for whom the passing of a day may have changed the answer."""
    with only_one(ASK_FOR_DUE_PATIENTS) as alone:
        if alone:
            rechecking.ask_for_due(now=clock.now())


@app.task(name=RECHECK_PATIENTS)
def recheck_patients() -> None:
    """Recheck who was asked for. Needs no guard: patients are leased one by one."""
    _take_turns(rechecking.recheck_next)


@app.task(name=RUN_SIMULATIONS, time_limit=_SIMULATION_SECONDS)
def run_simulations() -> None:
    """Run a simulation that was asked for, one at a time: other work must find a worker free."""
    with only_one(RUN_SIMULATIONS) as alone:
        if alone:
            simulations.run_next(clock=clock.now)


@app.task(name=APPROVE_BY_RULE)
def approve_by_rule() -> None:
    """Approve what a policy lets software approve. Needs no guard: each request is locked and looked at once."""
    automation.approve_by_rule(now=clock.now())


@app.task(name=DEEM_DUE)
def deem_due() -> None:
    """Do what the law says of requests whose time is over. Needs no guard: each is locked."""
    deeming.deem_due(now=clock.now())


@app.task(name=NOTE_UNFORWARDED)
def note_unforwarded() -> None:
    """Note what should be with the independent reviewer by now. Needs no guard: each is locked, and noted once."""
    deeming.note_unforwarded(now=clock.now())


@app.task(name=NOTE_OVERDUE_APPEALS)
def note_overdue_appeals() -> None:
    """Note the appeals whose time is over. Needs no guard: each is locked, and noted once."""
    overdue_appeals.note_missed(now=clock.now())


@app.task(name=NOTE_LATE_NOTICES)
def note_late_notices() -> None:
    """Note the decisions of which the clinic did not hear in time. Needs no guard: each is locked, and noted once."""
    notifications.note_late_notices(now=clock.now())


@app.task(name=RESUME_UNANSWERED)
def resume_unanswered() -> None:
    """Take on the reviews whose answers did not come in time. Needs no guard: each is locked."""
    questions.resume_unanswered(now=clock.now())


@app.task(name=OPEN_RENEWALS)
def open_renewals() -> None:
    """Prepare requests to go on before authorizations run out. Needs no guard: an authorization has one renewal."""
    renewals.open_renewals(now=clock.now())


@app.task(name=WARN_OF_RUN_OUTS)
def warn_of_run_outs() -> None:
    """Tell both sides of patients whose supply ends soon. Needs no guard: each request is locked, and told once."""
    run_outs.warn_of_run_outs(now=clock.now())


@app.task(name=ESCALATE_DUE)
def escalate_due() -> None:
    """Tell the next ones of what nobody acted on in time. Needs no guard: each is locked, and a rung is taken once."""
    notifications.escalate_due(now=clock.now())


@app.task(name=PRUNE_OUTBOX)
def prune_outbox() -> None:
    """Delete what was told long ago, one batch after the other."""
    with only_one(PRUNE_OUTBOX) as alone:
        if alone:
            _take_turns(_prune_batch)


@app.task(name=PRUNE_ACCESS)
def prune_access() -> None:
    """Forget used assertions and failed log-ins that count no more. Needs no guard: doing it twice does no harm."""
    machines.prune_assertions(now=clock.now())
    people.prune_failures(now=clock.now())


@app.task(name=SEAL_AUDIT)
def seal_audit() -> None:
    """Number and hash the entries of the trail. Needs no guard: the database lets one at a time do a chain."""
    audit.seal()


@app.task(name=ROOT_AUDIT)
def root_audit() -> None:
    """Keep how far each chain of the trail goes, once a day, and write it elsewhere."""
    with only_one(ROOT_AUDIT) as alone:
        if alone:
            audit.make_due_roots(now=clock.now(), tell=roots.write_elsewhere)


@app.task(name=PRUNE_AUDIT)
def prune_audit() -> None:
    """Delete what the trail need not keep any longer, one batch after the other."""
    with only_one(PRUNE_AUDIT) as alone:
        if alone:
            _take_turns(audit.prune_next)


def _prune_batch(*, now: datetime) -> bool:
    return notifications.prune(before=now - timedelta(days=settings.OUTBOX_RETENTION_DAYS)) > 0


def _tell_what_comes(*, now: datetime) -> bool:
    told = notifications.fan_out_next(now=now)
    if 0 < told < FACTS_AT_ONCE:
        sleep(_GATHER_SECONDS)
    return told > 0


def _tell_a_backlog(*, now: datetime) -> bool:
    return notifications.fan_out_next(now=now) == FACTS_AT_ONCE


def _take_turns(do_next: Callable[..., bool]) -> None:
    ends_at = monotonic() + _TURN_SECONDS
    while monotonic() < ends_at and do_next(now=clock.now()):
        pass
