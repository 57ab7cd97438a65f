"""What people want, who stands in for whom, and who could."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from authz import clock
from authz.access.models import Membership, Person
from authz.access.roles import Action, Actor, must_be_allowed
from authz.errors import Forbidden
from authz.notifications.matrix import Notice, together
from authz.notifications.selectors import Recipient
from authz.notifications.wishes.models import Cover, Delegate, NotificationSettings


def person_of(by: Actor) -> int:
    """Return the key of the person who acts.

    :raises Forbidden: when it is a machine: nobody tells it anything.
    """
    if by.person_id is None:
        raise Forbidden("A machine gets no notices and has no settings for them.")
    return by.person_id


def settings_of(person_ids: Collection[int]) -> Mapping[int, NotificationSettings]:
    """Return what each person wants; who never said gets what a new row says."""
    people = Person.objects.select_related("notification_settings").filter(pk__in=person_ids)
    return {
        person.pk: person.notification_settings
        if hasattr(person, "notification_settings")
        else NotificationSettings(person=person)
        for person in people
    }


def colleagues(by: Actor) -> QuerySet[Person]:
    """Return who could stand in for the actor: members of the organization who share a role with them."""
    return _stand_ins(person_of(by), by.organization)


def delegate_of(by: Actor) -> Delegate | None:
    """Return the actor's delegate in the organization they act for."""
    mine = Delegate.objects.filter(person=person_of(by), organization=by.organization)
    return mine.select_related("colleague").first()


def delegates_named(by: Actor) -> Mapping[int, str]:
    """Return whom each person of the actor's organization named as their delegate, by the person's key.

    :raises Forbidden: when the actor does not administer it.
    """
    must_be_allowed(by, Action.READ_MESSAGE_BURDEN)
    named = Delegate.objects.filter(organization=by.organization).select_related("colleague")
    return {delegate.person_id: delegate.colleague.full_name for delegate in named}


def covers_of(by: Actor) -> QuerySet[Cover]:
    """Return who covers for the actor in the organization they act for, and when, the next one first."""
    mine = Cover.objects.filter(person=person_of(by), organization=by.organization)
    return mine.select_related("colleague").order_by("starts_on", "ends_on", "pk")


def delegates_of(person_ids: Collection[int], *, organization_id: int) -> list[Delegate]:
    """Return the delegates that people have named in an organization and who are still colleagues who may act."""
    named = Delegate.objects.filter(person__in=person_ids, organization=organization_id).order_by("pk")
    return [delegate for delegate in named if _is_colleague(delegate)]


def covers_today(person_ids: Collection[int], *, now: datetime) -> Sequence[Cover]:
    """Return who covers for whom of these people today, and is still a colleague who may act."""
    covers = Cover.objects.filter(person__in=person_ids).select_related("organization").order_by("pk")
    return [cover for cover in covers if _is_on(cover, now) and _is_colleague(cover)]


def _is_on(cover: Cover, now: datetime) -> bool:
    return cover.starts_on <= clock.day_in(cover.organization.time_zone, at=now) <= cover.ends_on


def with_covers(told: Mapping[Recipient, Notice], covers: Iterable[Cover]) -> dict[Recipient, Notice]:
    """Return whom to tell together with who covers for them."""
    found = dict(told)
    for cover in covers:
        recipient = Recipient(cover.person_id, cover.organization_id)
        if recipient in told:
            beside = replace(recipient, person_id=cover.colleague_id, on_behalf_of_id=cover.person_id)
            notice = told[recipient]
            found[beside] = together(found[beside], notice) if beside in found else notice
    return found


def _is_colleague(stand_in: Cover | Delegate) -> bool:
    return _stand_ins(stand_in.person_id, stand_in.organization_id).filter(pk=stand_in.colleague_id).exists()


def _stand_ins(person_id: int, organization_id: int) -> QuerySet[Person]:
    mine = Membership.objects.filter(person=person_id, organization=organization_id, role=OuterRef("role"))
    shared = Membership.objects.filter(Exists(mine), organization=organization_id, person=OuterRef("pk"))
    return Person.objects.filter(Exists(shared), is_active=True).exclude(pk=person_id)
