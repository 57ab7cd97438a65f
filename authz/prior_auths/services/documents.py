"""The clinic attaches documents to a request, and takes them off again, until it is submitted."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from authz.access.roles import Actor, Role
from authz.audit import services as audit
from authz.documentation import selectors as documentation
from authz.documentation.models import Attachment
from authz.documentation.services import files
from authz.documentation.services.files import Inspected
from authz.errors import Forbidden, NotFound
from authz.ids import PriorAuthId
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import steps
from authz.prior_auths.services.request import open_sheet


def must_be_open(*, prior_auth_id: PriorAuthId, by: Actor) -> None:
    """Refuse early what `attach` would refuse whatever the document: nobody's file is read or scanned for nothing.

    :raises NotFound: when the clinic has no such request.
    :raises Forbidden: when the actor may not attach.
    :raises AnswersClosed: before the request is taken up and after it is submitted.
    """
    with transaction.atomic():
        open_sheet(_own(prior_auth_id, by, None))


@transaction.atomic
def attach(
    *,
    prior_auth_id: PriorAuthId,
    file: Inspected,
    title: str,
    shows: Collection[str] = (),
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> tuple[Attachment, bool]:
    """Attach an inspected document, which bears out the questions in `shows`. Returns it, and whether it is new.

    :raises NotFound: when the clinic has no such request.
    :raises AnswersClosed: before the request is taken up and after it is submitted.
    :raises InvalidInput: when the title is none, or `shows` names no question.
    """
    prior_auth = _own(prior_auth_id, by, expected_version)
    sheet = open_sheet(prior_auth)
    attachment, is_new = files.attach(sheet=sheet, file=file, title=title, shows=shows, by=by, now=now)
    if is_new:
        _note(prior_auth, "attach", by, now)
    return attachment, is_new


@transaction.atomic
def take_off(
    *,
    prior_auth_id: PriorAuthId,
    attachment_id: UUID,
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> Attachment:
    """Take a document off a request that is not submitted yet. It stays, marked as removed.

    :raises NotFound: when the clinic has no such request, or that has no such document.
    :raises AnswersClosed: after the request is submitted.
    """
    prior_auth = _own(prior_auth_id, by, expected_version)
    found = documentation.attachments(open_sheet(prior_auth)).filter(public_id=attachment_id).first()
    if found is None:
        raise NotFound("The request has no such document.")
    if found.removed_at is None:
        files.take_off(attachment=found, by=by, now=now)
        _note(prior_auth, "take-off", by, now)
    return found


def _own(prior_auth_id: PriorAuthId, by: Actor, expected_version: int | None) -> PriorAuth:
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    if by.organization_id != prior_auth.clinic_id or by.roles.isdisjoint({Role.STAFF, Role.PRESCRIBER}):
        raise Forbidden("Only the clinic's staff and prescribers attach documents.")
    return prior_auth


def _note(prior_auth: PriorAuth, action: str, by: Actor, now: datetime) -> None:
    prior_auth.touched_by_human_at = prior_auth.touched_by_human_at or (now if by.person_id is not None else None)
    prior_auth.version += 1
    prior_auth.save(update_fields=["touched_by_human_at", "version"])
    audit.record(by=by, action=action, subject_kind="prior-auth", subject_id=prior_auth.public_id, now=now)
