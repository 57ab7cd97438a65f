"""Who a bearer token stands for, and when it stands for nobody."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from authz.access import selectors, services
from authz.access.machines import services as machines
from authz.access.models import AccessToken, Membership
from authz.access.roles import ALLOWED, Action, Actor, Role, may
from authz.access.selectors import TokenRefused
from authz.access.services import LogInRefused, OrganizationNeeded
from authz.errors import InvalidInput
from tests.cast import NOW, PASSWORD, Cast, later


def test_a_person_logs_in_for_their_organization(cast: Cast) -> None:
    text, token = services.log_in(email="Stella@Example.org", password=PASSWORD, now=NOW)

    assert selectors.actor_for_token(text, now=NOW) == cast.stella
    assert text not in str(token.__dict__), "only a hash of the token is kept"


@pytest.mark.parametrize(("email", "password"), [("stella@example.org", "wrong"), ("nobody@example.org", PASSWORD)])
def test_a_refused_log_in_does_not_say_which_part_was_wrong(cast: Cast, email: str, password: str) -> None:
    with pytest.raises(LogInRefused) as refusal:
        services.log_in(email=email, password=password, now=NOW)

    assert refusal.value.detail == "The e-mail address or the password is wrong."
    assert not AccessToken.objects.exists()


def test_someone_of_two_organizations_says_for_which(cast: Cast) -> None:
    services.add_membership(person=cast.people["stella"], organization=cast.hillside, role=Role.STAFF)

    with pytest.raises(OrganizationNeeded):
        services.log_in(email="stella@example.org", password=PASSWORD, now=NOW)
    text, _ = services.log_in(
        email="stella@example.org", password=PASSWORD, organization_id=cast.hillside.public_id, now=NOW
    )

    assert selectors.actor_for_token(text, now=NOW).organization_id == cast.hillside.pk


def test_nobody_logs_in_for_an_organization_that_is_not_theirs(cast: Cast) -> None:
    with pytest.raises(LogInRefused):
        services.log_in(
            email="stella@example.org", password=PASSWORD, organization_id=cast.evergreen.public_id, now=NOW
        )


def test_a_token_ends_by_itself_and_by_hand(cast: Cast) -> None:
    text, token = services.log_in(email="stella@example.org", password=PASSWORD, now=NOW)

    assert selectors.actor_for_token(text, now=token.expires_at - timedelta(seconds=1)) == cast.stella
    with pytest.raises(TokenRefused):
        selectors.actor_for_token(text, now=token.expires_at)
    services.revoke_token(token=text, now=NOW)
    with pytest.raises(TokenRefused):
        selectors.actor_for_token(text, now=later(0.1))


def test_someone_who_has_left_loses_every_token(cast: Cast) -> None:
    text, _ = services.log_in(email="stella@example.org", password=PASSWORD, now=NOW)
    cast.people["stella"].is_active = False
    cast.people["stella"].save()

    with pytest.raises(TokenRefused):
        selectors.actor_for_token(text, now=NOW)


def test_a_clinic_has_no_reviewers(cast: Cast) -> None:
    with pytest.raises(InvalidInput):
        machines.create_client(organization=cast.riverside, name="Robot", roles={Role.PHYSICIAN})
    with pytest.raises(InvalidInput):
        services.add_membership(person=cast.people["stella"], organization=cast.riverside, role=Role.REVIEWER)


def test_nobody_can_be_made_the_system(cast: Cast) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(person=cast.people["stella"], organization=cast.riverside, role=Role.SYSTEM.value)


@pytest.mark.parametrize("action", Action)
def test_every_action_is_somebodys_and_nothing_is_for_those_without_a_role(action: Action) -> None:
    assert ALLOWED[action]
    assert not may(Actor(name="Nobody", roles=frozenset()), action)
