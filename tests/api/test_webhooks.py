"""Webhook endpoints over the API, as an administrator's own systems manage them."""

from typing import Any

import pytest

from authz import clock
from authz.access.roles import Role
from authz.api.models import IdempotentAnswer
from authz.notifications.channels.webhook.models import WebhookEndpoint
from authz.notifications.models import Delivery
from tests import cast as stage
from tests.api.callers import Caller, field_errors, machine, nothing_changes, refused
from tests.notifications.hooks import tell
from tests.receiver import Receiver

HERE = "webhook-endpoints/"


@pytest.fixture
def uma(cast: stage.Cast) -> Caller:
    """A machine that administers Riverside."""
    return machine(cast.riverside, Role.CLINIC_ADMIN)


def register(caller: Caller, receiver: Receiver, **more: Any) -> dict[str, Any]:
    answer = caller.post(HERE, {"url": receiver.url, **more})
    assert answer.status_code == 201, answer.content
    told: dict[str, Any] = answer.json()
    return told


def test_an_endpoint_is_registered_read_changed_and_deactivated(uma: Caller, receiver: Receiver) -> None:
    made = uma.post(HERE, {"url": receiver.url, "topics": ["prior-auth.denied"], "description": "Our record system"})
    told = made.json()
    path = f"{HERE}{told['id']}/"

    assert (made.status_code, made["Location"]) == (201, f"/api/v1/{path}")
    assert told["secret"].startswith("whsec_")
    whole = {name: value for name, value in told.items() if name != "secret"}
    assert (whole["state"], whole["paused_because"], whole["topics"]) == ("active", None, ["prior-auth.denied"])
    assert uma.get(path).json() == whole
    assert uma.get(HERE).json()["results"] == [whole]
    changed = uma.patch(path, {"topics": [], "is_paused": True, "description": ""})
    expected = {**whole, "topics": [], "state": "paused", "paused_because": "asked", "description": ""}
    assert changed.json() == expected
    assert uma.delete(path).status_code == 204
    assert uma.get(path).json() == {**expected, "state": "deactivated", "paused_because": None}
    refused(uma.patch(path, {"is_paused": False}), 409, "endpoint-not-active")


def test_a_secret_is_told_once_and_kept_in_no_answer(uma: Caller, receiver: Receiver) -> None:
    first = uma.post(HERE, {"url": receiver.url}, key="once")
    again = uma.post(HERE, {"url": receiver.url}, key="once")
    path = f"{HERE}{first.json()['id']}/rotate-secret/"
    rotated, repeated = uma.post(path, key="anew"), uma.post(path, key="anew")

    assert again.json() == {**first.json(), "secret": None}
    assert again["Idempotency-Replayed"] == "true"
    assert rotated.json()["secret"] != first.json()["secret"]
    assert repeated.json() == {**rotated.json(), "secret": None}
    assert WebhookEndpoint.objects.count() == 1
    assert "whsec_" not in str(list(IdempotentAnswer.objects.values()))


def test_a_test_event_is_in_the_log_with_what_came_of_it(uma: Caller, receiver: Receiver) -> None:
    endpoint = register(uma, receiver)
    receiver.status = 404

    asked = uma.post(f"{HERE}{endpoint['id']}/test/")
    tell(clock.now())
    (told,) = uma.get(asked["Location"].removeprefix("/api/v1/")).json()["results"]

    assert asked.status_code == 202
    assert told["id"] == receiver.ids[0]
    assert (told["topic"], told["state"], told["attempts"]) == ("webhook.test", "waiting", 1)
    assert (told["response_status"], told["last_error"], told["delivered_at"]) == (404, "status-404", None)
    assert told["next_attempt_at"] > told["happened_at"]


def test_a_dead_delivery_is_replayed(uma: Caller, receiver: Receiver) -> None:
    endpoint = register(uma, receiver)
    uma.post(f"{HERE}{endpoint['id']}/test/")
    tell(clock.now())
    delivery = Delivery.objects.get()
    path = f"webhook-deliveries/{delivery.public_id}/replay/"

    replayed = uma.post(path)

    assert (replayed.status_code, replayed.json()["state"], replayed.json()["attempts"]) == (202, "waiting", 0)
    refused(uma.post(path), 409, "delivery-waiting")


def test_every_wrong_field_is_named_and_nothing_is_registered(uma: Caller, receiver: Receiver) -> None:
    with nothing_changes():
        shape = uma.post(HERE, {"url": 7, "topics": ["prior-auth.denied", "weather"], "secret": "mine"})
        sense = uma.post(HERE, {"url": "https://169.254.169.254/", "topics": ["prior-auth.submitted"]})
        unsafe = uma.post(HERE, {"url": "http://example.org:80/"})

    assert set(field_errors(shape)) == {"url", "topics[1]", "secret"}
    assert set(field_errors(sense)) == {"url", "topics[0]"}
    assert field_errors(unsafe)["url"][1] == "The operator does not allow calls to this port."


def test_there_is_a_limit(uma: Caller, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("authz.notifications.channels.webhook.endpoints.MOST_ENDPOINTS", 1)
    register(uma, receiver)

    with nothing_changes():
        refused(uma.post(HERE, {"url": receiver.url}), 409, "limit-reached")
