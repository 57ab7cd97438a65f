"""When reviewers are away: meanwhile nothing is handed to them, and answers go to their colleagues."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from authz.access import selectors as access
from authz.access.models import Membership
from authz.access.roles import Actor, Role
from authz.audit import services as audit
from authz.errors import Forbidden, InvalidInput
from authz.ids import PersonId
from authz.prior_auths.models import Absence, PriorAuth

_REVIEW = frozenset({Role.REVIEWER, Role.PHYSICIAN})


@transaction.atomic
def be_away(
    *, starts_at: datetime, ends_at: datetime, person_id: PersonId | None = None, by: Actor, now: datetime
) -> Absence:
    """Note that a reviewer is away: the actor, or for an administrator whoever is named. What they have is let go then.

    :raises Forbidden: when it is not the actor's to say.
    :raises InvalidInput: when the time runs backwards or is over, or they are noted as away within it already.
    """
    person = _reviewer(person_id, by)
    if ends_at <= starts_at:
        raise InvalidInput({"ends_at": ["It must lie after the start."]})
    if ends_at <= now:
        raise InvalidInput({"ends_at": ["That time is over."]})
    if _absences(person, by).filter(starts_at__lt=ends_at, ends_at__gt=starts_at).exists():
        raise InvalidInput(
            {"starts_at": ["An absence at that time is noted already. End it first, then note it anew."]}
        )
    absence = Absence.objects.create(
        person_id=person, organization_id=by.organization, starts_at=starts_at, ends_at=ends_at
    )
    ends = max(starts_at, now)
    kept = PriorAuth.objects.filter(insurer=by.organization, reviewer=person, leased_until__gt=ends)
    kept.update(leased_until=ends)
    _record("be away", by, now)
    return absence


@transaction.atomic
def be_back(*, starts_at: datetime | None = None, person_id: PersonId | None = None, by: Actor, now: datetime) -> bool:
    """End the absence that starts then, without a start the one that runs; say whether there was one.

    One that has not begun is taken back.

    :raises Forbidden: when it is not the actor's to say.
    """
    noted = _absences(_reviewer(person_id, by), by).filter(ends_at__gt=now)
    absence = noted.filter(starts_at=starts_at) if starts_at else noted.filter(starts_at__lte=now)
    over, _ = absence.filter(starts_at__gte=now).delete()
    over += absence.update(ends_at=now)
    if over:
        _record("be back", by, now)
    return bool(over)


def _absences(person: int, by: Actor) -> QuerySet[Absence]:
    return Absence.objects.filter(person=person, organization=by.organization)


def _reviewer(person_id: PersonId | None, by: Actor) -> int:
    """Return whose absence it is, locked, so that two who note the same one meet."""
    own = Q(person=by.person_id)
    if person_id is not None and Role.INSURER_ADMIN in by.roles:
        own = Q(person__public_id=person_id)
    elif by.roles.isdisjoint(_REVIEW) or person_id is not None:
        raise Forbidden("Reviewers say when they are away, and an administrator says it of any of them.")
    roles = [role.value for role in _REVIEW]
    there = Membership.objects.filter(own, organization=by.organization, role__in=roles, person__is_active=True)
    found = there.select_for_update(no_key=True).order_by("pk").first()
    if found is None:
        raise InvalidInput({"person": ["Name somebody who reviews for you."]})
    return found.person_id


def _record(action: str, by: Actor, now: datetime) -> None:
    organization = access.organization(by)
    audit.record(by=by, action=action, subject_kind="organization", subject_id=organization.public_id, now=now)
