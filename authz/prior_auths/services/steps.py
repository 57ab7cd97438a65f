"""Take one step of a request's life: the only place where its state changes."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from authz.access.roles import Actor
from authz.audit import services as audit
from authz.errors import AuthzError, NotFound, StaleVersion
from authz.ids import PriorAuthId
from authz.outbox.services import announce
from authz.prior_auths import lifecycle, selectors
from authz.prior_auths.clock_history import HEEDED
from authz.prior_auths.lifecycle import State, Step
from authz.prior_auths.models import Event, PriorAuth
from authz.prior_auths.visibility import roles_in_case, visible_to

_ALWAYS = ("state", "version", "due_at")


class IllegalStep(AuthzError):
    """The table does not allow this step now, or not to this actor. `context["allowed"]` lists the steps it allows."""

    code: ClassVar[str] = "illegal-step"


def lock(*, prior_auth_id: PriorAuthId, by: Actor, expected_version: int | None = None) -> PriorAuth:
    """Lock a request of the actor's organization until the transaction ends.

    :raises NotFound: when the organization has no such request; an insurer has those submitted to it.
    :raises StaleVersion: when the caller read another version.
    """
    found = PriorAuth.objects.select_for_update().filter(visible_to(by), public_id=prior_auth_id).first()
    if found is None:
        raise NotFound("There is no such request.")
    if expected_version is not None and expected_version != found.version:
        raise StaleVersion(f"The request is at version {found.version} now; you read version {expected_version}.")
    return found


def must_be_legal(prior_auth: PriorAuth, step: Step, by: Actor) -> None:
    """Refuse a step the table does not allow, before anything is written.

    :raises IllegalStep: naming the steps it does allow this actor now.
    """
    state = State(prior_auth.state)
    roles = roles_in_case(prior_auth, by)
    if not lifecycle.is_allowed(step, state=state, roles=roles):
        allowed = [allowed.value for allowed in lifecycle.steps_for(state=state, roles=roles)]
        raise IllegalStep(f"A request that is {state.value} cannot take the step {step.value} by you.", allowed=allowed)


def take(
    prior_auth: PriorAuth,
    step: Step,
    *,
    by: Actor,
    now: datetime,
    note: str = "",
    code: str = "",
    is_silent: bool = False,
    changed: Collection[str] | None = None,
) -> None:
    """Move a locked request along the table: state, version, event, trail and announcement, all or nothing.

    `is_silent` announces nothing, where another step of the same instant does. `changed` names the fields that the
    caller has set, where these are few: writing the whole row takes as long as all the rest.

    :raises IllegalStep: when the table does not allow it.
    """
    must_be_legal(prior_auth, step, by)
    row = lifecycle.TABLE[step]
    before = prior_auth.state
    prior_auth.state = row.target.value if row.target else before
    record(prior_auth, step, from_state=before, by=by, now=now, note=note, code=code)
    if step in HEEDED:
        due = selectors.due(prior_auth)
        prior_auth.due_at = due.at if due else None
    prior_auth.save(update_fields=None if changed is None else {*_ALWAYS, *changed})
    if row.says and not is_silent:
        announce(topic=row.says, subject_id=prior_auth.public_id, now=now)


class _Versioned(Protocol):
    """What goes through a table step by step: a request, an appeal, a call."""

    version: int
    state: str


def taken(
    subject: _Versioned, step: StrEnum, *, from_state: str, by: Actor, now: datetime, note: str, code: str
) -> dict[str, Any]:
    """Return what the event of a step says, once the subject has its new version and state."""
    return {
        "sequence": subject.version,
        "step": step.value,
        "code": code,
        "from_state": from_state,
        "to_state": subject.state,
        "at": now,
        "actor_name": by.name,
        "person_id": by.person_id,
        "client_id": by.client_id,
        "organization_id": by.organization_id,
        "note": note,
    }


def record(
    prior_auth: PriorAuth, step: Step, *, from_state: str, by: Actor, now: datetime, note: str = "", code: str = ""
) -> None:
    """Add the event and the trail of a step; the caller saves the request."""
    prior_auth.version += 1
    Event.objects.create(
        prior_auth=prior_auth,
        **taken(prior_auth, step, from_state=from_state, by=by, now=now, note=note, code=code),
    )
    audit.record(by=by, action=step.value, subject_kind="prior-auth", subject_id=prior_auth.public_id, now=now)
