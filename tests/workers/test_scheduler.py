import json

import pytest
from redis import Redis

from authz.notifications import selectors
from tests import cast as stage
from tests.cast import Cast
from tests.post_office import PostOffice
from workers import tasks
from workers.app import app
from workers.schedule import BEAT, DRAIN_OUTBOX
from workers.scheduler import Scheduler

pytestmark = pytest.mark.django_db(transaction=True)


def sweep(*names: str) -> None:
    """Do what beat does when the sweeps are due, in that order."""
    scheduler = Scheduler(app=app)
    for name in names or ("sweep-outbox", "sweep-deliveries"):
        scheduler.apply_entry(scheduler.schedule[name])


def test_beat_uses_this_scheduler() -> None:
    assert BEAT["beat_scheduler"] == f"{Scheduler.__module__}:{Scheduler.__qualname__}"
    assert tasks.drain_outbox.name == DRAIN_OUTBOX


def test_beat_sends_the_sweep_to_the_workers(broker: "Redis[bytes]", cast: Cast) -> None:
    stage.detected(cast)
    broker.flushall()

    sweep()

    [raw] = broker.lrange("authz", 0, -1)
    assert json.loads(raw)["headers"]["task"] == DRAIN_OUTBOX
    assert not selectors.inbox(cast.stella).exists()


def test_without_a_broker_beat_does_the_sweep_itself(lost_broker: None, cast: Cast, post_office: PostOffice) -> None:
    stage.detected(cast)

    sweep()

    assert selectors.inbox(cast.stella).count() == 1
    assert len(post_office.letters) == 1


def test_without_a_broker_what_is_told_leaves_the_house_in_the_same_round(
    lost_broker: None, cast: Cast, post_office: PostOffice
) -> None:
    stage.detected(cast)

    sweep("sweep-deliveries", "sweep-outbox")

    assert len(post_office.letters) == 1


def test_a_sweep_that_fails_in_beat_does_not_end_beat(
    lost_broker: None, cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    prior_auth = stage.detected(cast)
    prior_auth.public_id = stage.unknown_id()
    prior_auth.save()

    sweep()

    assert "DoesNotExist" in caplog.text
    assert not selectors.inbox(cast.stella).exists()
