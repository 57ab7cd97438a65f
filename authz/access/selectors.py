"""Who is acting: read from a token or a session."""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from authz.access.models import AccessToken, Licence, Membership, Organization, Person, ReportingLine
from authz.access.roles import Action, Actor, Profession, Role, must_be_allowed
from authz.access.tenancy import across_tenants, within
from authz.access.tokens import sha256_of
from authz.errors import AuthzError


class TokenRefused(AuthzError):
    """The bearer token is unknown, expired or revoked."""

    code = "token-refused"


@transaction.atomic
def actor_for_token(token: str, *, now: datetime) -> Actor:
    """Return who a bearer token stands for.

    :raises TokenRefused: when it is unknown, expired or revoked, or its person or client is no longer active.
    """
    living = AccessToken.objects.filter(revoked_at=None, expires_at__gt=now)
    with across_tenants("the token tells whose it is"):
        row = living.select_related("person", "client", "organization").filter(key_sha256=sha256_of(token)).first()
    if row is None:
        raise TokenRefused("The token is unknown, expired or revoked. Log in again.")
    if row.client is not None and row.client.is_active:
        roles = frozenset(Role(role) for role in row.client.roles)
        return Actor(
            name=row.client.name,
            roles=roles,
            organization_id=row.organization_id,
            client_id=row.client_id,
            scopes=frozenset(row.scopes or ()),
            requests_a_minute=row.client.requests_a_minute,
        )
    if row.person is not None and row.person.is_active:
        return actor_for(person=row.person, organization=row.organization)
    raise TokenRefused("The account behind this token is no longer active.")


def actor_for(*, person: Person, organization: Organization) -> Actor:
    """Return a person acting for an organization, in all the roles they have there (perhaps none)."""
    held = Membership.objects.filter(person=person, organization=organization).values_list("role", flat=True)
    with within(organization.pk):
        roles = frozenset(Role(role) for role in held)
    return Actor(
        name=person.full_name,
        roles=roles,
        organization_id=organization.pk,
        person_id=person.pk,
    )


@across_tenants("whether the person has a role there is asked before they act for it")
def seat(person: Person, organization_id: UUID) -> tuple[Organization, Actor] | None:
    """Return the organization and the person acting for it; None when they have no role there."""
    held = Membership.objects.filter(person=person, organization__public_id=organization_id)
    rows = list(held.select_related("organization"))
    if not rows:
        return None
    return rows[0].organization, Actor(
        name=person.full_name,
        roles=frozenset(Role(row.role) for row in rows),
        organization_id=rows[0].organization_id,
        person_id=person.pk,
    )


def superiors_of(person_id: int, *, organization_id: int | None) -> set[int]:
    """Return the keys of everybody above a person in an organization: their superior, that one's, and so on."""
    lines = ReportingLine.objects.filter(organization=organization_id).values_list("person_id", "superior_id")
    above, found = dict(lines), set[int]()
    while (superior := above.get(person_id)) is not None and superior not in found:
        found.add(superior)
        person_id = superior
    return found


def licence_on(
    person_id: int, *, professions: Collection[Profession], on: date, specialties: Collection[str] = ()
) -> Licence | None:
    """Return a person's licence of one of the professions that is valid on a day; None without one.

    Where `specialties` are named, it is of one of these.
    """
    valid = Licence.objects.filter(person_id=person_id, valid_from__lte=on, valid_until__gte=on)
    if specialties:
        valid = valid.filter(specialty__in=specialties)
    return valid.filter(profession__in=[profession.value for profession in professions]).order_by("pk").first()


def has_specialty(person_id: int | None, specialties: Collection[str]) -> bool:
    """Say whether any licence of a person's, valid now or not, is of one of these specialties."""
    return person_id is not None and Licence.objects.filter(person_id=person_id, specialty__in=specialties).exists()


def organizations_of(person: Person) -> list[Organization]:
    """Return the organizations in which a person has a role, by name."""
    with across_tenants("whoever logs in has yet to say for whom they act"):
        return list(Organization.objects.filter(memberships__person=person).distinct().order_by("name"))


def organization(by: Actor) -> Organization:
    """Return the organization an actor acts for."""
    return Organization.objects.get(pk=by.organization)


def members(by: Actor) -> dict[Person, list[str]]:
    """Return the people of the actor's organization by name, each with their roles there.

    :raises Forbidden: when the actor does not administer it.
    """
    must_be_allowed(by, Action.READ_MESSAGE_BURDEN)  # which names them all, too
    rows = Membership.objects.filter(organization=by.organization).select_related("person")
    found: dict[Person, list[str]] = {}
    for row in rows.order_by("person__full_name", "person", "role"):
        found.setdefault(row.person, []).append(row.role)
    return found
