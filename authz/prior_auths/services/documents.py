"""The clinic attaches documents, and takes them off again, until they are sent: with the request, or with an answer."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from authz.access.roles import Actor, Role
from authz.audit import services as audit
from authz.documentation import selectors as documentation
from authz.documentation.models import AnswerSheet, Attachment
from authz.documentation.services import files
from authz.documentation.services.files import Inspected
from authz.errors import Forbidden, InvalidInput, NotFound
from authz.ids import PriorAuthId
from authz.prior_auths.lifecycle import ASKED_OF_CLINIC, State
from authz.prior_auths.models import InformationRequest, PriorAuth
from authz.prior_auths.packet import sent
from authz.prior_auths.services import steps
from authz.prior_auths.services.request import AnswersClosed, open_sheet


def must_be_open(*, prior_auth_id: PriorAuthId, by: Actor) -> None:
    """Refuse early what `attach` would refuse whatever the document: nobody's file is read or scanned for nothing.

    :raises NotFound: when the clinic has no such request.
    :raises Forbidden: when the actor may not attach.
    :raises AnswersClosed: before the request is taken up, and once submitted while the insurer asks nothing.
    """
    with transaction.atomic():
        _open_sheet(_own(prior_auth_id, by, None))


@transaction.atomic
def attach(
    *,
    prior_auth_id: PriorAuthId,
    file: Inspected,
    title: str,
    shows: Collection[str] = (),
    answers: Collection[UUID] = (),
    is_part2: bool = False,
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> tuple[Attachment, bool]:
    """Attach an inspected document. Returns it, and whether it is new.

    It proves something: `shows` are questions of the questionnaire that it bears out, `answers` what the insurer has
    asked since. Once the request is submitted it goes with an answer, and the packet stays as it was. `is_part2` says
    that it comes from a program under 42 CFR Part 2.

    :raises NotFound: when the clinic has no such request.
    :raises AnswersClosed: before the request is taken up, and once submitted while the insurer asks nothing.
    :raises InvalidInput: when the title is none, it says not what it proves, or names what nobody asks.
    """
    prior_auth = _own(prior_auth_id, by, expected_version)
    sheet = _open_sheet(prior_auth)
    items = _items(prior_auth, shows, answers)
    attachment, is_new = files.attach(
        sheet=sheet, file=file, title=title, shows=shows, is_part2=is_part2, by=by, now=now
    )
    is_flagged = attachment.is_part2 and not prior_auth.is_part2
    prior_auth.is_part2 = prior_auth.is_part2 or attachment.is_part2
    unlinked = [item for item in items if not item.documents.contains(attachment)]
    for item in unlinked:
        item.documents.add(attachment)
    if is_new or unlinked or is_flagged:
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
    """Take a document off that the insurer does not have yet. It stays, marked as removed.

    :raises NotFound: when the clinic has no such request, or that has no such document.
    :raises AnswersClosed: when it was sent, or nothing can be attached now.
    """
    prior_auth = _own(prior_auth_id, by, expected_version)
    found = documentation.attachments(_open_sheet(prior_auth)).filter(public_id=attachment_id).first()
    if found is None:
        raise NotFound("The request has no such document.")
    if sent(prior_auth).contains(found):
        raise AnswersClosed("The insurer has this document: what was sent stays.")
    if found.removed_at is None:
        files.take_off(attachment=found, by=by, now=now)
        _note(prior_auth, "take-off", by, now)
    return found


def _own(prior_auth_id: PriorAuthId, by: Actor, expected_version: int | None) -> PriorAuth:
    prior_auth = steps.lock(prior_auth_id=prior_auth_id, by=by, expected_version=expected_version)
    if by.organization_id != prior_auth.clinic_id or by.roles.isdisjoint({Role.STAFF, Role.PRESCRIBER}):
        raise Forbidden("Only the clinic's staff and prescribers attach documents.")
    return prior_auth


def _open_sheet(prior_auth: PriorAuth) -> AnswerSheet:
    if prior_auth.answers is not None and State(prior_auth.state) in ASKED_OF_CLINIC:
        return prior_auth.answers
    return open_sheet(prior_auth)


def _items(prior_auth: PriorAuth, shows: Collection[str], answers: Collection[UUID]) -> list[InformationRequest]:
    """Return the insurer's open questions that a document answers."""
    asked = {row.public_id: row for row in prior_auth.information_requests.filter(answered_at=None)}
    if not asked.keys() >= set(answers):
        raise InvalidInput({"answers": ["The insurer asks no such question now."]})
    if prior_auth.packet is not None and not answers:
        raise InvalidInput({"answers": ["Say what it proves: name the insurer's questions that it answers."]})
    if not shows and not answers:
        raise InvalidInput({"shows": ["Say what it proves: name the questions that it bears out."]})
    return [asked[key] for key in dict.fromkeys(answers)]


def _note(prior_auth: PriorAuth, action: str, by: Actor, now: datetime) -> None:
    prior_auth.touched_by_human_at = prior_auth.touched_by_human_at or (now if by.person_id is not None else None)
    prior_auth.version += 1
    prior_auth.save(update_fields=["touched_by_human_at", "version", "is_part2"])
    audit.record(by=by, action=action, subject_kind="prior-auth", subject_id=prior_auth.public_id, now=now)
