"""Second factors and sessions of people."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from authz.access.models import AccessToken, Membership, Person
from authz.access.roles import NEEDING_SECOND_FACTOR
from authz.access.tenancy import across_tenants

SEALED: Final = frozenset({"secret", "seed"})
_SECOND_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


def has_second_factor(person: Person) -> bool:
    """Say whether a person has an authenticator app or a key; recovery codes alone are none."""
    return bool(Authenticator.objects.filter(user=person, type__in=_SECOND_FACTORS).exists())


@across_tenants("a role anywhere asks for a second factor")
def lacks_second_factor(person: Person) -> bool:
    """Say whether a person must set up a second factor before anything else: for one of their roles, anywhere."""
    if not settings.MFA_REQUIRED:
        return False
    theirs = Authenticator.objects.filter(user=OuterRef("person"), type__in=_SECOND_FACTORS)
    needing = Membership.objects.filter(person=person, role__in=sorted(NEEDING_SECOND_FACTOR))
    return needing.filter(~Exists(theirs)).exists()


def sealed_factors() -> QuerySet[Authenticator]:
    """Return the second factors whose data hold something sealed, under the names in SEALED."""
    found: QuerySet[Authenticator] = Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN)
    return found


def sealed_secrets() -> Iterator[str]:
    """Yield every sealed secret of a second factor."""
    for data in sealed_factors().values_list("data", flat=True):
        yield from (data[name] for name in sorted(SEALED & data.keys()))


def sessions(person: Person) -> list[UserSession]:
    """Return a person's sessions that have not ended, the one last begun first."""
    living = UserSession.objects.purge_and_list(person)
    return sorted(living, key=lambda session: session.created_at, reverse=True)


def tokens(person: Person, *, now: datetime) -> list[AccessToken]:
    """Return a person's tokens that have not ended, the newest first."""
    living = AccessToken.objects.filter(person=person, revoked_at=None, expires_at__gt=now)
    with across_tenants("a person's tokens are their own, for whichever organization"):
        return list(living.select_related("organization").order_by("-pk"))


@across_tenants("a role anywhere asks for a second factor")
def may_remove(authenticator: Authenticator) -> bool:
    """Say whether a second factor may go: not the last one of somebody whose role needs one."""
    if not settings.MFA_REQUIRED:
        return True
    person = authenticator.user
    others = Authenticator.objects.filter(user=person, type__in=_SECOND_FACTORS).exclude(pk=authenticator.pk)
    needs = Membership.objects.filter(person=person, role__in=sorted(NEEDING_SECOND_FACTOR))
    return others.exists() or not needs.exists()
