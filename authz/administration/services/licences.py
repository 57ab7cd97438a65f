"""The licences of an insurer's people. Without one that is valid on the day nobody decides against a request."""

from datetime import date, datetime

from django.db import IntegrityError, transaction

from authz.access import services as access
from authz.access.models import Licence, Person
from authz.access.roles import Actor, Profession
from authz.administration import selectors
from authz.audit import services as audit
from authz.errors import InvalidInput
from authz.ids import LicenceId


@transaction.atomic
def record(
    *,
    email: str,
    number: str,
    state: str,
    profession: Profession,
    specialty: str,
    valid_from: date,
    valid_until: date,
    by: Actor,
    now: datetime,
) -> Licence:
    """Record the licence of a colleague, by the address with which they log in; both days are included.

    `state` is one of `JURISDICTIONS`; `specialty` is said by its name or by a code of the provider taxonomy.

    :raises Forbidden: when the actor does not administer an insurer.
    :raises InvalidInput: when nobody there has that address, the licence is recorded, or ends before it begins.
    """
    known = selectors.licences(by)
    person = Person.objects.filter(email=email.strip().lower(), memberships__organization=by.organization).first()
    faults = {} if person else {"email": ["Nobody here logs in with this address."]}
    if valid_until < valid_from:
        faults["valid_until"] = ["It ends before it begins."]
    if known.filter(state=state, number=number).exists():
        faults["number"] = ["This licence is recorded already."]
    if faults or person is None:
        raise InvalidInput(faults)
    period = {"valid_from": valid_from, "valid_until": valid_until}
    try:
        with transaction.atomic():
            made = access.record_licence(
                person=person, number=number, state=state, profession=profession, specialty=specialty, **period
            )
    except IntegrityError as held:  # by somebody of another organization, of whom nothing is told
        raise InvalidInput({"number": ["This licence is recorded already."]}) from held
    _record("record", made, by=by, now=now)
    return made


@transaction.atomic
def change_period(*, licence_id: LicenceId, valid_until: date, by: Actor, now: datetime) -> Licence:
    """Renew a licence, or end it: it is valid until that day, which is included. Saying it again changes nothing.

    :raises Forbidden: when the actor does not administer an insurer.
    :raises NotFound: when it is no colleague's.
    :raises InvalidInput: when it would end before it began, or before a day on which somebody decided by it.
    """
    found = selectors.licence(by, licence_id)
    licence = Licence.objects.select_for_update().get(pk=found.pk)
    if valid_until < licence.valid_from:
        raise InvalidInput({"valid_until": ["It ends before it begins."]})
    if licence.valid_until == valid_until:
        return licence
    licence.valid_until = valid_until
    try:
        with transaction.atomic():
            licence.save(update_fields=["valid_until"])
    except IntegrityError as decided:  # the database looks at the decisions of every insurer
        raise InvalidInput({"valid_until": ["Somebody decided by it after that day."]}) from decided
    _record("change", licence, by=by, now=now)
    return licence


def _record(action: str, licence: Licence, *, by: Actor, now: datetime) -> None:
    audit.record(by=by, action=action, subject_kind="licence", subject_id=licence.public_id, now=now)
