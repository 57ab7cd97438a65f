"""How an insurer is reached. A letter keeps what it said: a change is told by those written from then on."""

from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from authz.access.contact import Contact
from authz.access.models import Organization
from authz.access.roles import Action, Actor, must_be_allowed
from authz.audit import services as audit


@transaction.atomic
def set_contact(*, contact: Contact, by: Actor, now: datetime) -> None:
    """Say how the actor's insurer is reached, in place of what was said before; said again: nothing.

    :raises Forbidden: when the actor does not administer an insurer.
    """
    must_be_allowed(by, Action.CHANGE_CONTACT)
    insurer = Organization.objects.select_for_update(no_key=True).get(pk=by.organization)
    if insurer.contact == contact:
        return
    values = asdict(contact)
    for name, value in values.items():
        setattr(insurer, name, value)
    insurer.save(update_fields=list(values))
    audit.record(by=by, action="contact-changed", subject_kind="organization", subject_id=insurer.public_id, now=now)
