"""Alive, and fit to be sent work: told truthfully, without a token."""

from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from authz import clock
from authz.operations.models import Part
from authz.operations.services import note_heartbeat

AT_WORK = {part.value: "ok" for part in Part}


@pytest.fixture
def at_work(db: None) -> None:
    """Every part of the deployment was seen at work."""
    for part in Part:
        note_heartbeat(part=part, now=clock.now())


def test_it_is_alive_without_asking_anybody(client: Client) -> None:
    answer = client.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_it_is_ready_with_a_database_its_migrations_a_broker_and_all_at_work(client: Client, at_work: None) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "checks": {"database": "ok", "migrations": "ok", "broker": "ok", **AT_WORK},
    }


def test_who_was_not_seen_for_long_or_never_is_named_and_pages_are_served_all_the_same(
    client: Client, db: None
) -> None:
    note_heartbeat(part=Part.BEAT, now=clock.now() - timedelta(minutes=2))
    note_heartbeat(part=Part.TELLING, now=clock.now())

    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    seen = {part.value: answer.json()["checks"][part.value] for part in Part}
    assert seen == {"beat": "late", "telling": "ok", "sending": "never seen"}


def test_without_a_broker_it_is_degraded_and_still_ready(client: Client, at_work: None, settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere/at/all.sock"

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["checks"] == {"database": "ok", "migrations": "ok", "broker": "unreachable", **AT_WORK}


def test_with_a_migration_missing_it_is_not_ready(client: Client, db: None) -> None:
    with connection.cursor() as cursor:
        # The product may not touch the record of what was migrated; in its session this table goes before the real one.
        cursor.execute(
            "CREATE TEMPORARY TABLE django_migrations ON COMMIT DROP AS SELECT * FROM django_migrations LIMIT 1"
        )

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["status"] == "unavailable"
    assert answer.json()["checks"]["migrations"] == "missing"


@contextmanager
def lost_database() -> Any:
    kept = connection.settings_dict["HOST"]
    connection.close()
    connection.settings_dict["HOST"] = "/nowhere/at/all"
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["HOST"] = kept


@pytest.mark.django_db(transaction=True)
def test_without_a_database_it_is_alive_and_not_ready(client: Client) -> None:
    with lost_database():
        ready, alive = client.get("/readyz"), client.get("/healthz")

    assert (ready.status_code, alive.status_code) == (503, 200)
    assert ready.json() == {
        "status": "unavailable",
        "checks": {
            "database": "unreachable",
            "migrations": "unknown",
            "broker": "ok",
            **dict.fromkeys(AT_WORK, "unknown"),
        },
    }


def test_health_is_only_read(client: Client, db: None) -> None:
    assert client.post("/readyz").status_code == 405
