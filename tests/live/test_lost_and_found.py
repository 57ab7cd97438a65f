"""What was announced reaches its people, whatever dies on the way: real processes, real Valkey, real SMTP."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from redis import Redis

from authz.notifications import selectors
from authz.notifications.models import Delivery, InboxEntry
from authz.outbox import selectors as outbox
from authz.prior_auths.models import PriorAuth
from config.embedded.valkey import Valkey
from tests import cast as stage
from tests import receiver as hook
from tests.cast import Cast
from tests.live.processes import Running, beat, environment, wait_until, worker
from tests.notifications.hooks import registered
from tests.post_office import Mood, PostOffice
from tests.receiver import Receiver
from workers.broker import sender
from workers.schedule import DRAIN_OUTBOX

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]


def all_is_told() -> bool:
    """Say whether nothing is left to tell."""
    return not outbox.unsettled().exists() and not selectors.unsent().exists()


def sweeps_done(running: Running) -> int:
    """Return how many drains a worker has finished, by its log."""
    return sum(DRAIN_OUTBOX in line and "succeeded" in line for line in running.log.read_text().splitlines())


@pytest.fixture
def use_broker(settings: LazySettings) -> Iterator[Callable[[str], None]]:
    """Have this process, and the environment of the others, use another broker."""

    def use(url: str) -> None:
        settings.REDIS_URL = url
        settings.CELERY = {**settings.CELERY, "broker_url": url.replace("unix://", "redis+socket://")}
        sender.cache_clear()

    yield use
    sender.cache_clear()


def assert_everybody_was_told_once(cast: Cast, office: PostOffice) -> None:
    """One request was opened: Stella and Dr Jones have it in their inboxes, and Dr Jones has one mail."""
    assert PriorAuth.objects.count() == 1
    assert selectors.inbox(cast.stella).count() == selectors.inbox(cast.jones).count() == 1
    assert InboxEntry.objects.count() == 2
    assert [letter.rcpt_tos for letter in office.letters] == [["jones@example.org"]]
    assert not selectors.dead().exists()
    assert not outbox.dead().exists()


def test_a_nudge_has_the_worker_tell_everybody(
    cast: Cast, broker: "Redis[bytes]", post_office: PostOffice, tmp_path: Path
) -> None:
    """Without beat, so that it is the nudge that does it."""
    with worker(environment(post_office), tmp_path) as running:
        stage.detected(cast)

        wait_until(lambda: all_is_told(), what="inbox and mail", log=running.log)

    assert_everybody_was_told_once(cast, post_office)


def test_a_worker_killed_while_sending_the_mail_sends_it_once_after_its_restart(
    cast: Cast, broker: "Redis[bytes]", post_office: PostOffice, tmp_path: Path
) -> None:
    env = environment(post_office)
    post_office.mood = Mood.HANG_BEFORE_ACCEPTING
    with worker(env, tmp_path) as first:
        stage.detected(cast)
        wait_until(post_office.somebody_hangs.is_set, what="the worker in mid-sending", log=first.log)
        first.kill()
    mail = Delivery.objects.get(channel="email")
    assert (mail.attempts, mail.sent_at, post_office.letters) == (1, None, [])
    post_office.mood = Mood.ACCEPT

    with worker(env, tmp_path) as second, beat(env, tmp_path):
        wait_until(all_is_told, what="the mail", log=second.log)

    assert_everybody_was_told_once(cast, post_office)


def test_a_worker_killed_right_after_the_mail_server_said_yes_repeats_the_same_message_id(
    cast: Cast, broker: "Redis[bytes]", post_office: PostOffice, tmp_path: Path
) -> None:
    """The one window in which a mail can come twice: a receiver can tell."""
    env = environment(post_office)
    post_office.mood = Mood.ACCEPT_THEN_HANG
    with worker(env, tmp_path) as first:
        stage.detected(cast)
        wait_until(post_office.somebody_hangs.is_set, what="the worker waiting for the answer", log=first.log)
        first.kill()
    post_office.mood = Mood.ACCEPT

    with worker(env, tmp_path) as second, beat(env, tmp_path):
        wait_until(all_is_told, what="the mail", log=second.log)

    first_mail, second_mail = post_office.mails()
    assert first_mail["Message-ID"] == second_mail["Message-ID"]
    assert InboxEntry.objects.count() == 2


def test_a_request_opened_while_no_worker_runs_is_told_after_the_start(
    cast: Cast, broker: "Redis[bytes]", post_office: PostOffice, tmp_path: Path
) -> None:
    """The nudge is lost too, as Redis forgets everything meanwhile."""
    stage.detected(cast)
    broker.flushall()
    assert selectors.inbox(cast.stella).count() == 0
    env = environment(post_office)

    with worker(env, tmp_path) as running, beat(env, tmp_path):
        wait_until(all_is_told, what="inbox and mail", log=running.log)

    assert_everybody_was_told_once(cast, post_office)


def test_everybody_is_told_while_redis_is_gone(
    cast: Cast, post_office: PostOffice, own_valkey: Valkey, tmp_path: Path, use_broker: Callable[[str], None]
) -> None:
    use_broker(own_valkey.url())
    env = environment(post_office)
    own_valkey.start()
    with worker(env, tmp_path) as working, beat(env, tmp_path) as beating:
        wait_until(lambda: sweeps_done(working) > 0, what="a first sweep", log=working.log)
        own_valkey.stop()
        stage.detected(cast)

        wait_until(all_is_told, what="inbox and mail without Redis", log=beating.log)
        assert_everybody_was_told_once(cast, post_office)

        before = sweeps_done(working)
        own_valkey.start()
        wait_until(lambda: sweeps_done(working) > before, what="the worker sweeping again", log=working.log)


def test_mail_that_waited_for_the_mail_server_is_delivered_once(
    cast: Cast, broker: "Redis[bytes]", tmp_path: Path
) -> None:
    office = PostOffice()
    env = environment(office)
    with worker(env, tmp_path) as running, beat(env, tmp_path):
        stage.detected(cast)
        refused = Delivery.objects.filter(last_error="ConnectionRefusedError")
        wait_until(refused.exists, what="a refused mail", log=running.log)
        wait_until(lambda: selectors.inbox(cast.jones).exists(), what="the inbox all the same", log=running.log)

        with office.opened():
            wait_until(all_is_told, what="the mail", log=running.log)

    assert_everybody_was_told_once(cast, office)


def test_a_worker_killed_right_after_the_receiver_accepted_repeats_the_same_webhook_id(
    cast: Cast, broker: "Redis[bytes]", post_office: PostOffice, receiver: Receiver, tmp_path: Path
) -> None:
    """The one window in which an event can come twice: a receiver can tell."""
    env = environment(
        post_office, AUTHZ_WEBHOOK_ALLOWED_NETWORKS="127.0.0.1/32", AUTHZ_WEBHOOK_PORTS=str(receiver.port)
    )
    registered(cast.riverside, receiver)
    receiver.mood = hook.Mood.HANG
    with worker(env, tmp_path) as first:
        stage.detected(cast)
        wait_until(receiver.somebody_waits.is_set, what="the worker waiting for the answer", log=first.log)
        first.kill()
    receiver.mood = hook.Mood.ANSWER

    with worker(env, tmp_path) as second, beat(env, tmp_path):
        wait_until(all_is_told, what="the webhook", log=second.log)

    once, again = receiver.ids
    assert once == again == str(Delivery.objects.get(channel="webhook").public_id)
