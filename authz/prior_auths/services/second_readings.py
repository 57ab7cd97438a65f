"""Approvals by rule that were chosen to be read by a person: what that person found."""

from datetime import datetime

from django.db import transaction

from authz.access.roles import Action, Actor, must_be_allowed
from authz.audit import services as audit
from authz.errors import AuthzError, InvalidInput, NotFound
from authz.ids import DeterminationId
from authz.outbox.services import announce
from authz.prior_auths import second_readings
from authz.prior_auths.determination import SecondFinding
from authz.prior_auths.models import Determination, SecondReading
from authz.prior_auths.services.queue import ConflictOfInterest, is_partial, person_of

DISAGREED = "prior-auth.second-reading-disagreed"


class AlreadyRead(AuthzError):
    """Somebody has read this approval a second time already."""

    code = "already-read"


@transaction.atomic
def read(
    *, determination_id: DeterminationId, finding: SecondFinding, note: str = "", by: Actor, now: datetime
) -> Determination:
    """Record what the actor found of a sampled approval. It stands; whoever disagrees has the administrators told,
    who can reopen the request.

    :raises NotFound: when the insurer has no such approval to be read.
    :raises InvalidInput: when the actor disagrees and does not say why.
    :raises AlreadyRead: when somebody has read it.
    :raises ConflictOfInterest: when it concerns the actor's own clinic or prescriptions.
    :raises ReviewerNeeded: when the actor is a machine.
    """
    must_be_allowed(by, Action.READ_A_SECOND_TIME)
    # The request, not its determination: what is append-only cannot even be locked.
    sampled = second_readings.sampled(by).select_for_update(of=("prior_auth",))
    row = sampled.filter(public_id=determination_id).first()
    if row is None:
        raise NotFound("There is no such approval to be read a second time.")
    if finding is SecondFinding.DISAGREES and not note:
        raise InvalidInput({"note": ["Say why you disagree."]})
    if is_partial(row.prior_auth, person_id=person_of(by)):
        raise ConflictOfInterest("This request concerns your own clinic or prescriptions.")
    if SecondReading.objects.filter(determination=row).exists():
        raise AlreadyRead("Somebody has read this approval already.")
    SecondReading.objects.create(
        determination=row, finding=finding.value, note=note, read_at=now, read_by_id=person_of(by)
    )
    subject_id = row.prior_auth.public_id
    audit.record(by=by, action="read a second time", subject_kind="prior-auth", subject_id=subject_id, now=now)
    if finding is SecondFinding.DISAGREES:
        announce(topic=DISAGREED, subject_id=subject_id, now=now)
    return sampled.get(pk=row.pk)
