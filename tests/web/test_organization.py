"""The organization's pages: its people, its webhooks with their log, how many messages people get."""

from html import unescape

import pytest
from django.conf import LazySettings
from django.test import Client

from authz.administration.models import Invitation
from authz.notifications.channels.webhook.models import WebhookEndpoint
from authz.notifications.models import Delivery
from tests.cast import NOW, PASSWORD, Cast, detected
from tests.notifications.hooks import administrator, tell
from tests.receiver import Receiver
from tests.web.conftest import Door
from tests.web.reading import findings

PAGES = ["/organization/people/", "/organization/webhooks/", "/organization/messages/"]


@pytest.fixture(autouse=True)
def _no_nudges(settings: LazySettings) -> None:
    settings.OUTBOX_NUDGE = "tests.outbox.bell.ring"


@pytest.fixture
def uma(cast: Cast) -> Client:
    """Riverside's administrator, logged in."""
    administrator(cast.riverside)
    client = Client()
    email = f"admin-{cast.riverside.pk}-2@example.org"
    answer = client.post("/log-in/", {"email": email, "password": PASSWORD})
    assert answer.status_code == 302
    return client


def seen(client: Client, path: str, *, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    assert findings(answer.content.decode()) == []
    return unescape(answer.content.decode())


@pytest.mark.parametrize("path", PAGES)
def test_the_pages_are_for_administrators_alone(cast: Cast, enter: Door, uma: Client, path: str) -> None:
    assert "Organization</a>" in seen(uma, path)
    assert "Organization</a>" not in seen(enter("stella"), path, status=403)


def test_the_people_are_there_with_their_roles_and_no_strangers(cast: Cast, uma: Client) -> None:
    people = seen(uma, "/organization/people/")

    assert "jones@example.org" in people
    assert "Clinic staff" in people
    assert "Mallory" not in people


def test_somebody_is_invited_gets_a_new_link_and_is_not_invited_any_more(cast: Cast, uma: Client) -> None:
    wrong = uma.post("/organization/people/", {"email": "new@", "roles": "reviewer"})
    uma.post("/organization/people/", {"email": "New@example.org", "roles": ["staff", "prescriber"]})
    first = Invitation.objects.get()
    invited = seen(uma, "/organization/people/")
    uma.post(f"/organization/invitations/{first.public_id}/send-again/")
    second = Invitation.objects.get(withdrawn_at=None)
    uma.post(f"/organization/invitations/{second.public_id}/withdraw/")
    again = uma.post(f"/organization/invitations/{second.public_id}/withdraw/", follow=True)

    assert wrong.status_code == 422
    assert findings(wrong.content.decode()) == []
    assert "There is no such role here." in wrong.content.decode()
    assert "new@example.org" in invited
    assert "Mail still to be sent" in invited
    assert (second.email, second.roles) == (first.email, first.roles)
    assert not Invitation.objects.filter(withdrawn_at=None).exists()
    assert "new@example.org" not in again.content.decode()


def test_who_accepted_is_invited_no_more_and_strangers_invitations_do_not_exist(
    cast: Cast, enter: Door, uma: Client
) -> None:
    uma.post("/organization/people/", {"email": "new@example.org", "roles": "staff"})
    Invitation.objects.update(accepted_at=NOW)
    path = f"/organization/invitations/{Invitation.objects.get().public_id}"

    accepted = uma.post(f"{path}/send-again/", follow=True)

    assert "The invitation was accepted already." in accepted.content.decode()
    assert Invitation.objects.count() == 1
    assert enter("stella").post(f"{path}/withdraw/").status_code == 403
    assert enter("stella").post("/organization/people/", {}).status_code == 403
    administrator(cast.hillside)
    other = Client()
    other.post("/log-in/", {"email": f"admin-{cast.hillside.pk}-2@example.org", "password": PASSWORD})
    assert other.post(f"{path}/withdraw/").status_code == 404
    assert uma.post(f"{path}/burn/").status_code == 404


def test_an_endpoint_shows_its_secret_once_and_its_log_with_a_replay(
    cast: Cast, uma: Client, receiver: Receiver
) -> None:
    made = uma.post("/organization/webhooks/", {"url": receiver.url, "description": "The record system"})
    endpoint = WebhookEndpoint.objects.get()
    path = f"/organization/webhooks/{endpoint.public_id}/"
    tried = uma.post(f"{path}test/")
    tell(NOW.replace(year=2100))
    log = seen(uma, path)
    delivery = Delivery.objects.get(endpoint=endpoint)
    again = uma.post(f"{path}deliveries/{delivery.public_id}/replay/")
    twice = uma.post(f"{path}deliveries/{delivery.public_id}/replay/")

    assert findings(made.content.decode()) == []
    assert "whsec_" in made.content.decode()
    assert "whsec_" not in log
    assert tried.status_code == again.status_code == 302
    assert "webhook.test" in log
    assert "Delivered" in log
    assert twice.status_code == 409
    assert "still waiting to be made" in twice.content.decode()


def test_an_endpoint_is_changed_paused_given_a_new_secret_and_ended(
    cast: Cast, uma: Client, receiver: Receiver
) -> None:
    uma.post("/organization/webhooks/", {"url": receiver.url})
    endpoint = WebhookEndpoint.objects.get()
    path = f"/organization/webhooks/{endpoint.public_id}/"

    wrong = uma.post(path, {"url": "gopher://x/", "description": "Kept as typed"})
    uma.post(path, {"url": receiver.url, "description": "Ours", "topics": "prior-auth.approved"})
    uma.post(f"{path}pause/")
    paused = seen(uma, path)
    refused = uma.post(f"{path}test/")
    secret = uma.post(f"{path}rotate-secret/").content.decode()
    uma.post(f"{path}deactivate/")

    assert wrong.status_code == 422
    assert "Kept as typed" in wrong.content.decode()
    assert "Make it active" in paused
    assert "Ours" in paused
    assert refused.status_code == 409
    assert "whsec_" in secret
    assert "Change it" not in seen(uma, path)
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.topics) == ("deactivated", ["prior-auth.approved"])


def test_another_organizations_endpoint_does_not_exist(cast: Cast, uma: Client, receiver: Receiver) -> None:
    uma.post("/organization/webhooks/", {"url": receiver.url})
    endpoint = WebhookEndpoint.objects.get()
    administrator(cast.hillside)
    other = Client()
    other.post("/log-in/", {"email": f"admin-{cast.hillside.pk}-2@example.org", "password": PASSWORD})
    path = f"/organization/webhooks/{endpoint.public_id}/"

    answers = [other.get(path), other.post(f"{path}test/"), other.post(f"{path}rotate-secret/"), other.post(path)]

    assert {answer.status_code for answer in answers} == {404}


def test_days_of_which_nothing_is_kept_are_named_and_the_last_thirty_shown(cast: Cast, uma: Client) -> None:
    detected(cast)

    told = seen(uma, "/organization/messages/?since=2001-01-01")

    assert "Messages are kept since" in told
    assert "Nobody got a message in these days." in told
