"""Offer a peer-to-peer call, or ask for one, agree on a time for it, and keep what came of it."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from authz.access.roles import SYSTEM, Actor
from authz.access.tenancy import across_tenants
from authz.audit import services as audit
from authz.errors import AuthzError, Forbidden, InvalidInput, NotFound, StaleVersion
from authz.ids import CallId, CallTimeId, PriorAuthId
from authz.outbox.services import announce
from authz.policies.regime import Regime
from authz.prior_auths import calls
from authz.prior_auths.call_lifecycle import MOST_TIMES, OPEN, TABLE, CallOutcome, CallState, CallStep, steps_for
from authz.prior_auths.models import Call, CallEvent, CallTime, PriorAuth
from authz.prior_auths.services import steps
from authz.prior_auths.services.steps import IllegalStep, taken
from authz.prior_auths.visibility import roles_in_case, visible_to

_OPEN = [state.value for state in OPEN]


class NothingToTalkAbout(AuthzError):
    """A peer-to-peer call is about a request in review, or about a decision against what was asked."""

    code = "nothing-to-talk-about"


class AlreadyOffered(AuthzError):
    """A peer-to-peer call on this request is open. `context["call"]` is its id."""

    code = "already-offered"


@transaction.atomic
def offer(*, prior_auth_id: PriorAuthId, times: Sequence[datetime], by: Actor, now: datetime) -> Call:
    """Offer the prescriber a call, at some times or at none yet.

    :raises NotFound: when the insurer has no such request.
    :raises Forbidden: when the actor does not review.
    :raises NothingToTalkAbout: when it is neither in review nor decided against.
    :raises AlreadyOffered: while another call on it is open.
    :raises InvalidInput: for a time in the past, one that is there twice, or too many.
    """
    return _begin(prior_auth_id, CallStep.OFFER, times, by, now)


@transaction.atomic
def ask_for(*, prior_auth_id: PriorAuthId, times: Sequence[datetime], by: Actor, now: datetime) -> Call:
    """Ask, from the clinic, for a call at one of these times; the insurer confirms one, or offers others.

    See `offer` for what is refused; besides, when no time is named.
    """
    return _begin(prior_auth_id, CallStep.PROPOSE_TIMES, times, by, now)


def _begin(prior_auth_id: PriorAuthId, step: CallStep, times: Sequence[datetime], by: Actor, now: datetime) -> Call:
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by)
    if not TABLE[step].is_open_to(roles_in_case(prior_auth, by), state=None):
        raise Forbidden("Your role does not allow you to offer a peer-to-peer call, or to ask for one.")
    if not calls.can_be_talked_about(prior_auth):
        raise NothingToTalkAbout("A peer-to-peer call is about a request in review, or decided against.")
    open_one = prior_auth.calls.filter(state__in=_OPEN).first()
    if open_one is not None:
        raise AlreadyOffered("A peer-to-peer call on this request is open.", call=str(open_one.public_id))
    _must_be_times(times, now, is_needed=step is CallStep.PROPOSE_TIMES)
    return _put_on_record(prior_auth, step, times, by, now)


def offer_where_required(*, prior_auth: PriorAuth, regime: Regime, now: datetime) -> None:
    """Offer a call on a locked request that is decided against, where the regime requires it and none is open."""
    if regime.peer_to_peer_required and not prior_auth.calls.filter(state__in=_OPEN).exists():
        with across_tenants("the service itself offers the call, whoever denies"):
            _put_on_record(prior_auth, CallStep.OFFER, (), SYSTEM, now, is_required=True)


def cancel_open(*, prior_auth: PriorAuth, now: datetime) -> None:
    """End the open call, if any, of a locked request that has ended or is approved: nothing is left to talk about."""
    for call in prior_auth.calls.select_for_update().filter(state__in=_OPEN):
        with across_tenants("the service itself ends the call, whoever ends the request"):
            _take(call, CallStep.CANCEL, SYSTEM, now)


def _put_on_record(
    prior_auth: PriorAuth,
    step: CallStep,
    times: Sequence[datetime],
    by: Actor,
    now: datetime,
    *,
    is_required: bool = False,
) -> Call:
    state = CallState.OFFERED if step is CallStep.OFFER else CallState.PROPOSED
    call = Call(prior_auth=prior_auth, state=state.value, is_required=is_required, offered_at=now)
    _record(call, step, "", by, now)
    _put_forward(call, times)
    return call


@transaction.atomic
def offer_times(
    *, call_id: CallId, times: Sequence[datetime], by: Actor, now: datetime, expected_version: int | None = None
) -> Call:
    """Offer these times instead of those there were, also instead of one agreed on.

    :raises InvalidInput: for no time, one in the past, one that is there twice, or too many.
    """
    return _other_times(call_id, CallStep.OFFER_TIMES, times, by, now, expected_version)


@transaction.atomic
def propose_times(
    *, call_id: CallId, times: Sequence[datetime], by: Actor, now: datetime, expected_version: int | None = None
) -> Call:
    """Propose, from the clinic, these times instead; see `offer_times`."""
    return _other_times(call_id, CallStep.PROPOSE_TIMES, times, by, now, expected_version)


@transaction.atomic
def accept(
    *, call_id: CallId, time_id: CallTimeId, by: Actor, now: datetime, expected_version: int | None = None
) -> Call:
    """Accept one of the times that the insurer offers.

    :raises InvalidInput: when it is not one of them, or is over.
    """
    return _agree(call_id, CallStep.ACCEPT, time_id, by, now, expected_version)


@transaction.atomic
def confirm(
    *, call_id: CallId, time_id: CallTimeId, by: Actor, now: datetime, expected_version: int | None = None
) -> Call:
    """Confirm one of the times that the clinic proposes; see `accept`."""
    return _agree(call_id, CallStep.CONFIRM, time_id, by, now, expected_version)


@transaction.atomic
def decline(*, call_id: CallId, reason: str, by: Actor, now: datetime, expected_version: int | None = None) -> Call:
    """Do without the call."""
    call = _lock(call_id, by, expected_version)
    _take(call, CallStep.DECLINE, by, now, note=reason)
    return call


@transaction.atomic
def conclude(
    *,
    call_id: CallId,
    outcome: CallOutcome,
    reason: str,
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> Call:
    """Keep what came of the call; nothing is decided by that. `reason` is what was said, in a sentence.

    :raises InvalidInput: when a call is said to have been held before the time agreed on, or without one.
    """
    call = _lock(call_id, by, expected_version)
    _must_be_legal(call, CallStep.CONCLUDE, by)
    is_over = call.state == CallState.AGREED.value and call.starts_at is not None and call.starts_at <= now
    if outcome is not CallOutcome.NOT_HELD and not is_over:
        raise InvalidInput({"outcome": ["The call has not been held: no time agreed on has come."]})
    call.outcome = outcome.value
    _take(call, CallStep.CONCLUDE, by, now, note=reason, code=outcome.value)
    return call


def _other_times(
    call_id: CallId, step: CallStep, times: Sequence[datetime], by: Actor, now: datetime, expected_version: int | None
) -> Call:
    call = _lock(call_id, by, expected_version)
    _must_be_legal(call, step, by)
    _must_be_times(times, now, is_needed=True)
    call.starts_at = None
    _take(call, step, by, now)
    _put_forward(call, times)
    return call


def _agree(
    call_id: CallId, step: CallStep, time_id: CallTimeId, by: Actor, now: datetime, expected_version: int | None
) -> Call:
    call = _lock(call_id, by, expected_version)
    _must_be_legal(call, step, by)
    chosen = next((time for time in calls.times(call) if time.public_id == time_id), None)
    if chosen is None or chosen.starts_at <= now:
        raise InvalidInput({"time": ["Choose one of the times that are put forward and lie ahead."]})
    call.starts_at = chosen.starts_at
    _take(call, step, by, now)
    return call


def _must_be_times(times: Sequence[datetime], now: datetime, *, is_needed: bool = False) -> None:
    faults: list[str] = []
    if is_needed and not times:
        faults.append("Name at least one time.")
    if len(times) > MOST_TIMES:
        faults.append(f"Name at most {MOST_TIMES} times.")
    if len(set(times)) < len(times):
        faults.append("Name each time once.")
    if any(time <= now for time in times):
        faults.append("Each time must lie ahead.")
    if faults:
        raise InvalidInput({"times": faults})


def _put_forward(call: Call, times: Sequence[datetime]) -> None:
    CallTime.objects.bulk_create(CallTime(call=call, round=call.version, starts_at=time) for time in sorted(times))


def _lock(call_id: CallId, by: Actor, expected_version: int | None) -> Call:
    known = PriorAuth.objects.filter(visible_to(by))
    found = Call.objects.select_for_update(of=("self",)).filter(prior_auth__in=known, public_id=call_id).first()
    if found is None:
        raise NotFound("There is no such peer-to-peer call.")
    if expected_version is not None and expected_version != found.version:
        raise StaleVersion(f"The call is at version {found.version} now; you read version {expected_version}.")
    return found


def _must_be_legal(call: Call, step: CallStep, by: Actor) -> None:
    state, roles = CallState(call.state), roles_in_case(call.prior_auth, by)
    if not TABLE[step].is_open_to(roles, state=state):
        allowed = [allowed.value for allowed in steps_for(state=state, roles=roles)]
        raise IllegalStep(f"A call that is {state.value} cannot take the step {step.value} by you.", allowed=allowed)


def _take(call: Call, step: CallStep, by: Actor, now: datetime, *, note: str = "", code: str = "") -> None:
    _must_be_legal(call, step, by)
    before, target = call.state, TABLE[step].target
    call.state = target.value if target else before
    _record(call, step, before, by, now, note=note, code=code)


def _record(
    call: Call, step: CallStep, from_state: str, by: Actor, now: datetime, *, note: str = "", code: str = ""
) -> None:
    call.version += 1
    call.save()
    CallEvent.objects.create(
        call=call,
        **taken(call, step, from_state=from_state, by=by, now=now, note=note, code=code),
    )
    audit.record(by=by, action=f"call {step.value}", subject_kind="call", subject_id=call.public_id, now=now)
    announce(topic=TABLE[step].says, subject_id=call.prior_auth.public_id, now=now)
