"""What changes how long the insurer has: speed asked for, refused or given, and more time by notice."""

from datetime import datetime

from django.db import transaction

from authz.access.roles import Actor
from authz.errors import AuthzError
from authz.ids import PriorAuthId
from authz.policies.history import Kind
from authz.prior_auths import selectors
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.heard import regime_of
from authz.prior_auths.lifecycle import Step
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import steps
from authz.prior_auths.services.queue import in_hand


class SameUrgency(AuthzError):
    """The request is as urgent already as the step would make it."""

    code = "same-urgency"


class SpeedNotRefusable(AuthzError):
    """By the request's regime, what the prescriber asks to be expedited is expedited."""

    code = "speed-not-refusable"


class ExtensionNotAllowed(AuthzError):
    """The request's regime gives no more time, or has given it already."""

    code = "extension-not-allowed"


class TimeIsOver(AuthzError):
    """No clock runs that could be changed: the decision is overdue, or its time has not begun."""

    code = "time-is-over"


@transaction.atomic
def expedite(
    *, prior_auth_id: PriorAuthId, reason: str, by: Actor, now: datetime, expected_version: int | None = None
) -> PriorAuth:
    """Ask for a decision within the expedited time, which counts from now unless the standard time ends sooner.

    :raises SameUrgency: when it is expedited already.
    :raises TimeIsOver: when the time to decide is over; one that stands still is hastened for when it goes on.
    """
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    steps.must_be_legal(prior_auth, Step.EXPEDITE, by)
    _must_not_be(prior_auth, Urgency.EXPEDITED)
    _must_have_time_left(prior_auth, now, may_wait=True)
    prior_auth.urgency = Urgency.EXPEDITED.value
    steps.take(prior_auth, Step.EXPEDITE, by=by, now=now, note=reason)
    _hasten_answers(prior_auth)
    return prior_auth


@transaction.atomic
def refuse_expedited(
    *, prior_auth_id: PriorAuthId, reason: str, by: Actor, now: datetime, expected_version: int | None = None
) -> PriorAuth:
    """Put an expedited request back into the standard time, counted from its receipt as if nobody had asked for speed.

    :raises SameUrgency: when it is not expedited.
    :raises LeaseHeldByAnother: while another reviewer has it.
    :raises SpeedNotRefusable: where the regime leaves that to the prescriber; the sentence cites it.
    :raises TimeIsOver: when the expedited time is over: a refusal does not make due again what was missed.
    """
    prior_auth = in_hand(prior_auth_id, step=Step.REFUSE_EXPEDITED, by=by, now=now, expected_version=expected_version)
    _must_not_be(prior_auth, Urgency.STANDARD)
    regime = regime_of(prior_auth)
    if regime.speed_cannot_be_refused:
        cites = regime.sources[regime.marks["rules.speed_cannot_be_refused"].source].cites
        raise SpeedNotRefusable(f"What the prescriber asks to be expedited is expedited ({cites}).")
    _must_have_time_left(prior_auth, now)
    prior_auth.urgency = Urgency.STANDARD.value
    steps.take(prior_auth, Step.REFUSE_EXPEDITED, by=by, now=now, note=reason)
    return prior_auth


@transaction.atomic
def extend(
    *, prior_auth_id: PriorAuthId, reason: str, by: Actor, now: datetime, expected_version: int | None = None
) -> PriorAuth:
    """Give notice that the decision needs all the time more that the regime allows, once, and why.

    :raises LeaseHeldByAnother: while another reviewer has it.
    :raises ExtensionNotAllowed: where the regime gives no more time, or when it was extended before.
    :raises TimeIsOver: when the time to decide is over, or stands still.
    """
    prior_auth = in_hand(prior_auth_id, step=Step.EXTEND, by=by, now=now, expected_version=expected_version)
    regime = regime_of(prior_auth)
    track = regime.expedited if prior_auth.urgency == Urgency.EXPEDITED.value else regime.standard
    if track.extend_by is None:
        raise ExtensionNotAllowed(f"{regime.title} gives no more time for a request of this urgency.")
    if prior_auth.events.filter(step=Step.EXTEND.value).exists():
        raise ExtensionNotAllowed("It was extended before, and notice gives more time only once.")
    _must_have_time_left(prior_auth, now)
    steps.take(prior_auth, Step.EXTEND, by=by, now=now, note=reason)
    return prior_auth


def _hasten_answers(prior_auth: PriorAuth) -> None:
    """Want the answers to what was asked before by the clock as it is now."""
    reply = selectors.clocks_of(prior_auth).get(Kind.INFORMATION_REPLY_BY)
    if reply is not None:
        late = prior_auth.information_requests.filter(answered_at=None, reply_by__gt=reply.due_at)
        late.update(reply_by=reply.due_at)


def _must_not_be(prior_auth: PriorAuth, urgency: Urgency) -> None:
    if prior_auth.urgency == urgency.value:
        raise SameUrgency(f"The request is {urgency.value} already.")


def _must_have_time_left(prior_auth: PriorAuth, now: datetime, *, may_wait: bool = False) -> None:
    due = selectors.due(prior_auth)
    is_over = due.at < now if due else not may_wait
    if is_over:
        raise TimeIsOver("No time to decide is running that this could change.")
