"""Organizations, people, clients and their tokens: every write."""

from datetime import date, datetime, timedelta
from secrets import token_urlsafe
from uuid import UUID

from django.conf import settings
from django.db import transaction

from authz.access.models import AccessToken, Licence, Membership, Organization, Person, ReportingLine
from authz.access.people import services as people
from authz.access.people.services import LogInRefused
from authz.access.roles import CLINIC_ROLES, INSURER_ROLES, OrganizationKind, Profession, Role
from authz.access.selectors import organizations_of, superiors_of
from authz.access.specialties import specialty_of
from authz.access.tenancy import within
from authz.access.tokens import sha256_of
from authz.errors import AuthzError, InvalidInput

ROLES_OF = {OrganizationKind.CLINIC: CLINIC_ROLES, OrganizationKind.INSURER: INSURER_ROLES}


class OrganizationNeeded(AuthzError):
    """The person belongs to several organizations and did not say for which one they log in."""

    code = "organization-needed"


@transaction.atomic
def create_organization(
    *, kind: OrganizationKind, name: str, time_zone: str, identifier_system: str = ""
) -> Organization:
    """Create a clinic or an insurer; `time_zone` is an IANA name."""
    return Organization.objects.create(
        kind=kind.value, name=name, time_zone=time_zone, identifier_system=identifier_system
    )


def create_person(*, email: str, full_name: str, password: str, time_zone: str = "America/New_York") -> Person:
    """Create someone who can log in."""
    person = Person(email=email.lower(), full_name=full_name, time_zone=time_zone)
    person.set_password(password)
    person.save()
    return person


def add_membership(*, person: Person, organization: Organization, role: Role) -> Membership:
    """Give a person one role in an organization.

    :raises InvalidInput: when an organization of that kind has no such role.
    """
    must_fit(organization=organization, roles={role})
    return Membership.objects.create(person=person, organization=organization, role=role.value)


@transaction.atomic
def set_superior(*, person: Person, organization: Organization, superior: Person | None) -> None:
    """Record whom a person reports to in an organization, in place of whoever it was; None is nobody.

    :raises InvalidInput: when either has no role there, or the superior is the person's own subordinate.
    """
    Organization.objects.select_for_update().get(pk=organization.pk)
    for one in (person, superior):
        if one and not Membership.objects.filter(person=one, organization=organization).exists():
            raise InvalidInput({"person": [f"{one} has no role in {organization}."]})
    if superior and (superior == person or person.pk in superiors_of(superior.pk, organization_id=organization.pk)):
        raise InvalidInput({"superior": [f"{superior} reports to {person}; nobody can be above themselves."]})
    ReportingLine.objects.filter(person=person, organization=organization).delete()
    if superior:
        ReportingLine.objects.create(person=person, organization=organization, superior=superior)


def record_licence(
    *,
    person: Person,
    number: str,
    state: str,
    specialty: str,
    valid_from: date,
    valid_until: date,
    profession: Profession = Profession.PHYSICIAN,
) -> Licence:
    """Record a clinician's licence; both days are included.

    `specialty` is said by its name or by a code of the provider taxonomy; one that policies cannot name stays as said.
    """
    return Licence.objects.create(
        person=person,
        number=number,
        state=state,
        profession=profession.value,
        specialty=specialty_of(specialty) or specialty,
        valid_from=valid_from,
        valid_until=valid_until,
    )


def log_in(
    *,
    email: str,
    password: str,
    organization_id: UUID | None = None,
    code: str = "",
    source: str = "",
    now: datetime,
) -> tuple[str, AccessToken]:
    """Exchange an e-mail address, a password and the code of a second factor for a bearer token in one organization.

    `source` is the address that the request comes from. Not inside a transaction: a failure is kept.

    :raises LogInRefused: when one of them is wrong, or the person has no role in that organization.
    :raises TooManyLogIns: when that source failed too often.
    :raises SecondFactorNeeded: when the person has a second factor, and there is no code.
    :raises SecondFactorMissing: when the person must have one, and has none.
    :raises OrganizationNeeded: when the person has roles in several and named none.
    """
    person = people.authenticate(email=email, password=password, source=source, now=now)
    people.check_second_factor(person=person, code=code, source=source, now=now)
    return _issue(organization=_organization_of(person, organization_id), person=person, now=now)


def revoke_token(*, token: str, now: datetime) -> None:
    """End a token at once. Ending one that is unknown or has ended changes nothing."""
    AccessToken.objects.filter(key_sha256=sha256_of(token), revoked_at=None).update(revoked_at=now)


def _issue(*, organization: Organization, person: Person, now: datetime) -> tuple[str, AccessToken]:
    text = token_urlsafe(32)
    expires_at = now + timedelta(hours=settings.ACCESS_TOKEN_HOURS)
    with within(organization.pk), transaction.atomic():
        token = AccessToken.objects.create(
            key_sha256=sha256_of(text),
            person=person,
            organization=organization,
            issued_at=now,
            expires_at=expires_at,
        )
    return text, token


def _organization_of(person: Person, organization_id: UUID | None) -> Organization:
    found = [mine for mine in organizations_of(person) if organization_id in {None, mine.public_id}]
    if not found:
        raise LogInRefused("The person has no role in that organization.")
    if len(found) > 1:
        raise OrganizationNeeded(
            "Say for which organization to log in.", organizations=[str(o.public_id) for o in found]
        )
    return found[0]


def must_fit(*, organization: Organization, roles: set[Role]) -> None:
    """Refuse roles that an organization of that kind does not have, and none at all.

    :raises InvalidInput: naming them.
    """
    kind = OrganizationKind(organization.kind)
    strangers = sorted(roles - ROLES_OF[kind])
    if strangers or not roles:
        raise InvalidInput({"roles": [f"A {kind.value} has no such role: {', '.join(strangers) or 'none given'}."]})
