"""Take one step of an appeal's life: the only place where its state changes.

Whoever writes an appeal holds the row of its request first, then its own: so filing, deciding, voiding and reopening
follow one another, and never wait for each other in a circle.
"""

from datetime import datetime

from authz.access.roles import Actor
from authz.access.selectors import superiors_of
from authz.audit import services as audit
from authz.errors import NotFound, StaleVersion
from authz.ids import AppealId
from authz.outbox.services import announce
from authz.prior_auths import appeals
from authz.prior_auths.appeal_lifecycle import TABLE, AppealState, AppealStep
from authz.prior_auths.models import Appeal, AppealEvent, PriorAuth
from authz.prior_auths.services.queue import (
    AnotherDeciderNeeded,
    ConflictOfInterest,
    LeaseHeldByAnother,
    is_partial,
    person_of,
)
from authz.prior_auths.services.steps import IllegalStep, taken
from authz.prior_auths.visibility import roles_in_case, visible_to


def lock(*, appeal_id: AppealId, by: Actor, expected_version: int | None = None) -> Appeal:
    """Lock an appeal and its request, of the actor's organization, until the transaction ends.

    :raises NotFound: when the organization has no such appeal.
    :raises StaleVersion: when the caller read another version.
    """
    requests = PriorAuth.objects.select_for_update(of=("self",)).filter(visible_to(by))
    request = requests.filter(appeals__public_id=appeal_id).first()
    if request is None:
        raise NotFound("There is no such appeal.")
    found = Appeal.objects.select_for_update().get(public_id=appeal_id)
    found.prior_auth = request
    if expected_version is not None and expected_version != found.version:
        raise StaleVersion(f"The appeal is at version {found.version} now; you read version {expected_version}.")
    return found


def must_be_legal(appeal: Appeal, step: AppealStep, by: Actor) -> None:
    """Refuse a step the table does not allow, before anything is written.

    :raises IllegalStep: naming the steps it does allow this actor now.
    """
    state = AppealState(appeal.state)
    if not TABLE[step].is_open_to(roles_in_case(appeal.prior_auth, by), state=state):
        allowed = [allowed.value for allowed in appeals.allowed_steps(appeal, by)]
        raise IllegalStep(f"An appeal that is {state.value} cannot take the step {step.value} by you.", allowed=allowed)


def in_hand(*, appeal_id: AppealId, step: AppealStep, by: Actor, now: datetime, expected_version: int | None) -> Appeal:
    """Lock an appeal for a step of the reviewer who has it; one nobody has is anyone's who may take the step.

    :raises IllegalStep: when the table does not allow the step.
    :raises LeaseHeldByAnother: while another reviewer has it.
    :raises AnotherDeciderNeeded: when the actor, or somebody above them, determined the request at any time.
    :raises ConflictOfInterest: when it concerns the actor's own clinic or prescriptions.
    :raises ReviewerNeeded: when the actor is a machine.
    """
    appeal = lock(appeal_id=appeal_id, by=by, expected_version=expected_version)
    must_be_legal(appeal, step, by)
    person = person_of(by)
    if appeal.leased_until is not None and appeal.leased_until > now and appeal.reviewer_id != person:
        raise LeaseHeldByAnother("Another reviewer has this appeal in hand.")
    deciders = appeals.deciders_of(appeal.prior_auth)
    if person in deciders:
        raise AnotherDeciderNeeded("You decided on this request before; somebody else must decide on its appeal.")
    if superiors_of(person, organization_id=appeal.prior_auth.insurer_id) & deciders:
        raise AnotherDeciderNeeded("Somebody you report to decided on this request; another must decide on its appeal.")
    if is_partial(appeal.prior_auth, person_id=person):
        raise ConflictOfInterest("This appeal concerns your own clinic or prescriptions.")
    return appeal


def take(appeal: Appeal, step: AppealStep, *, by: Actor, now: datetime, note: str = "", code: str = "") -> None:
    """Move a locked appeal along the table: state, version, event, trail and announcement, all or nothing.

    :raises IllegalStep: when the table does not allow it.
    """
    must_be_legal(appeal, step, by)
    before, target = appeal.state, TABLE[step].target
    appeal.state = target.value if target else before
    record(appeal, step, from_state=before, by=by, now=now, note=note, code=code)


def record(
    appeal: Appeal, step: AppealStep, *, from_state: str, by: Actor, now: datetime, note: str = "", code: str = ""
) -> None:
    """Save an appeal with the event, the trail and the announcement of a step; it is told of by its request's id."""
    appeal.version += 1
    appeal.save()
    AppealEvent.objects.create(
        appeal=appeal,
        **taken(appeal, step, from_state=from_state, by=by, now=now, note=note, code=code),
    )
    due = appeals.due(appeal)
    appeal.due_at = due.at if due else None
    appeal.save(update_fields=["due_at"])
    audit.record(by=by, action=f"appeal {step.value}", subject_kind="appeal", subject_id=appeal.public_id, now=now)
    if TABLE[step].says:
        announce(topic=TABLE[step].says, subject_id=appeal.prior_auth.public_id, now=now)
