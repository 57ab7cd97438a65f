"""What Prometheus reads: to the operator's token alone, of all processes, and nothing of anybody."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from authz import clock
from authz.notifications.models import Delivery
from authz.outbox.models import OutboxMessage
from authz.prior_auths.lifecycle import ACTIVE
from authz.prior_auths.models import PriorAuth
from tests import cast as stage
from tests.cast import Cast, later
from tests.notifications.stage import drain

TOKEN = "an operator's secret"


def figures(client: Client) -> dict[tuple[str, str], float]:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.content.decode())
    return {(one.name, "".join(one.labels.values())): one.value for family in families for one in family.samples}


@pytest.fixture(autouse=True)
def token(settings: LazySettings) -> None:
    settings.METRICS_TOKEN = TOKEN


def test_only_the_operators_token_reads_the_figures(client: Client, cast: Cast, settings: LazySettings) -> None:
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer something"}).status_code == 401
    assert client.post("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 405
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_what_waits_and_since_when_is_told(client: Client, cast: Cast) -> None:
    stage.detected(cast)
    OutboxMessage.objects.update(announced_at=clock.now() - timedelta(minutes=10))

    told = figures(client)

    assert told["authz_outbox_waiting", ""] == 1
    assert 600 <= told["authz_outbox_oldest_seconds", ""] < 660
    assert told["authz_requests_open", "detected"] == 1
    assert {state for name, state in told if name == "authz_requests_open"} == {state.value for state in ACTIVE}


def test_what_was_made_and_what_was_given_up_is_told_by_channel(client: Client, cast: Cast) -> None:
    stage.detected(cast)
    drain(later(1))
    Delivery.objects.filter(channel="email").update(sent_at=None, dead_at=clock.now())
    Delivery.objects.filter(channel="inbox").update(sent_at=clock.now())

    told = figures(client)

    assert (told["authz_outbox_waiting", ""], told["authz_outbox_oldest_seconds", ""]) == (0, 0)
    assert (told["authz_deliveries_made_in_an_hour", "inbox"], told["authz_deliveries_dead", "email"]) == (2, 1)
    assert told["authz_deliveries_due", "email"] == 0


def test_an_overdue_request_is_told(client: Client, cast: Cast) -> None:
    stage.queued(cast)
    assert figures(client)["authz_requests_overdue", ""] == 1  # the cast plays in March 2025

    PriorAuth.objects.update(due_at=clock.now() + timedelta(hours=1))

    assert figures(client)["authz_requests_overdue", ""] == 0
