from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Barrier, Thread
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from authz.errors import NotFound
from authz.outbox import leases, selectors, services
from authz.outbox.leases import LEASE_RAN_OUT, LeaseLost
from authz.outbox.models import OutboxMessage
from authz.outbox.nudge import Waiting
from tests.cast import NOW
from tests.outbox import bell

pytestmark = pytest.mark.django_db

SOON = NOW + timedelta(seconds=1)
LONG_AFTER = NOW + timedelta(days=2)


@pytest.fixture(autouse=True)
def _count_nudges(settings: Settings) -> None:
    settings.OUTBOX_NUDGE = "tests.outbox.bell.ring"
    bell.rung.clear()


def announce(subject: UUID | None = None, topic: str = "prior-auth.opened") -> OutboxMessage:
    with transaction.atomic():
        services.announce(topic=topic, subject_id=subject or uuid4(), now=NOW)
    return OutboxMessage.objects.latest("pk")


def lease_next(*, now: datetime) -> OutboxMessage | None:
    return next(iter(services.lease(at_most=1, now=now)), None)


def lease() -> OutboxMessage:
    message = lease_next(now=SOON)
    assert message is not None
    return message


@pytest.mark.django_db(transaction=True)
def test_a_fact_cannot_be_announced_outside_the_transaction_that_makes_it_true() -> None:
    with pytest.raises(services.OutsideTransaction):
        services.announce(topic="prior-auth.opened", subject_id=uuid4(), now=NOW)

    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_fact_that_is_rolled_back_is_never_told_and_nudges_nobody() -> None:
    with transaction.atomic():
        services.announce(topic="prior-auth.opened", subject_id=uuid4(), now=NOW)
        transaction.set_rollback(True)

    assert lease_next(now=SOON) is None
    assert bell.rung == []


@pytest.mark.django_db(transaction=True)
def test_a_worker_is_nudged_only_once_the_fact_is_committed() -> None:
    with transaction.atomic():
        services.announce(topic="prior-auth.opened", subject_id=uuid4(), now=NOW)
        before = list(bell.rung)

    assert (before, bell.rung) == ([], [Waiting.FACTS])


@pytest.mark.django_db(transaction=True)
def test_a_nudge_that_fails_does_not_harm_what_was_committed(settings: Settings) -> None:
    settings.OUTBOX_NUDGE = "tests.outbox.bell.broken"

    announce()

    assert selectors.unsettled().count() == 1


@pytest.mark.django_db(transaction=True)
def test_nothing_is_leased_inside_a_transaction_where_others_would_not_see_it() -> None:
    announce()

    with pytest.raises(RuntimeError), transaction.atomic():
        lease_next(now=SOON)

    assert OutboxMessage.objects.get().attempts == 0


def test_leasing_counts_the_attempt_and_keeps_others_away_until_the_lease_runs_out(settings: Settings) -> None:
    settings.OUTBOX_LEASE_SECONDS = 60
    announce()

    first = lease_next(now=SOON)
    during = lease_next(now=SOON + timedelta(seconds=59))
    after = lease_next(now=SOON + timedelta(seconds=60))

    assert first is not None
    assert after is not None
    assert (first.attempts, during, after.attempts) == (1, None, 2)


def test_a_settled_fact_is_not_told_again() -> None:
    announce()

    services.settle([lease()], now=SOON)

    assert lease_next(now=LONG_AFTER) is None
    assert OutboxMessage.objects.get().settled_at == SOON


def settle(message: OutboxMessage) -> None:
    services.settle([message], now=LONG_AFTER)


def postpone(message: OutboxMessage) -> None:
    services.postpone(message, error="TimeoutError", now=LONG_AFTER)


@pytest.mark.parametrize("end", [settle, postpone])
def test_a_worker_that_was_away_longer_than_its_lease_can_change_nothing(end: Callable[[OutboxMessage], None]) -> None:
    announce()
    sleeper = lease()
    lease_next(now=LONG_AFTER)
    before = OutboxMessage.objects.values().get()

    with pytest.raises(LeaseLost):
        end(sleeper)

    assert OutboxMessage.objects.values().get() == before


def test_a_postponed_fact_waits_and_says_why() -> None:
    announce()

    services.postpone(lease(), error="TimeoutError", now=SOON)

    row = OutboxMessage.objects.get()
    assert row.last_error == "TimeoutError"
    assert timedelta(seconds=2) <= row.due_at - SOON <= timedelta(seconds=2.5)
    assert lease_next(now=SOON + timedelta(seconds=1.9)) is None
    assert lease_next(now=SOON + timedelta(seconds=2.6)) is not None


