"""What endpoints hear, in which order, and what happens while their receivers do not answer."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.conf import LazySettings
from django.db import connection

from authz.access.models import Organization
from authz.audit.models import AuditEntry
from authz.ids import WebhookDeliveryId
from authz.notifications import selectors, services
from authz.notifications.channels.webhook import endpoints
from authz.notifications.channels.webhook import selectors as webhooks
from authz.notifications.channels.webhook import services as webhook
from authz.notifications.channels.webhook.models import WebhookEndpoint
from authz.notifications.matrix import MATRIX, PERSONAL, ChannelName
from authz.notifications.models import Delivery
from authz.outbox.backoff import wait_after
from authz.outbox.models import OutboxMessage
from authz.pain.services import HINT_FOUND
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import determinations
from tests import cast as stage
from tests.cast import NOW, Cast
from tests.notifications.hooks import administrator, announce_test, key_of, registered, tell, to_hooks
from tests.notifications.stage import SOON, drain, say
from tests.pain.stage import hinted
from tests.receiver import Mood, Receiver

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=10)
NEXT_DAY = NOW + timedelta(hours=25)


@pytest.fixture
def endpoint(cast: Cast, receiver: Receiver) -> WebhookEndpoint:
    """Riverside's only endpoint."""
    return registered(cast.riverside, receiver)


def said(receiver: Receiver) -> list[tuple[str, str]]:
    """Return the topic of everything heard, and the id of what it is about."""
    bodies = [json.loads(heard.body) for heard in receiver.heard]
    return [(body["type"], body["data"]["id"]) for body in bodies]


def test_an_endpoint_is_told_what_happened_and_to_what_and_nothing_else(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver, settings: LazySettings
) -> None:
    settings.BASE_URL = "https://authz.example"
    prior_auth = stage.detected(cast)

    tell()

    (heard,), (delivery,) = receiver.heard, to_hooks()
    assert json.loads(heard.body) == {
        "type": "prior-auth.opened",
        "timestamp": "2025-03-03T15:00:00.000000Z",
        "data": {
            "object": "prior_authorization",
            "id": str(prior_auth.public_id),
            "link": f"https://authz.example/prior-auths/{prior_auth.public_id}/",
        },
    }
    assert heard.headers["content-type"] == "application/json"
    assert heard.headers["webhook-id"] == str(delivery.public_id)
    assert (delivery.sent_at, delivery.response_status, delivery.attempts) == (SOON, 204, 1)


def test_whatever_is_no_2xx_is_tried_again_under_the_same_id(endpoint: WebhookEndpoint, receiver: Receiver) -> None:
    announce_test(endpoint)
    kept = []
    for hours, status in enumerate((199, 302, 400, 404, 429, 500, 503)):
        receiver.status, receiver.headers = status, {"Location": receiver.url}
        tell(SOON + timedelta(hours=hours))
        (delivery,) = to_hooks()
        kept.append((delivery.sent_at, delivery.last_error, delivery.response_status))
    receiver.status = 299
    tell(NEXT_DAY)

    (delivery,) = to_hooks()
    assert kept == [(None, f"status-{status}", status) for status in (199, 302, 400, 404, 429, 500, 503)]
    assert (delivery.sent_at, delivery.last_error, delivery.response_status) == (NEXT_DAY, "", 299)
    assert set(receiver.ids) == {str(delivery.public_id)}
    assert len({heard.body for heard in receiver.heard}) == 1
    assert len({heard.headers["webhook-timestamp"] for heard in receiver.heard}) == len(receiver.heard) == 8


