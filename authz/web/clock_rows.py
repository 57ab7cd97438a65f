"""The clocks of a request as its page tells them: what is due, when, who waits for whom, and why."""

from dataclasses import dataclass
from datetime import datetime

from authz.notifications.selectors import decision_notices
from authz.policies.history import Kind
from authz.prior_auths import appeals, selectors
from authz.prior_auths.deadlines import Clock, Clocks
from authz.prior_auths.models import PriorAuth
from authz.web import words


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRow:
    """One clock. `stands` says in a word whether it runs; `awaited` is who waits for whom while it does."""

    what: str
    awaited: str
    stands: str
    is_missed: bool
    clock: Clock


def clocks_told(prior_auth: PriorAuth) -> Clocks | None:
    """Return the clocks of a request with its notices and appeals; None before it is submitted."""
    if prior_auth.submitted_at is None:
        return None
    notices = [*decision_notices(prior_auth), *appeals.happened(prior_auth)]
    return selectors.clocks_of(prior_auth, notices=notices)


def clock_rows(clocks: Clocks | None, *, now: datetime) -> list[ClockRow]:
    """Return the rows: what runs first, and of that what is due first."""
    rows = [_row(clock, now) for clock in clocks.clocks] if clocks else []
    return sorted(rows, key=lambda row: (row.clock.stopped_at is not None, row.clock.due_at is None, row.clock.due_at))


def to_appeal(clocks: Clocks | None) -> Clock | None:
    """Return until when an adverse decision can be appealed; None once it is, or where there is none."""
    clock = clocks.get(Kind.APPEAL_FILE_BY) if clocks else None
    return clock if clock and clock.stopped_at is None else None


def _row(clock: Clock, now: datetime) -> ClockRow:
    what, awaited = words.CLOCK[clock.kind]
    is_over = clock.stopped_at is not None
    is_missed = clock.is_missed(by=now)
    return ClockRow(
        what=what,
        awaited="" if is_over else awaited,
        stands=_stands(clock, is_missed=is_missed, now=now),
        is_missed=is_missed,
        clock=clock,
    )


def _stands(clock: Clock, *, is_missed: bool, now: datetime) -> str:
    if clock.stopped_at is not None:
        return "Done late" if is_missed else "Done in time"
    if clock.due_at is None:
        return "Not running"
    if any(pause.since <= now < pause.until for pause in clock.pauses):
        return "Standing still"
    return "Overdue" if is_missed else "Running"
