"""The people who decide on their insurers' policies, and the policies they bring into being."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from authz.access import selectors as access_selectors
from authz.access import services as access
from authz.access.models import Organization
from authz.access.roles import Actor, Role
from authz.ids import PayerPolicyId
from authz.policies import services
from authz.policies.models import PayerPolicy
from tests import cast as stage
from tests.cast import NOW, Cast
from tests.policies.documents import strict


@dataclass(frozen=True)
class Office:
    """Evergreen's Ada and Ben, and Summit's Sue, who decide on their insurer's policies."""

    cast: Cast
    ada: Actor
    ben: Actor
    sue: Actor

    def drafted(self, document: dict[str, Any] | None = None) -> PayerPolicy:
        return services.draft_policy(document=document or strict(), by=self.ada, now=NOW)

    def active(self, document: dict[str, Any] | None = None) -> PayerPolicy:
        return services.activate_policy(policy_id=key_of(self.drafted(document)), by=self.ben, now=NOW)

    def retired(self, on: date, document: dict[str, Any] | None = None) -> PayerPolicy:
        return services.retire_policy(policy_id=key_of(self.active(document)), retired_on=on, by=self.ada, now=NOW)


def admin(name: str, organization: Organization) -> Actor:
    person = access.create_person(email=f"{name}@example.org", full_name=name.title(), password=stage.PASSWORD)
    access.add_membership(person=person, organization=organization, role=Role.INSURER_ADMIN)
    return access_selectors.actor_for(person=person, organization=organization)


def an_office(cast: Cast) -> Office:
    return Office(cast, admin("ada", cast.evergreen), admin("ben", cast.evergreen), admin("sue", cast.summit))


def key_of(row: PayerPolicy) -> PayerPolicyId:
    return PayerPolicyId(row.public_id)
