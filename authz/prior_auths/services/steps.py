"""Take one step of a request's life: the only place where its state changes."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol

from django.db.models import Model

from authz.access.database.rows import Found, Question, change_found, write
from authz.access.roles import Actor
from authz.audit import services as audit
from authz.errors import AuthzError, NotFound, StaleVersion
from authz.ids import PriorAuthId
from authz.outbox.services import fact
from authz.prior_auths import lifecycle, selectors
from authz.prior_auths.clock_history import HEEDED
from authz.prior_auths.deadline_words import MISSED
from authz.prior_auths.determination import DEEMED
from authz.prior_auths.lifecycle import State, Step
from authz.prior_auths.models import Event, PriorAuth
from authz.prior_auths.visibility import roles_in_case, visible_to

_ALWAYS = ("state", "version", "due_at")


class IllegalStep(AuthzError):
    """The table does not allow this step now, or not to this actor. `context["allowed"]` lists the steps it allows."""

    code: ClassVar[str] = "illegal-step"


class DecidedByLaw(AuthzError):
    """The time to decide is over, and the law has decided: nothing is decided against the request any more."""

    code: ClassVar[str] = "decided-by-law"


def lock(*, prior_auth_id: PriorAuthId, by: Actor, expected_version: int | None = None) -> PriorAuth:
    """Lock a request of the actor's organization until the transaction ends.

    :raises NotFound: when the organization has no such request; an insurer has those submitted to it.
    :raises StaleVersion: when the caller read another version.
    """
    known = PriorAuth.objects.filter(visible_to(by)).defer(*PriorAuth.LONG)
    found = known.select_for_update().filter(public_id=prior_auth_id).first()
    if found is None:
        raise NotFound("There is no such request.")
    if expected_version is not None and expected_version != found.version:
        raise StaleVersion(f"The request is at version {found.version} now; you read version {expected_version}.")
    return found


def must_be_legal(prior_auth: PriorAuth, step: Step, by: Actor) -> None:
    """Refuse a step the table does not allow, before anything is written.

    :raises IllegalStep: naming the steps it does allow this actor now.
    """
    state, is_reopened = State(prior_auth.state), prior_auth.reopened_at is not None
    if not lifecycle.is_allowed(step, state=state, roles=roles_in_case(prior_auth, by), is_reopened=is_reopened):
        raise _illegal(step, state, selectors.allowed_steps(prior_auth, by), is_reopened=is_reopened)


def _illegal(step: Step, state: State, allowed: Iterable[Step], *, is_reopened: bool = False) -> IllegalStep:
    return IllegalStep(_why_not(step, state, is_reopened=is_reopened), allowed=[one.value for one in allowed])


def _why_not(step: Step, state: State, *, is_reopened: bool) -> str:
    row = lifecycle.TABLE[step]
    if state not in row.sources:
        return f"The step {step.value} cannot be taken on a request that is {state.value}."
    if row.before_decision and is_reopened:
        return f"The step {step.value} comes before a decision; this request was reopened, and what was decided stands."
    others = " or ".join(sorted(role.value for role in row.by))
    return f"The step {step.value} is not yours to take: it needs the role {others}."


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
    :raises DecidedByLaw: when it is against the request, and the law has decided; a worker records that.
    """
    must_be_legal(prior_auth, step, by)
    must_precede_the_law(prior_auth, step, now)
    row = lifecycle.TABLE[step]
    before = prior_auth.state
    prior_auth.state = row.target.value if row.target else before
    told: list[Model] = _told(prior_auth, step, from_state=before, by=by, now=now, note=note, code=code)
    if step in HEEDED:
        write(*told)
        told = []
        due = selectors.due(prior_auth)
        prior_auth.due_at = due.at if due else None
    if row.says and not is_silent:
        told.append(fact(topic=row.says, subject_id=prior_auth.public_id, now=now))
    write(*told, changed=prior_auth, names=None if changed is None else {*_ALWAYS, *changed})


def must_precede_the_law(prior_auth: PriorAuth, step: Step, now: datetime) -> None:
    """Refuse a step against the request, once the law has decided it.

    :raises DecidedByLaw: when it has.
    """
    clock = selectors.decide_by(prior_auth) if step in lifecycle.OVERTAKEN else None
    if clock and clock.if_missed and clock.if_missed in DEEMED and clock.is_missed(by=now):
        raise DecidedByLaw(
            f"The request was not decided in time: {MISSED[clock.if_missed]}. That is recorded within a minute; until "
            "then it can only be approved in full."
        )


def take_first(
    question: Question, step: Step, *, state: State, by: Actor, now: datetime, changed: Mapping[str, Any]
) -> PriorAuth | None:
    """Take a step on the first request of a state that a question finds, in the statement that finds and locks it.

    For a step that moves no clock and of which nobody is told. `changed` has further fields, by attribute. None when
    nothing is found.

    :raises IllegalStep: when the table does not allow it.
    """
    if not lifecycle.is_allowed(step, state=state, roles=by.roles):
        raise _illegal(step, state, lifecycle.steps_for(state=state, roles=by.roles))
    target = lifecycle.TABLE[step].target or state
    first = _First(pk=Found("id"), public_id=Found("public_id"), version=Found("version"), state=target.value)
    told = _told(first, step, from_state=state.value, by=by, now=now, note="", code="")
    changes = {"state": first.state, "version": first.version, **changed}
    return change_found(PriorAuth, question, *told, changes=changes)


class _Versioned(Protocol):
    """What goes through a table step by step: a request, an appeal, a call."""

    version: Any
    state: str


class _Stepped(_Versioned, Protocol):
    """A request of which a step is told."""

    pk: Any
    public_id: Any


@dataclass(slots=True, kw_only=True)
class _First:
    """The request that a statement finds, as far as its event and trail tell of it, before it is found."""

    pk: Found
    public_id: Found
    version: Found
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
    write(*_told(prior_auth, step, from_state=from_state, by=by, now=now, note=note, code=code))


def _told(
    prior_auth: _Stepped, step: Step, *, from_state: str, by: Actor, now: datetime, note: str, code: str
) -> list[Model]:
    prior_auth.version += 1
    happened = taken(prior_auth, step, from_state=from_state, by=by, now=now, note=note, code=code)
    subject = prior_auth.public_id
    entry = audit.entry(by=by, action=step.value, subject_kind="prior-auth", subject_id=subject, now=now)
    return [Event(prior_auth_id=prior_auth.pk, **happened), entry]