def test_after_its_last_attempt_a_fact_is_dead_and_can_be_replayed(settings: Settings) -> None:
    settings.OUTBOX_ATTEMPTS = 3
    announce()
    now = SOON
    for _ in range(3):
        message = lease_next(now=now)
        assert message is not None
        services.postpone(message, error="TimeoutError", now=now)
        now += timedelta(hours=2)
    dead_letter = selectors.dead().get()
    assert lease_next(now=now) is None

    services.replay(message_id=dead_letter.pk, now=now)

    again = lease_next(now=now)
    assert again is not None
    assert (again.pk, again.attempts) == (dead_letter.pk, 1)
    assert not selectors.dead().exists()


def test_what_kills_its_worker_each_time_is_dead_in_the_end(settings: Settings) -> None:
    settings.OUTBOX_ATTEMPTS = 3
    announce()
    for day in range(3):
        assert lease_next(now=NOW + timedelta(days=day)) is not None

    fourth = lease_next(now=NOW + timedelta(days=4))

    assert fourth is None
    assert selectors.dead().get().last_error == LEASE_RAN_OUT


def test_only_a_dead_fact_can_be_replayed() -> None:
    waiting = announce()

    with pytest.raises(NotFound):
        services.replay(message_id=waiting.pk, now=SOON)


def test_facts_about_one_subject_are_told_in_order_and_hold_up_nobody_else() -> None:
    one, other = uuid4(), uuid4()
    announce(one, "prior-auth.opened")
    announce(one, "prior-auth.submitted")
    announce(other, "prior-auth.opened")

    first, second, third = lease_next(now=SOON), lease_next(now=SOON), lease_next(now=SOON)

    assert first is not None
    assert second is not None
    assert [(first.subject_id, first.topic), (second.subject_id, second.topic), third] == [
        (one, "prior-auth.opened"),
        (other, "prior-auth.opened"),
        None,
    ]
    services.settle([first], now=SOON)
    assert lease().topic == "prior-auth.submitted"


def test_facts_are_leased_together_but_never_two_about_one_subject() -> None:
    one = uuid4()
    announce(one, "prior-auth.opened")
    announce(one, "prior-auth.submitted")
    others = [announce().pk for _ in range(3)]

    leased = [message.pk for message in services.lease(at_most=3, now=SOON)]
    left = [message.pk for message in services.lease(at_most=3, now=SOON)]

    assert len(leased) == 3
    assert sorted(leased + left)[1:] == others
    assert OutboxMessage.objects.get(topic="prior-auth.submitted").attempts == 0


def test_a_fact_that_was_tried_before_is_leased_alone() -> None:
    """Should it have ended its worker, it takes no other fact with it."""
    announce()
    tried = lease()
    fresh = {announce().pk, announce().pk}

    together = {message.pk for message in services.lease(at_most=9, now=SOON)}
    alone = [message.pk for message in services.lease(at_most=9, now=SOON + timedelta(hours=1))]

    assert together == fresh
    assert alone == [tried.pk]


def test_a_fact_handed_back_is_there_for_the_next_and_was_not_tried() -> None:
    announce()
    mine = lease()

    leases.hand_back([mine], now=SOON)

    assert lease().attempts == 1
    with pytest.raises(LeaseLost):
        leases.hand_back([OutboxMessage(pk=mine.pk, attempts=7)], now=SOON)


def test_a_dead_fact_does_not_hold_up_the_next_one(settings: Settings) -> None:
    settings.OUTBOX_ATTEMPTS = 1
    subject = uuid4()
    announce(subject, "prior-auth.opened")
    announce(subject, "prior-auth.submitted")

    services.postpone(lease(), error="TimeoutError", now=SOON)

    assert lease().topic == "prior-auth.submitted"


def test_the_age_of_the_oldest_fact_is_known() -> None:
    assert selectors.waiting_since() is None

    announce()

    assert selectors.waiting_since() == NOW


@pytest.mark.django_db(transaction=True)
def test_several_workers_at_once_never_lease_the_same_fact() -> None:
    for _ in range(40):
        announce()
    leased: list[int] = []
    start = Barrier(4)

    def work() -> None:
        start.wait()
        while (message := lease_next(now=SOON)) is not None:
            leased.append(message.pk)
        connection.close()

    workers = [Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sorted(leased) == sorted(OutboxMessage.objects.values_list("pk", flat=True))
    assert set(OutboxMessage.objects.values_list("attempts", flat=True)) == {1}
