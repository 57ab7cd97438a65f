"""Peer-to-peer calls as they are read."""

from typing import Final

from django.db.models import QuerySet

from authz.access.roles import Action, Actor, must_be_allowed
from authz.errors import NotFound
from authz.ids import CallId, PriorAuthId
from authz.prior_auths import selectors
from authz.prior_auths.appeals import in_force
from authz.prior_auths.call_lifecycle import OPEN, TABLE, CallState, CallStep, steps_for
from authz.prior_auths.determination import ADVERSE
from authz.prior_auths.forwarding import was_forwarded
from authz.prior_auths.lifecycle import State
from authz.prior_auths.models import Call, CallTime, PriorAuth
from authz.prior_auths.visibility import roles_in_case, visible_to

_IN_REVIEW: Final = frozenset({State.IN_REVIEW, State.INFO_REQUESTED, State.CLINICAL_REVIEW})


def calls(by: Actor) -> QuerySet[Call]:
    """Return the peer-to-peer calls on requests that the organization may know, newest first."""
    must_be_allowed(by, Action.READ_REQUESTS)
    known = Call.objects.filter(prior_auth__in=PriorAuth.objects.filter(visible_to(by)))
    return known.select_related("prior_auth").prefetch_related("times", "events").order_by("-pk")


def calls_of(by: Actor, prior_auth_id: PriorAuthId) -> QuerySet[Call]:
    """Return the peer-to-peer calls on one request, newest first.

    :raises NotFound: when the organization may know no such request.
    """
    return calls(by).filter(prior_auth=selectors.prior_auth(by, prior_auth_id))


def call(by: Actor, call_id: CallId) -> Call:
    """Return one peer-to-peer call.

    :raises NotFound: when the organization may know no such call.
    """
    found = calls(by).filter(public_id=call_id).first()
    if found is None:
        raise NotFound("There is no such peer-to-peer call.")
    return found


def times(call: Call) -> list[CallTime]:
    """Return the times to choose from now, earliest first; none once one was agreed on or the call has ended."""
    if CallState(call.state) not in OPEN - {CallState.AGREED}:
        return []
    rows = list(call.times.all())
    newest = max((row.round for row in rows), default=0)
    return sorted((row for row in rows if row.round == newest), key=lambda row: row.starts_at)


def can_be_talked_about(prior_auth: PriorAuth) -> bool:
    """Say whether a call could be about a request: it is in review, or decided against and still the insurer's."""
    if State(prior_auth.state) in _IN_REVIEW:
        return True
    newest = in_force(prior_auth)
    is_against = prior_auth.state == State.DECIDED.value and newest is not None and newest.outcome in ADVERSE
    return is_against and not was_forwarded(prior_auth)


def can_be_asked_for(prior_auth: PriorAuth, by: Actor) -> bool:
    """Say whether the actor, of the clinic, may ask for a call now."""
    is_theirs = TABLE[CallStep.PROPOSE_TIMES].is_open_to(roles_in_case(prior_auth, by), state=None)
    is_open = prior_auth.calls.filter(state__in=[state.value for state in OPEN]).exists()
    return is_theirs and not is_open and can_be_talked_about(prior_auth)


def allowed_steps(call: Call, by: Actor) -> list[CallStep]:
    """Return the steps this actor may take now, in the order of the table."""
    return steps_for(state=CallState(call.state), roles=roles_in_case(call.prior_auth, by))
