from datetime import timedelta
from inspect import signature
from threading import Event, Thread

import pytest
from django.db import connection

from authz import clock
from authz.notifications import selectors
from authz.prior_auths.lifecycle import State
from authz.prior_auths.models import PriorAuth
from tests import cast as stage
from tests.cast import Cast
from tests.post_office import PostOffice
from workers import tasks
from workers.app import app
from workers.guard import only_one
from workers.schedule import (
    APPROVE_BY_RULE,
    ASK_FOR_DUE_PATIENTS,
    BEAT,
    DEEM_DUE,
    DRAIN_OUTBOX,
    ESCALATE_DUE,
    NOTE_LATE_NOTICES,
    NOTE_OVERDUE_APPEALS,
    NOTE_UNFORWARDED,
    OPEN_RENEWALS,
    PRUNE_ACCESS,
    PRUNE_AUDIT,
    PRUNE_OUTBOX,
    RECHECK_PATIENTS,
    RELEASE_EXPIRED_REVIEWS,
    RESUME_UNANSWERED,
    ROOT_AUDIT,
    RUN_SIMULATIONS,
    SEAL_AUDIT,
    SEND_DELIVERIES,
    WARN_OF_RUN_OUTS,
)

OURS = [
    APPROVE_BY_RULE,
    DEEM_DUE,
    NOTE_UNFORWARDED,
    NOTE_OVERDUE_APPEALS,
    NOTE_LATE_NOTICES,
    DRAIN_OUTBOX,
    SEND_DELIVERIES,
    RELEASE_EXPIRED_REVIEWS,
    ASK_FOR_DUE_PATIENTS,
    RECHECK_PATIENTS,
    RUN_SIMULATIONS,
    OPEN_RENEWALS,
    RESUME_UNANSWERED,
    WARN_OF_RUN_OUTS,
    ESCALATE_DUE,
    PRUNE_OUTBOX,
    PRUNE_ACCESS,
    SEAL_AUDIT,
    ROOT_AUDIT,
    PRUNE_AUDIT,
]


def test_all_tasks_are_known_by_name_and_scheduled() -> None:
    scheduled = {entry["task"] for entry in BEAT["beat_schedule"].values()}

    assert {name for name in app.tasks if name.startswith("authz.")} == set(OURS) == scheduled


@pytest.mark.parametrize("name", OURS)
def test_a_task_takes_nothing_keeps_nothing_and_ends(name: str) -> None:
    task = app.tasks[name]

    assert not signature(task.run).parameters
    assert (task.acks_late, task.ignore_result, app.conf.task_time_limit) == (True, True, 300)


def test_a_sweep_that_waited_for_longer_than_the_next_one_is_void() -> None:
    for entry in BEAT["beat_schedule"].values():
        assert timedelta(seconds=entry["options"]["expires"]) == entry["schedule"]


@pytest.mark.django_db
def test_draining_tells_everybody(cast: Cast, post_office: PostOffice) -> None:
    stage.detected(cast)

    tasks.drain_outbox()
    told = selectors.inbox(cast.stella).count(), len(post_office.letters)
    tasks.send_deliveries()

    assert (told, len(post_office.letters)) == ((1, 0), 1)


@pytest.mark.django_db
def test_a_review_held_too_long_goes_back_to_the_queue(cast: Cast) -> None:
    prior_auth = stage.in_review(cast, now=clock.now() - timedelta(days=1))

    tasks.release_expired_reviews()

    assert PriorAuth.objects.get(pk=prior_auth.pk).state == State.QUEUED.value


@pytest.mark.django_db
def test_patients_are_looked_at_again_when_a_day_has_passed(cast: Cast) -> None:
    long_over = stage.detected(cast)

    tasks.ask_for_due_patients()
    tasks.recheck_patients()

    assert PriorAuth.objects.get(pk=long_over.pk).state == State.LAPSED.value


class Elsewhere:
    """Another process that holds a job's lock, played by a thread with a connection of its own."""

    def __init__(self, job: str) -> None:
        self.job, self.holds, self.may_end = job, Event(), Event()
        self.thread = Thread(target=self._hold)

    def _hold(self) -> None:
        with only_one(self.job) as alone:
            assert alone
            self.holds.set()
            self.may_end.wait(30)
        connection.close()

    def __enter__(self) -> None:
        self.thread.start()
        assert self.holds.wait(30)

    def __exit__(self, *_error: object) -> None:
        self.may_end.set()
        self.thread.join()


@pytest.mark.django_db(transaction=True)
def test_a_drain_tells_what_waits_though_another_one_that_should_may_have_stopped(cast: Cast) -> None:
    stage.detected(cast)

    with Elsewhere(DRAIN_OUTBOX):
        tasks.drain_outbox()

    assert selectors.inbox(cast.stella).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_job_that_runs_elsewhere_is_left_alone_and_free_again_afterwards(cast: Cast) -> None:
    prior_auth = stage.in_review(cast, now=clock.now() - timedelta(days=1))

    with Elsewhere(RELEASE_EXPIRED_REVIEWS):
        tasks.release_expired_reviews()
        meanwhile = PriorAuth.objects.get(pk=prior_auth.pk).state
    tasks.release_expired_reviews()

    assert meanwhile == State.IN_REVIEW.value
    assert PriorAuth.objects.get(pk=prior_auth.pk).state == State.QUEUED.value


@pytest.mark.django_db(transaction=True)
def test_different_jobs_do_not_wait_for_each_other() -> None:
    with Elsewhere(ASK_FOR_DUE_PATIENTS), only_one(RELEASE_EXPIRED_REVIEWS) as alone:
        assert alone
