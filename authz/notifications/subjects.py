"""What a fact is about, and all that a message may say of it: a request's own number, and where to read more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from authz.notifications.matrix import notices
from authz.notifications.matters.ladder import LADDER
from authz.notifications.models import Delivery
from authz.outbox.models import OutboxMessage
from authz.pain.models import PainHint
from authz.pain.services import HINT_FOUND
from authz.prescriptions.emergency.models import EmergencyAccess
from authz.prescriptions.emergency.services import OPENED
from authz.prior_auths.models import PriorAuth

Subject = PriorAuth | PainHint | EmergencyAccess

ESCALATIONS: Final = frozenset(row.says for row in LADDER.values())
"""What is announced of a rung taken, not of a request itself."""


@dataclass(frozen=True, slots=True)
class Sayable:
    """A request's number ("" where it is about a patient), and the page's path."""

    number: str
    path: str


def is_told(topic: str) -> bool:
    """Say whether anybody hears of the topic; what it is about is then a request or a patient."""
    return topic in ESCALATIONS or bool(notices(topic))


def subject_of(message: OutboxMessage) -> Subject:
    """Return what a fact is about.

    :raises ObjectDoesNotExist: when it is about nothing there is.
    """
    if message.topic in ESCALATIONS:
        return PriorAuth.objects.get(matters__escalations__public_id=message.subject_id)
    if message.topic == HINT_FOUND:
        return PainHint.objects.select_related("patient").get(public_id=message.subject_id)
    if message.topic == OPENED:
        return EmergencyAccess.objects.get(public_id=message.subject_id)
    return PriorAuth.objects.get(public_id=message.subject_id)


def subjects_of(messages: Sequence[OutboxMessage]) -> Mapping[int, Subject]:
    """Return what each of the facts that are told is about, by the key of the fact.

    :raises ObjectDoesNotExist: when one is about nothing there is.
    """
    told = [message for message in messages if is_told(message.topic)]
    found = PriorAuth.objects.in_bulk({message.subject_id for message in told}, field_name="public_id")
    return {message.pk: found.get(message.subject_id) or subject_of(message) for message in told}


def sayable(delivery: Delivery) -> Sayable:
    """Return what a message may say.

    :raises ObjectDoesNotExist: when the delivery is about nothing there is.
    """
    subject = subject_of(delivery.message)
    if isinstance(subject, PainHint):
        return Sayable(number="", path=f"/patients/{subject.patient.public_id}/")
    if isinstance(subject, EmergencyAccess):
        return Sayable(number="", path="/emergency-access/")
    return Sayable(number=subject.number, path=request_path(subject.public_id))


def request_path(public_id: UUID) -> str:
    """Return the path of a request's page."""
    return f"/prior-auths/{public_id}/"
