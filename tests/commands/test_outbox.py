"""An operator looks after the outbox."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from authz import clock
from authz.notifications.models import Delivery, InboxEntry
from authz.outbox.models import OutboxMessage
from authz.prior_auths.services import determinations
from tests import cast as stage
from tests.cast import NOW, Cast
from tests.notifications.hooks import announce_test, registered
from tests.notifications.stage import SOON, drain
from tests.post_office import Mood, PostOffice
from tests.receiver import Receiver
from workers import tasks

pytestmark = pytest.mark.django_db


def outbox(*words: str) -> str:
    told = StringIO()
    call_command("outbox", *words, stdout=told)
    return told.getvalue().strip()


@pytest.fixture
def dead(cast: Cast, post_office: PostOffice, settings: Settings) -> Delivery:
    """A mail that was given up."""
    settings.OUTBOX_NUDGE = "tests.outbox.bell.ring"
    settings.OUTBOX_ATTEMPTS = 1
    post_office.mood = Mood.REFUSE
    stage.detected(cast)
    drain()
    return Delivery.objects.get(channel="email")


def test_what_was_given_up_is_listed_by_id_topic_channel_and_code(dead: Delivery) -> None:
    fact = OutboxMessage.objects.create(
        topic="prior-auth.opened", subject_id=dead.subject_id, announced_at=NOW, due_at=NOW, dead_at=NOW, last_error="X"
    )

    assert outbox("list").splitlines() == [
        f"fact-{fact.pk}\tprior-auth.opened\toutbox\t0\tX",
        f"delivery-{dead.pk}\tprior-auth.opened\temail\t1\tSMTPDataError 451",
    ]


@pytest.mark.parametrize("which", ["one", "all"])
def test_a_replay_brings_it_back(dead: Delivery, post_office: PostOffice, which: str) -> None:
    post_office.mood = Mood.ACCEPT

    assert outbox("replay", f"delivery-{dead.pk}" if which == "one" else "--all") == "Replayed: 1."
    drain(clock.now())

    assert len(post_office.letters) == 1
    assert outbox("list") == ""


@pytest.mark.parametrize("name", ["delivery-0", "fact-1", "17", "letter-1", "delivery-x"])
def test_what_is_not_dead_is_not_replayed(db: None, name: str) -> None:
    with pytest.raises(CommandError):
        outbox("replay", name)


def test_what_was_told_long_ago_is_deleted_and_what_is_still_needed_stays(
    cast: Cast, post_office: PostOffice, receiver: Receiver, settings: Settings
) -> None:
    settings.OUTBOX_NUDGE = "tests.outbox.bell.ring"
    announce_test(registered(cast.riverside, receiver))
    prior_auth = stage.in_review(cast)
    determinations.approve(prior_auth_id=stage.key_of(prior_auth), by=cast.rae, now=NOW)
    drain()
    entries = InboxEntry.objects.count()
    OutboxMessage.objects.create(
        topic="x.dead", subject_id=prior_auth.public_id, announced_at=NOW, due_at=NOW, dead_at=NOW
    )

    assert outbox("prune", "--older-than", "100000") == "Deleted: 0."
    assert outbox("prune").startswith("Deleted: ")

    kept = Delivery.objects.exclude(channel="inbox").values_list("message__topic", "channel")
    assert list(kept) == [("prior-auth.approved", "email")]
    assert InboxEntry.objects.count() == Delivery.objects.filter(channel="inbox").count() == entries
    facts = set(OutboxMessage.objects.values_list("topic", flat=True))
    assert facts == {"x.dead", *InboxEntry.objects.values_list("topic", flat=True)}
    assert outbox("prune") == "Deleted: 0."


def test_the_workers_do_it_in_batches_by_the_setting(
    cast: Cast, post_office: PostOffice, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTBOX_NUDGE = "tests.outbox.bell.ring"
    stage.detected(cast)
    drain()
    old, settings.OUTBOX_RETENTION_DAYS = settings.OUTBOX_RETENTION_DAYS, (clock.now() - SOON + timedelta(days=1)).days

    tasks.prune_outbox()
    assert Delivery.objects.filter(channel="email").exists()
    settings.OUTBOX_RETENTION_DAYS = old
    tasks.prune_outbox()

    assert not Delivery.objects.filter(channel="email").exists()


@pytest.mark.parametrize("days", ["0", "-1"])
def test_the_days_are_at_least_one(db: None, days: str) -> None:
    with pytest.raises(CommandError):
        outbox("prune", "--older-than", days)
