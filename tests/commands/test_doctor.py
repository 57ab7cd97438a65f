"""The self-check says what is wrong and what to do, in plain words, and nothing of any patient."""

from datetime import timedelta
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection

from authz import clock
from authz.access.models import Licence
from authz.notifications.channels.webhook.models import EndpointState, PausedBecause, WebhookEndpoint
from authz.operations.models import Heartbeat, Part
from authz.operations.services import note_heartbeat
from authz.outbox.models import OutboxMessage
from tests import cast as stage
from tests.cast import Cast
from tests.notifications.hooks import registered
from tests.post_office import PostOffice
from tests.receiver import Receiver


def doctor() -> str:
    """Return what the doctor says, whether or not it is content."""
    told = StringIO()
    try:
        call_command("doctor", stdout=told)
    except CommandError as last_word:
        told.write(str(last_word))
    return told.getvalue()


@pytest.fixture
def healthy(cast: Cast, post_office: PostOffice) -> None:
    """All parts at work, and all servers there."""
    for part in Part:
        note_heartbeat(part=part, now=clock.now())


def test_a_healthy_deployment_is_told_so_line_by_line(healthy: None) -> None:
    told = doctor()

    for line in ("  ok  migrations: All are there.", "  ok  broker: Redis answers.", "  ok  beat: At work."):
        assert line in told


def test_nothing_is_changed_or_sent(healthy: None, post_office: PostOffice) -> None:
    before = OutboxMessage.objects.count()

    doctor()

    assert (OutboxMessage.objects.count(), post_office.letters) == (before, [])


def test_who_is_not_at_work_is_named_with_the_command_that_starts_it(healthy: None) -> None:
    Heartbeat.objects.filter(part=Part.SENDING.value).update(at=clock.now() - timedelta(minutes=5))

    told = doctor()

    assert "BAD   sending: Late." in told
    assert "celery -A workers.courier worker" in told


def test_a_server_that_forgets_what_it_confirmed_is_told(healthy: None) -> None:
    assert "BAD   durability: PostgreSQL runs with fsync=off, full_page_writes=off." in doctor()


def test_servers_that_are_away_are_named(healthy: None, settings: LazySettings) -> None:
    settings.REDIS_URL = "unix:///nowhere/at/all.sock"
    settings.EMAIL_PORT = PostOffice().port

    told = doctor()

    assert "BAD   broker: Redis cannot be reached (ConnectionError)." in told
    assert "BAD   mail: The mail server 127.0.0.1:" in told
    assert "must be mended." in told


def test_a_missing_migration_is_told(healthy: None) -> None:
    with connection.cursor() as cursor:
        # The product may not touch the record of what was migrated; in its session this table goes before the real one.
        cursor.execute("CREATE TEMPORARY TABLE django_migrations AS SELECT * FROM django_migrations LIMIT 1")

    assert "BAD   migrations: " in doctor()


def test_a_secret_that_no_key_opens_is_told(
    healthy: None, cast: Cast, receiver: Receiver, settings: LazySettings
) -> None:
    registered(cast.riverside, receiver)
    settings.ENCRYPTION_KEYS = ["another key, and not the one that sealed it"]

    assert "BAD   secrets: 1 sealed secrets open with none of the keys." in doctor()


def test_a_second_factor_that_no_key_opens_is_told(healthy: None, cast: Cast, settings: LazySettings) -> None:
    TOTP.activate(cast.people["rae"], generate_totp_secret())
    assert "  ok  secrets: Every sealed secret opens." in doctor()
    settings.ENCRYPTION_KEYS = ["another key, and not the one that sealed it"]

    told = doctor()

    assert "BAD   secrets: 1 sealed secrets open with none of the keys." in told
    assert "rae@example.org" not in told


def test_a_second_factor_that_was_kept_unsealed_is_told(healthy: None, cast: Cast) -> None:
    Authenticator.objects.create(user=cast.people["rae"], type=Authenticator.Type.TOTP, data={"secret": "JBSWY3DP"})

    assert "BAD   secrets: 1 sealed secrets open with none of the keys." in doctor()


def test_what_waits_or_was_given_up_is_told_by_number_alone(healthy: None, cast: Cast, receiver: Receiver) -> None:
    prior_auth = stage.detected(cast)
    OutboxMessage.objects.create(
        topic="x.dead",
        subject_id=prior_auth.public_id,
        announced_at=stage.NOW,
        due_at=stage.NOW,
        dead_at=stage.NOW,
        last_error="X",
    )
    registered(cast.riverside, receiver)
    WebhookEndpoint.objects.update(state=EndpointState.PAUSED.value, paused_because=PausedBecause.GONE.value)

    told = doctor()

    assert "look  outbox: The oldest fact has waited for " in told
    assert "look  outbox: 1 facts were given up." in told
    assert "look  webhooks: 1 endpoints are paused." in told
    assert str(prior_auth.public_id) not in told


def test_an_insurer_in_which_nobody_could_deny_is_named(healthy: None) -> None:
    Licence.objects.update(valid_until=clock.now().date() - timedelta(days=2))  # over in any calendar

    assert "look  licences: Nobody of Evergreen Health has a valid licence" in doctor()


def test_a_request_past_its_legal_time_is_counted(healthy: None, cast: Cast) -> None:
    stage.in_review(cast)

    assert "look  decisions: 1 undecided requests are past their legal time." in doctor()