def test_a_receiver_that_is_silent_after_having_refused_has_no_status(
    endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    announce_test(endpoint)
    receiver.status = 500
    tell()
    receiver.mood = Mood.BABBLE

    tell(LATER)

    (delivery,) = to_hooks()
    assert (delivery.last_error, delivery.response_status, delivery.attempts) == ("not-http", None, 2)


def test_a_later_event_of_a_request_waits_for_the_earlier_one_and_other_requests_do_not(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    first = stage.detected(cast)
    receiver.status = 500
    tell()
    say(first, "prior-auth.approved")
    announce_test(endpoint)
    receiver.status = 204

    tell()
    assert said(receiver)[1:] == [("webhook.test", str(endpoint.public_id))]
    tell(LATER)

    of_first = [topic for topic, subject in said(receiver) if subject == str(first.public_id)]
    assert of_first == ["prior-auth.opened", "prior-auth.opened", "prior-auth.approved"]


def test_what_was_to_follow_to_a_receiver_that_is_away_is_not_tried(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    stage.detected(cast)
    stage.detected(cast)
    receiver.status = 503

    tell()
    tried = sorted(delivery.attempts for delivery in to_hooks())
    receiver.status = 204
    tell(NEXT_DAY)

    assert tried == [0, 1]
    assert [delivery.sent_at for delivery in to_hooks()] == [NEXT_DAY, NEXT_DAY]


class Broken:
    """A channel with an error of our own."""

    def deliver(self, delivery: Delivery, *, now: datetime) -> None:
        raise ZeroDivisionError


def test_an_error_of_ours_on_one_event_keeps_none_leased_that_was_to_follow(
    cast: Cast, endpoint: WebhookEndpoint
) -> None:
    stage.detected(cast)
    stage.detected(cast)
    while services.fan_out_next(now=SOON):
        pass

    with pytest.raises(ZeroDivisionError):
        services.deliver_next(now=SOON, channel=ChannelName.WEBHOOK, channels={ChannelName.WEBHOOK: Broken()})

    assert sorted((delivery.attempts, delivery.due_at == SOON) for delivery in to_hooks()) == [(0, True), (1, False)]


def test_a_dead_event_does_not_hold_up_the_next_of_its_request(endpoint: WebhookEndpoint, receiver: Receiver) -> None:
    announce_test(endpoint)
    receiver.status = 500
    tell()
    Delivery.objects.update(attempts=webhook.PATIENCE.attempts - 1)
    tell(LATER)
    receiver.status = 204
    announce_test(endpoint)

    tell(LATER)

    dead, told = to_hooks()
    assert (dead.dead_at, dead.last_error, told.sent_at) == (LATER, "status-500", LATER)


def test_one_endpoint_that_is_away_holds_up_neither_another_nor_people(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    WebhookEndpoint.objects.update(url=f"https://127.0.0.1:{receiver.port}/no-tls-here")
    well = registered(cast.riverside, receiver)
    stage.detected(cast)

    drain()

    assert endpoint.deliveries.get().last_error == "tls-failed"
    assert well.deliveries.get().sent_at == SOON
    assert selectors.inbox(cast.stella).count() == 1


def test_a_receiver_that_is_away_is_asked_once_in_a_while_and_not_once_for_every_request(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    stage.detected(cast)
    announce_test(endpoint)
    receiver.status = 503

    tell()

    endpoint.refresh_from_db()
    assert len(receiver.heard) == endpoint.failures == 1
    assert endpoint.held_until == SOON + wait_after(1, seed=f"endpoint/{endpoint.pk}")
    assert sorted(delivery.attempts for delivery in to_hooks()) == [0, 1]


def test_what_a_receiver_refuses_for_its_own_reasons_holds_up_nothing_else(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    stage.detected(cast)
    announce_test(endpoint)
    receiver.status = 400

    tell()

    endpoint.refresh_from_db()
    assert len(receiver.heard) == 2
    assert (endpoint.failures, endpoint.held_until) == (0, None)


def test_how_long_a_receiver_asks_to_wait_is_heeded(endpoint: WebhookEndpoint, receiver: Receiver) -> None:
    announce_test(endpoint)
    receiver.status, receiver.headers = 429, {"Retry-After": "900"}

    tell()

    endpoint.refresh_from_db()
    assert endpoint.held_until == to_hooks()[0].due_at == SOON + timedelta(minutes=15)
    assert tell(SOON + timedelta(minutes=14)) == 0


def test_a_receiver_that_was_down_for_a_day_hears_everything_once_and_in_order(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    requests = [str(stage.detected(cast).public_id), str(endpoint.public_id)]
    receiver.status = 503
    say(PriorAuth.objects.get(), "prior-auth.need-in-doubt")
    say(PriorAuth.objects.get(), "prior-auth.approved")
    for _ in range(3):
        announce_test(endpoint)
    tried = sum(tell(SOON + timedelta(minutes=minutes)) for minutes in range(0, 25 * 60, 45))
    receiver.heard.clear()
    receiver.status = 204

    tell(NEXT_DAY + timedelta(hours=1))

    told = dict.fromkeys(requests, ())
    for topic, subject in said(receiver):
        told[subject] += (topic,)
    assert told == {
        requests[0]: ("prior-auth.opened", "prior-auth.need-in-doubt", "prior-auth.approved"),
        requests[1]: ("webhook.test",) * 3,
    }
    assert len(set(receiver.ids)) == 6
    endpoint.refresh_from_db()
    assert (endpoint.failures, endpoint.held_until) == (0, None)
    assert not Delivery.objects.filter(channel="webhook", sent_at=None).exists()
    assert 20 < tried < 40


def test_the_attempts_of_one_single_event_reach_over_more_than_a_day() -> None:
    patience = webhook.PATIENCE
    waits = [wait_after(n, seed="authz_delivery/1", longest=patience.longest) for n in range(1, patience.attempts)]

    assert sum(waits, timedelta()) > timedelta(hours=30)
    assert max(waits) < timedelta(minutes=40)


def test_410_pauses_the_endpoint_and_what_waits_is_delivered_when_it_is_active_again(
    endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    announce_test(endpoint)
    announce_test(endpoint)
    receiver.status = 410
    tell()
    receiver.status = 204
    assert tell(LATER) == 0
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.paused_because) == ("paused", "gone")
    assert AuditEntry.objects.filter(action="pause", subject_id=endpoint.public_id).count() == 1

    uma = administrator(endpoint.organization)
    endpoints.change(endpoint_id=key_of(endpoint), is_paused=False, by=uma, now=LATER)
    tell(LATER)

    assert [delivery.sent_at for delivery in to_hooks()] == [LATER, LATER]


def test_what_waits_for_a_deactivated_endpoint_is_given_up_without_a_call(
    endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    announce_test(endpoint)
    receiver.status = 500
    tell()
    endpoints.deactivate(endpoint_id=key_of(endpoint), by=administrator(endpoint.organization), now=SOON)

    tell(LATER)

    (delivery,) = to_hooks()
    assert (delivery.dead_at, delivery.last_error) == (LATER, webhook.DEACTIVATED)
    assert len(receiver.heard) == 1


def test_a_secret_that_cannot_be_read_is_a_code_and_not_the_end_of_the_worker(
    endpoint: WebhookEndpoint, settings: LazySettings
) -> None:
    announce_test(endpoint)
    settings.ENCRYPTION_KEYS = ["another key altogether, of enough length"]

    tell()

    assert to_hooks()[0].last_error == "secret-unreadable"


def test_what_was_delivered_comes_again_under_its_id_when_it_is_replayed_and_not_before(
    endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    announce_test(endpoint)
    receiver.status = 500
    tell()
    key, uma = WebhookDeliveryId(to_hooks()[0].public_id), administrator(endpoint.organization)
    with pytest.raises(endpoints.StillWaiting):
        endpoints.replay(delivery_id=key, by=uma, now=SOON)
    receiver.status = 204
    tell(LATER)

    endpoints.replay(delivery_id=key, by=uma, now=NEXT_DAY)
    tell(NEXT_DAY)

    assert receiver.ids == [str(key)] * 3
    assert to_hooks()[0].sent_at == NEXT_DAY


def test_what_waits_is_found_by_an_index_of_its_endpoint(endpoint: WebhookEndpoint) -> None:
    line = webhooks.line_of(endpoint.pk).filter(due_at__lte=SOON, dead_at=None).order_by("due_at", "pk")[:1]

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plan = line.explain()

    assert "delivery_by_endpoint" in plan
    assert "delivery_in_endpoints_line" in plan
    assert "Sort " not in plan.partition("SubPlan")[0]


# -- who hears what --------------------------------------------------------------------------------------------------
EVERYTHING = sorted(set(MATRIX) - PERSONAL)


@pytest.fixture
def organizations(cast: Cast, receiver: Receiver) -> Iterator[dict[str, Organization]]:
    """Every organization, each with an endpoint that hears of everything it may."""
    everyone = {"ours": cast.riverside, "theirs": cast.evergreen, "a clinic": cast.hillside, "an insurer": cast.summit}
    for organization in everyone.values():
        registered(organization, receiver)
    return everyone


def hearing(organizations: dict[str, Organization], prior_auth: PriorAuth) -> dict[str, set[str]]:
    """Return by topic whose endpoints hear of it."""
    names = {organization.pk: name for name, organization in organizations.items()}
    messages = [OutboxMessage(topic=topic, subject_id=prior_auth.public_id) for topic in EVERYTHING]
    return {
        message.topic: {names[endpoint.organization_id] for endpoint in webhooks.listening(message)}
        for message in messages
    }


def test_each_side_hears_of_what_its_people_hear_of_and_strangers_of_nothing(
    cast: Cast, organizations: dict[str, Organization]
) -> None:
    heard = hearing(organizations, stage.in_review(cast))

    assert heard["prior-auth.submitted"] == {"theirs"}
    assert heard["prior-auth.approved"] == {"ours"}
    assert heard["appeal.received"] == {"ours", "theirs"}
    assert all(heard.values())
    assert set().union(*heard.values()) == {"ours", "theirs"}


def test_an_insurers_endpoint_hears_nothing_of_a_request_that_never_came_to_it(
    cast: Cast, organizations: dict[str, Organization]
) -> None:
    heard = hearing(organizations, stage.detected(cast))

    assert set().union(*heard.values()) == {"ours"}


@pytest.mark.usefixtures("organizations")
def test_of_a_pain_hint_no_system_hears(cast: Cast) -> None:
    hinted(cast)

    assert webhooks.listening(OutboxMessage.objects.get(topic=HINT_FOUND)) == []


def test_an_endpoint_hears_of_the_topics_it_names_alone(cast: Cast, receiver: Receiver) -> None:
    registered(cast.riverside, receiver, topics=["prior-auth.denied"])

    heard = hearing({"ours": cast.riverside}, stage.detected(cast))

    assert [topic for topic, names in heard.items() if names] == ["prior-auth.denied"]


def test_an_endpoint_that_heard_of_a_decision_is_no_notice_to_the_clinic(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    prior_auth = stage.in_review(cast)
    determinations.approve(prior_auth_id=stage.key_of(prior_auth), by=cast.rae, now=NOW)

    tell()

    assert ("prior-auth.approved", str(prior_auth.public_id)) in said(receiver)
    Delivery.objects.filter(endpoint=None).update(sent_at=None)
    assert selectors.decision_notices(prior_auth) == []
