"""Who is told on a rung of the ladder, and which matters are to be looked at."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db.models import QuerySet

from authz.access.models import Membership
from authz.access.roles import OrganizationKind, Role
from authz.notifications.matrix import Notice
from authz.notifications.matters.ladder import Rung
from authz.notifications.matters.models import Escalation, Matter
from authz.notifications.matters.standing import stands
from authz.notifications.models import Delivery
from authz.notifications.selectors import Recipient
from authz.notifications.wishes.selectors import delegates_of
from authz.outbox.models import OutboxMessage


def due(*, now: datetime) -> QuerySet[Matter]:
    """Return the open matters whose next rung may be due, the longest due first."""
    return Matter.objects.filter(closed_at=None, next_at__lte=now).order_by("next_at", "pk")


def with_open_matters(prior_auth_ids: Collection[int]) -> Collection[int]:
    """Return which of the requests have open matters, all by their inside keys."""
    open_ones = Matter.objects.filter(prior_auth__in=prior_auth_ids, closed_at=None)
    return set(open_ones.values_list("prior_auth_id", flat=True)) if prior_auth_ids else set()


def taken(matter: Matter) -> set[Rung]:
    """Return the rungs taken for a matter."""
    return {Rung(rung) for rung in matter.escalations.values_list("rung", flat=True)}


def recipients(message: OutboxMessage) -> Mapping[Recipient, Notice]:
    """Return whom to tell that a rung was taken; nobody when the matter is closed by now.

    :raises ObjectDoesNotExist: when there is no such rung.
    """
    escalation = Escalation.objects.select_related("matter__organization").get(public_id=message.subject_id)
    matter = escalation.matter
    return told_on(matter, Rung(escalation.rung)) if stands(matter) else {}


def told_on(matter: Matter, rung: Rung) -> Mapping[Recipient, Notice]:
    """Return whom a rung tells: who is a member of the organization now. Reminded in the inbox alone is a queue."""
    notice = Notice(goes_out=matter.goes_out or rung is not Rung.REMINDER, needs_act=True)
    first = _first_told(matter)
    if rung is Rung.REMINDER:
        return {Recipient(person, matter.organization_id): notice for person in first}
    if rung is Rung.DELEGATE:
        return {
            Recipient(delegate.colleague_id, matter.organization_id, delegate.person_id): notice
            for delegate in delegates_of(first, organization_id=matter.organization_id)
            if delegate.colleague_id not in first
        }
    others = _members(matter, _team(matter, first) if rung is Rung.TEAM else _administrators(matter))
    return {Recipient(person, matter.organization_id): notice for person in others if person not in first}


def _first_told(matter: Matter) -> set[int]:
    told = Delivery.objects.filter(message=matter.message_id, organization=matter.organization_id, needs_act=True)
    people = told.filter(on_behalf_of=None).values_list("recipient", flat=True)
    return set(_members(matter, frozenset(Role)).filter(person__in=people))


def _members(matter: Matter, roles: frozenset[Role]) -> "QuerySet[Membership, int]":
    found = Membership.objects.filter(
        organization=matter.organization_id, person__is_active=True, role__in=[role.value for role in roles]
    )
    return found.order_by("person").values_list("person", flat=True).distinct()


def _team(matter: Matter, first: set[int]) -> frozenset[Role]:
    if matter.organization.kind == OrganizationKind.CLINIC.value:
        return frozenset({Role.STAFF})
    mine = Membership.objects.filter(organization=matter.organization_id, person__in=first)
    return frozenset(Role(role) for role in mine.values_list("role", flat=True)) - {Role.INSURER_ADMIN}


def _administrators(matter: Matter) -> frozenset[Role]:
    is_clinic = matter.organization.kind == OrganizationKind.CLINIC.value
    return frozenset({Role.CLINIC_ADMIN if is_clinic else Role.INSURER_ADMIN})
