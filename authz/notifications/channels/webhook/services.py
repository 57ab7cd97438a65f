"""Webhooks, at least once: a worker that dies after the receiver accepted says the same again, with the same id."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, prefetch_related_objects

from authz.access.roles import SYSTEM
from authz.audit import services as audit
from authz.notifications.channels.contract import NotDelivered
from authz.notifications.channels.webhook import selectors
from authz.notifications.channels.webhook.models import EndpointState, PausedBecause, WebhookEndpoint
from authz.notifications.channels.webhook.payload import body_of
from authz.notifications.channels.webhook.posting import Answer, post
from authz.notifications.channels.webhook.signature import signed_headers
from authz.notifications.models import Delivery
from authz.outbound.calls import NoAnswer
from authz.outbox import leases
from authz.outbox.backoff import Patience, wait_after
from authz.sealing import CannotOpen, opened

# A receiver that is away for a day hears everything afterwards: 34 minutes of shorter waits, then 70 of half an hour.
PATIENCE = Patience(attempts=80, longest=timedelta(minutes=30))
DEACTIVATED = "endpoint-deactivated"

_AT_ONCE = 8
_GONE = 410
# The receiver is not well, whatever it is told; any other refusal may be about this one event.
_AWAY = frozenset({429, 502, 503, 504})


class Webhook:
    """Delivers to the endpoint's URL."""

    def deliver(self, delivery: Delivery, *, now: datetime) -> None:
        """Post it, then settle. See channels.contract."""
        endpoint = delivery.hook
        if endpoint.state == EndpointState.DEACTIVATED.value:
            raise NotDelivered(DEACTIVATED, is_final=True)
        try:
            answer = _posted(delivery, endpoint, now=now)
        except (NoAnswer, CannotOpen) as failure:
            code = failure.code if isinstance(failure, NoAnswer) else "secret-unreadable"
            raise NotDelivered(code, not_before=_hold(endpoint, now=now), response_status=None) from failure
        if not 200 <= answer.status < 300:
            _heed(endpoint, answer, now=now)
        leases.settle(delivery, now=now, response_status=answer.status, last_error="")
        _let_go(endpoint)


def lease(*, now: datetime) -> list[Delivery]:
    """Lease the next deliveries to one endpoint, of different requests, commit, and return them. See leases.lease."""
    for endpoint_id in selectors.ready(now=now):
        leased = leases.lease(selectors.line_of(endpoint_id), at_most=_AT_ONCE, now=now, patience=PATIENCE)
        if leased:
            endpoint = leased[0].hook
            prefetch_related_objects([endpoint], "secrets")
            for delivery in leased:
                delivery.endpoint = endpoint  # one for all: what becomes of it is known to the next one
            return leased
    return []


def _posted(delivery: Delivery, endpoint: WebhookEndpoint, *, now: datetime) -> Answer:
    body = body_of(delivery)
    secrets = [opened(secret.sealed) for secret in endpoint.signing_secrets(now=now)]
    headers = signed_headers(message_id=delivery.public_id, at=now, body=body, secrets=secrets)
    headers = {"Content-Type": "application/json", "User-Agent": "Authz-Webhooks/1", **headers}
    return post(endpoint.url, body=body, headers=headers, now=now)


def _heed(endpoint: WebhookEndpoint, answer: Answer, *, now: datetime) -> None:
    """Do what a refusal asks for.

    :raises NotDelivered: always.
    """
    if answer.status == _GONE:
        _pause(endpoint, now=now)
    not_before = _hold(endpoint, now=now, wait=answer.wait) if answer.status in _AWAY else None
    raise NotDelivered(f"status-{answer.status}", not_before=not_before, response_status=answer.status)


def _hold(endpoint: WebhookEndpoint, *, now: datetime, wait: timedelta = timedelta(0)) -> datetime:
    """Try nothing for a while, and return until when: a receiver that is away is not asked once for every request."""
    own = wait_after(endpoint.failures + 1, seed=f"endpoint/{endpoint.pk}", longest=PATIENCE.longest)
    until = now + max(own, wait)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failures=F("failures") + 1, held_until=until)
    return until


def _let_go(endpoint: WebhookEndpoint) -> None:
    if endpoint.failures:
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failures=0, held_until=None)


def _pause(endpoint: WebhookEndpoint, *, now: datetime) -> None:
    with transaction.atomic():
        active = WebhookEndpoint.objects.filter(pk=endpoint.pk, state=EndpointState.ACTIVE.value)
        if active.update(state=EndpointState.PAUSED.value, paused_because=PausedBecause.GONE.value):
            audit.record(
                by=SYSTEM, action="pause", subject_kind="webhook-endpoint", subject_id=endpoint.public_id, now=now
            )
