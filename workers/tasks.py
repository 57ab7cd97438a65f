"""What workers do: read the clock, make one call. No task takes arguments, so the broker never carries any data."""

from time import monotonic

from authz import clock
from authz.notifications import services as notifications
from authz.prior_auths.services import intake, review
from workers.app import app
from workers.guard import only_one
from workers.schedule import DRAIN_OUTBOX, RECHECK_DUE_PATIENTS, RELEASE_EXPIRED_REVIEWS

# Well below the hard time limit, so that a long backlog is worked off in turns and nothing is killed half done.
_DRAIN_SECONDS = 30.0


@app.task(name=DRAIN_OUTBOX)
def drain_outbox() -> None:
    """Tell what is in the outbox. Needs no guard: rows are leased one by one, so several drains share the work."""
    ends_at = monotonic() + _DRAIN_SECONDS
    while monotonic() < ends_at and notifications.advance(now=clock.now()):
        pass


@app.task(name=RELEASE_EXPIRED_REVIEWS)
def release_expired_reviews() -> None:
    """Put back into the queue what reviewers held for too long."""
    with only_one(RELEASE_EXPIRED_REVIEWS) as alone:
        if alone:
            review.release_expired(now=clock.now())


@app.task(name=RECHECK_DUE_PATIENTS)
def recheck_due_patients() -> None:
    """Look again at patients for whom the passing of a day may have changed the answer."""
    with only_one(RECHECK_DUE_PATIENTS) as alone:
        if alone:
            intake.recheck_due_patients(now=clock.now())
