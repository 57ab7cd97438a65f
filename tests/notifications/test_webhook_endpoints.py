"""Who registers endpoints, with what, and what becomes of their secrets."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from authz.access.roles import OrganizationKind
from authz.audit.models import AuditEntry
from authz.errors import Forbidden, InvalidInput, NotFound
from authz.notifications import services
from authz.notifications.channels.webhook import endpoints
from authz.notifications.channels.webhook.models import WebhookEndpoint, WebhookSecret
from authz.notifications.channels.webhook.signature import PREFIX
from authz.notifications.matrix import SIDE, Audience, topics_of
from authz.notifications.models import Delivery
from tests import cast as stage
from tests.cast import NOW, Cast
from tests.notifications.hooks import administrator, announce_test, key_of, registered, secretly_registered, tell
from tests.notifications.stage import SOON, say
from tests.receiver import Heard, Receiver

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=10)
DOC = Path(__file__).resolve().parents[2] / "docs" / "webhooks.md"


def documented() -> Callable[[Mapping[str, str], bytes, str], bool]:
    """Return the function that docs/webhooks.md gives to whoever writes a receiver."""
    code = re.search(r"```python\n(.*?)```", DOC.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert code is not None
    told: dict[str, Any] = {}
    exec(code[1], told)  # noqa: S102 - our own page
    is_ours: Callable[[Mapping[str, str], bytes, str], bool] = told["is_ours"]
    return is_ours


def is_signed(heard: Heard, secret: str, *, at: datetime = SOON) -> bool:
    """Say whether a receiver that follows our page takes it for ours."""
    is_ours = documented()
    is_ours.__globals__["time"] = at.timestamp  # type: ignore[attr-defined]
    return is_ours(heard.headers, heard.body, secret)


def test_every_audience_is_on_a_side_and_every_side_hears_something() -> None:
    assert set(SIDE) == set(Audience)
    assert "prior-auth.submitted" in topics_of(OrganizationKind.INSURER)
    assert all("pain-hint.found" not in topics_of(kind) for kind in OrganizationKind)


def test_a_secret_is_kept_sealed_and_signs_what_is_sent(cast: Cast, receiver: Receiver) -> None:
    endpoint, secret = secretly_registered(cast.riverside, receiver)
    announce_test(endpoint)

    tell()

    (heard,) = receiver.heard
    assert is_signed(heard, secret)
    assert not is_signed(heard, secret, at=SOON + timedelta(minutes=6))
    assert not is_signed(replace(heard, body=heard.body + b" "), secret)
    assert secret.removeprefix(PREFIX) not in WebhookSecret.objects.get().sealed


def test_the_secret_before_signs_beside_the_new_one_for_a_day_and_then_no_longer(
    cast: Cast, receiver: Receiver
) -> None:
    endpoint, first = secretly_registered(cast.riverside, receiver)
    uma = administrator(cast.riverside)
    _, second = endpoints.rotate_secret(endpoint_id=key_of(endpoint), by=uma, now=NOW)
    next_day = NOW + timedelta(hours=24, seconds=1)
    for when in (SOON, next_day):
        endpoints.send_test(endpoint_id=key_of(endpoint), by=uma, now=when)
        tell(when)

    during, after = receiver.heard
    assert is_signed(during, first)
    assert is_signed(during, second)
    assert is_signed(after, second, at=next_day)
    assert not is_signed(after, first, at=next_day)


def test_a_second_rotation_takes_away_no_secret_that_a_receiver_may_still_know(cast: Cast, receiver: Receiver) -> None:
    endpoint, first = secretly_registered(cast.riverside, receiver)
    uma = administrator(cast.riverside)
    _, second = endpoints.rotate_secret(endpoint_id=key_of(endpoint), by=uma, now=NOW)
    _, third = endpoints.rotate_secret(endpoint_id=key_of(endpoint), by=uma, now=SOON)
    endpoints.send_test(endpoint_id=key_of(endpoint), by=uma, now=SOON)

    tell()

    assert all(is_signed(receiver.heard[0], secret) for secret in (first, second, third))
    for _ in range(2):
        endpoints.rotate_secret(endpoint_id=key_of(endpoint), by=uma, now=SOON)
    with pytest.raises(endpoints.LimitReached):
        endpoints.rotate_secret(endpoint_id=key_of(endpoint), by=uma, now=SOON)
    endpoints.rotate_secret(endpoint_id=key_of(endpoint), by=uma, now=SOON + endpoints.OVERLAP)


def test_secrets_are_resealed_with_the_first_key(cast: Cast, receiver: Receiver) -> None:
    endpoint, secret = secretly_registered(cast.riverside, receiver)
    before = WebhookSecret.objects.get().sealed

    assert endpoints.reseal() == 1

    assert WebhookSecret.objects.get().sealed != before
    endpoints.send_test(endpoint_id=key_of(endpoint), by=administrator(cast.riverside), now=NOW)
    tell()
    assert is_signed(receiver.heard[0], secret)


@pytest.mark.parametrize("url", ["https://127.0.0.1/hook", "http://127.0.0.1/hook", "https://10.0.0.1/", "gopher://x/"])
def test_what_may_not_be_called_is_not_registered(cast: Cast, url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        endpoints.register(url=url, by=administrator(cast.riverside), now=NOW)

    assert set(refused.value.fields) == {"url"}
    assert not WebhookEndpoint.objects.exists()


def test_a_topic_of_the_other_side_is_named(cast: Cast, receiver: Receiver) -> None:
    with pytest.raises(InvalidInput) as refused:
        registered(cast.evergreen, receiver, topics=["prior-auth.submitted", "pain-hint.found"])

    assert set(refused.value.fields) == {"topics[1]"}


def test_an_organization_has_so_many_endpoints_and_no_more(cast: Cast, receiver: Receiver) -> None:
    uma = administrator(cast.riverside)
    for _ in range(endpoints.MOST_ENDPOINTS):
        last, _ = endpoints.register(url=receiver.url, by=uma, now=NOW)

    with pytest.raises(endpoints.LimitReached):
        endpoints.register(url=receiver.url, by=uma, now=NOW)
    endpoints.deactivate(endpoint_id=key_of(last), by=uma, now=NOW)
    endpoints.register(url=receiver.url, by=uma, now=NOW)


VERBS: list[Callable[..., object]] = [
    endpoints.change, endpoints.deactivate, endpoints.rotate_secret, endpoints.send_test,
]  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_only_administrators_of_the_organization_find_an_endpoint(
    cast: Cast, receiver: Receiver, verb: Callable[..., object]
) -> None:
    key = key_of(registered(cast.riverside, receiver))

    for stranger in (administrator(cast.hillside), administrator(cast.evergreen)):
        with pytest.raises(NotFound):
            verb(endpoint_id=key, by=stranger, now=NOW)
    for colleague in (cast.stella, cast.jones):
        with pytest.raises(Forbidden):
            verb(endpoint_id=key, by=colleague, now=NOW)


@pytest.mark.parametrize("verb", [endpoints.change, endpoints.rotate_secret, endpoints.send_test])
def test_a_deactivated_endpoint_is_left_alone_for_good(
    cast: Cast, receiver: Receiver, verb: Callable[..., object]
) -> None:
    key, uma = key_of(registered(cast.riverside, receiver)), administrator(cast.riverside)
    endpoints.deactivate(endpoint_id=key, by=uma, now=NOW)
    endpoints.deactivate(endpoint_id=key, by=uma, now=NOW)

    with pytest.raises(endpoints.EndpointNotActive):
        verb(endpoint_id=key, by=uma, now=NOW)

    assert not WebhookSecret.objects.exists()
    assert AuditEntry.objects.filter(action="deactivate", subject_id=key).count() == 1


def test_a_paused_endpoint_is_not_tested(cast: Cast, receiver: Receiver) -> None:
    key, uma = key_of(registered(cast.riverside, receiver)), administrator(cast.riverside)
    endpoints.change(endpoint_id=key, is_paused=True, by=uma, now=NOW)

    with pytest.raises(endpoints.EndpointNotActive):
        endpoints.send_test(endpoint_id=key, by=uma, now=NOW)


def test_what_happens_during_a_pause_is_delivered_after_it(cast: Cast, receiver: Receiver) -> None:
    key, uma = key_of(registered(cast.riverside, receiver)), administrator(cast.riverside)
    endpoints.change(endpoint_id=key, is_paused=True, by=uma, now=NOW)
    say(stage.detected(cast), "prior-auth.approved")
    tell()
    assert receiver.heard == []

    endpoints.change(endpoint_id=key, is_paused=False, by=uma, now=LATER)
    tell(LATER)

    assert [json.loads(heard.body)["type"] for heard in receiver.heard] == ["prior-auth.opened", "prior-auth.approved"]


def test_a_test_goes_out_though_the_receiver_was_away(cast: Cast, receiver: Receiver) -> None:
    endpoint, uma = registered(cast.riverside, receiver), administrator(cast.riverside)
    stage.detected(cast)
    receiver.status = 503
    tell()
    receiver.status = 204

    endpoints.send_test(endpoint_id=key_of(endpoint), by=uma, now=SOON)
    tell()

    of_test = Delivery.objects.get(message__topic="webhook.test")
    assert receiver.ids[-1] == str(of_test.public_id)
    assert of_test.sent_at == SOON


def test_a_test_is_for_the_endpoint_that_it_was_asked_for_alone(cast: Cast, receiver: Receiver) -> None:
    endpoint, _ = registered(cast.riverside, receiver), registered(cast.riverside, receiver)

    endpoints.send_test(endpoint_id=key_of(endpoint), by=administrator(cast.riverside), now=NOW)
    tell()

    assert [delivery.endpoint for delivery in Delivery.objects.all()] == [endpoint]


def test_a_delivery_is_for_a_person_or_for_an_endpoint(cast: Cast, receiver: Receiver) -> None:
    registered(cast.riverside, receiver)
    stage.detected(cast)
    services.fan_out_next(now=SOON)
    jones = cast.people["jones"]

    for channel, wrong in (("webhook", {"recipient": jones}), ("inbox", {"recipient": None})):
        with pytest.raises(IntegrityError), transaction.atomic():
            Delivery.objects.filter(channel=channel).update(**wrong)
    with pytest.raises(ValueError, match="is for an endpoint"):
        _ = Delivery.objects.get(channel="webhook").person
    with pytest.raises(ValueError, match="is for a person"):
        _ = Delivery.objects.filter(channel="inbox")[0].hook


def test_the_living_secrets_are_those_that_have_not_retired(cast: Cast, receiver: Receiver) -> None:
    endpoint = registered(cast.riverside, receiver)
    endpoints.rotate_secret(endpoint_id=key_of(endpoint), by=administrator(cast.riverside), now=NOW)

    living = [len(endpoint.signing_secrets(now=at)) for at in (SOON, NOW + endpoints.OVERLAP)]

    assert living == [2, 1]
