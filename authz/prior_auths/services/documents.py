"""The clinic attaches documents, and takes them off again, until they are sent: with the request, or with an answer.

With an appeal that is open they are sent at once: its time runs already.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from authz.access.roles import Actor, Role
from authz.audit import services as audit
from authz.documentation import selectors as documentation
from authz.documentation.models import AnswerSheet, Attachment
from authz.documentation.services import files
from authz.documentation.services.files import Inspected
from authz.errors import Forbidden, InvalidInput, NotFound
from authz.ids import AppealId, PriorAuthId
from authz.prior_auths.appeal_lifecycle import UNDECIDED as UNDECIDED_APPEALS
from authz.prior_auths.appeal_lifecycle import AppealStep
from authz.prior_auths.heard import open_questions
from authz.prior_auths.lifecycle import ASKED_OF_CLINIC, UNDECIDED, State
from authz.prior_auths.models import Appeal, InformationRequest, PriorAuth
from authz.prior_auths.packet import sent
from authz.prior_auths.services import appeal_steps, steps
from authz.prior_auths.services.request import AnswersClosed, open_sheet

_WHAT_FOR: Final[Mapping[str, str]] = {
    "shows": "Say what it proves: name the questions that it bears out.",
    "answers": "Say what it proves: name the insurer's questions that it answers.",
    "appeal": "Say which appeal it is sent in with.",
}


def must_be_open(*, prior_auth_id: PriorAuthId, by: Actor) -> None:
    """Refuse early what `attach` would refuse whatever the document: nobody's file is read or scanned for nothing.

    :raises NotFound: when the clinic has no such request.
    :raises Forbidden: when the actor may not attach.
    :raises AnswersClosed: before the request is taken up, and once submitted while every question of the
        insurer's is answered and no appeal is open.
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
    appeal_id: AppealId | None = None,
    is_part2: bool = False,
    by: Actor,
    now: datetime,
    expected_version: int | None = None,
) -> tuple[Attachment, bool]:
    """Attach an inspected document. Returns it, and whether it is new.

    It proves something: `shows` are questions of the questionnaire that it bears out, `answers` what the insurer has
    asked since. Once the request is submitted it goes with an answer, or with the open appeal `appeal_id`, and the
    packet stays as it was. `is_part2` says that it comes from a program under 42 CFR Part 2.

    :raises NotFound: when the clinic has no such request.
    :raises AnswersClosed: before the request is taken up, and once submitted while every question of the
        insurer's is answered and no appeal is open.
    :raises InvalidInput: when the title is none, it says not what it proves, or names what nobody asks or no open
        appeal.
    """
    prior_auth = _own(prior_auth_id, by, expected_version)
    sheet = _open_sheet(prior_auth)
    appeal = _appeal(prior_auth, appeal_id)
    goes_with = _goes_with(prior_auth, shows, answers, appeal)
    attachment, is_new = files.attach(
        sheet=sheet, file=file, title=title, shows=shows, is_part2=is_part2, by=by, now=now
    )
    is_flagged = attachment.is_part2 and not prior_auth.is_part2
    prior_auth.is_part2 = prior_auth.is_part2 or attachment.is_part2
    unlinked = [one for one in goes_with if not one.documents.contains(attachment)]
    for one in unlinked:
        one.documents.add(attachment)
    if is_new or unlinked or is_flagged:
        _note(prior_auth, "attach", by, now)
    if appeal is not None and unlinked:
        appeal_steps.take(appeal, AppealStep.ADD_DOCUMENT, by=by, now=now)
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
    is_wanted = open_questions(prior_auth) or _open_appeals(prior_auth).exists()
    return prior_auth.answers if prior_auth.answers is not None and is_wanted else open_sheet(prior_auth)


def _open_appeals(prior_auth: PriorAuth) -> QuerySet[Appeal]:
    return prior_auth.appeals.filter(state__in=[state.value for state in UNDECIDED_APPEALS])


def _appeal(prior_auth: PriorAuth, appeal_id: AppealId | None) -> Appeal | None:
    """Return the open appeal that a document is sent in with, locked after its request."""
    if appeal_id is None:
        return None
    found = _open_appeals(prior_auth).select_for_update().filter(public_id=appeal_id).first()
    if found is None:
        raise InvalidInput({"appeal": ["There is no such open appeal."]})
    found.prior_auth = prior_auth
    return found


def _goes_with(
    prior_auth: PriorAuth, shows: Collection[str], answers: Collection[UUID], appeal: Appeal | None
) -> list[InformationRequest | Appeal]:
    """Return the insurer's open questions that a document answers, and the appeal that it is sent in with."""
    asked = {row.public_id: row for row in open_questions(prior_auth)}
    if not asked.keys() >= set(answers):
        raise InvalidInput({"answers": ["The insurer asks no such question now."]})
    if appeal is None and not answers and (prior_auth.packet is not None or not shows):
        name = "shows" if prior_auth.packet is None else "answers" if asked else "appeal"
        raise InvalidInput({name: [_WHAT_FOR[name]]})
    return [*(asked[key] for key in dict.fromkeys(answers)), *([appeal] if appeal else [])]


def _note(prior_auth: PriorAuth, action: str, by: Actor, now: datetime) -> None:
    prior_auth.touched_by_human_at = prior_auth.touched_by_human_at or (now if by.person_id is not None else None)
    # Whoever decides must not find another version for what goes with an answer that they do not have yet.
    if State(prior_auth.state) not in UNDECIDED - ASKED_OF_CLINIC:
        prior_auth.version += 1
    prior_auth.save(update_fields=["touched_by_human_at", "version", "is_part2"])
    audit.record(by=by, action=action, subject_kind="prior-auth", subject_id=prior_auth.public_id, now=now)
