"""Administrators see how many messages their own people get."""

from datetime import timedelta

import pytest
from django.utils.timezone import localdate

from authz import clock
from authz.access import services as access
from authz.access.roles import Role
from authz.notifications import services
from tests import cast as stage
from tests.api.callers import field_errors, person
from tests.notifications.hooks import registered
from tests.post_office import PostOffice
from tests.receiver import Receiver


@pytest.fixture
def told(transactional_db: None, post_office: PostOffice, receiver: Receiver) -> stage.Cast:
    """Today, Stella, Dr Jones and a system of theirs were told that a request was opened; Uma administers."""
    cast = stage.assemble()
    uma = access.create_person(email="uma@example.org", full_name="Uma Field", password=stage.PASSWORD)
    access.add_membership(person=uma, organization=cast.riverside, role=Role.CLINIC_ADMIN)
    registered(cast.riverside, receiver)
    stage.detected(cast)
    while services.fan_out_next(now=clock.now()) or services.send_next(now=clock.now()):
        pass
    return cast


def lately() -> dict[str, str]:
    today = localdate(timezone=None)
    return {"since": str(today - timedelta(days=2)), "until": str(today + timedelta(days=1))}


def test_what_people_got_is_counted_and_what_their_systems_heard_is_not(told: stage.Cast) -> None:
    answer = person("uma").get("message-burden/", **lately()).json()

    assert (answer["notices"], answer["needing_act"], answer["sent"]) == (2, 1, {"email": 1, "sms": 0})
    assert (answer["decisions"], answer["sent_per_decision"]) == (0, None)
    assert [(one["name"], one["notices"], one["sent"]["email"]) for one in answer["people"]] == [
        ("Dr Jones", 1, 1),
        ("Stella Marsh", 1, 0),
    ]


def test_an_administrator_of_another_organization_sees_none_of_it(told: stage.Cast) -> None:
    answer = person("nora").get("message-burden/", **lately()).json()

    assert (answer["notices"], answer["people"]) == (0, [])


def test_days_of_which_messages_are_not_kept_any_more_are_refused(told: stage.Cast) -> None:
    answer = person("uma").get("message-burden/", since="2025-01-01", until="2025-01-31")

    assert field_errors(answer)["since"][1].startswith("Messages are kept since ")
