from datetime import timedelta
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from authz.access.roles import Role
from authz.access.selectors import actor_for
from authz.access.services import add_membership
from authz.audit.models import AuditEntry
from authz.errors import NotFound
from authz.ids import NoticeId
from authz.notifications import selectors, services
from authz.notifications.matrix import ChannelName
from authz.notifications.models import Delivery, InboxEntry
from authz.outbox import services as outbox
from authz.outbox.leases import LeaseLost
from authz.outbox.models import OutboxMessage
from authz.outbox.nudge import Waiting
from authz.policies.history import Happened, Kind, What
from authz.prior_auths.models import Breach, PriorAuth
from authz.prior_auths.selectors import clocks_of
from authz.prior_auths.services import determinations
from tests import cast as stage
from tests.cast import NOW, Cast
from tests.notifications.stage import SOON, drain, say
from tests.outbox import bell
from tests.post_office import Mood, PostOffice

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=10)


def entry_of(cast: Cast) -> InboxEntry:
    stage.detected(cast)
    drain()
    return selectors.inbox(cast.stella).get()


def test_an_opened_request_reaches_inboxes_and_the_prescribers_mail(cast: Cast, post_office: PostOffice) -> None:
    prior_auth = stage.detected(cast)

    drain()

    assert [(entry.prior_auth, entry.needs_act) for entry in selectors.inbox(cast.stella)] == [(prior_auth, True)]
    assert [(entry.prior_auth, entry.needs_act) for entry in selectors.inbox(cast.jones)] == [(prior_auth, False)]
    assert [letter.rcpt_tos for letter in post_office.letters] == [["jones@example.org"]]


def test_a_whole_life_tells_everybody_once_and_in_order(cast: Cast, post_office: PostOffice) -> None:
    stage.in_clinical_review(cast)

    drain()

    assert [entry.topic for entry in selectors.inbox(cast.jones).order_by("pk")] == [
        "prior-auth.opened",
        "prior-auth.prescriber-asked",
    ]
    assert [entry.topic for entry in selectors.inbox(cast.stella).order_by("pk")] == [
        "prior-auth.opened",
        "prior-auth.prescriber-answered",
    ]
    assert [entry.topic for entry in selectors.inbox(cast.patel)] == ["prior-auth.referred"]
    assert [letter.rcpt_tos[0] for letter in post_office.letters] == [
        "jones@example.org",
        "jones@example.org",
        "patel@example.org",
    ]
    assert not selectors.unsent().exists()


def test_notice_of_a_decision_is_there_when_the_clinic_was_first_told(cast: Cast) -> None:
    prior_auth = stage.in_review(cast)
    determinations.approve(prior_auth_id=stage.key_of(prior_auth), by=cast.rae, now=NOW)
    assert selectors.decision_notices(prior_auth) == []

    drain()

    assert selectors.decision_notices(prior_auth) == [Happened(What.NOTICE_DELIVERED, SOON)]
    notify = clocks_of(prior_auth, notices=selectors.decision_notices(prior_auth)).get(Kind.NOTIFY_BY)
    assert notify is not None
    assert (notify.stopped_at, notify.due_at) == (SOON, NOW + timedelta(hours=72))


def test_draining_again_tells_nobody_again(cast: Cast, post_office: PostOffice) -> None:
    stage.detected(cast)
    drain()
    told = InboxEntry.objects.count(), len(post_office.letters)

    again = drain(LATER)

    assert (again, InboxEntry.objects.count(), len(post_office.letters)) == (0, *told)


def test_a_topic_nobody_hears_of_is_settled_in_silence(cast: Cast) -> None:
    prior_auth = stage.detected(cast)
    drain()
    before = Delivery.objects.count()

    say(prior_auth, "prior-auth.viewed")
    drain()

    assert Delivery.objects.count() == before
    assert OutboxMessage.objects.get(topic="prior-auth.viewed").settled_at is not None


@pytest.mark.django_db(transaction=True)
def test_a_fact_is_settled_only_together_with_its_deliveries(cast: Cast) -> None:
    stage.detected(cast)
    (message,) = outbox.lease(at_most=1, now=SOON)
    Delivery.objects.create(
        message=message,
        subject_id=message.subject_id,
        recipient=cast.people["stella"],
        organization=cast.riverside,
        channel="inbox",
        needs_act=True,
        due_at=NOW,
    )

    with pytest.raises(IntegrityError):
        services.fan_out([message], now=SOON)

    assert OutboxMessage.objects.get(pk=message.pk).settled_at is None
    assert Delivery.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_fact_that_cannot_be_told_keeps_no_other_waiting(cast: Cast) -> None:
    stage.detected(cast)
    with transaction.atomic():
        outbox.announce(topic="prior-auth.submitted", subject_id=uuid4(), now=NOW)  # of a request that is not there
    stage.detected(cast)

    with pytest.raises(PriorAuth.DoesNotExist):
        services.fan_out_next(now=SOON)

    assert selectors.inbox(cast.stella).count() == 2
    assert [message.topic for message in OutboxMessage.objects.filter(settled_at=None)] == ["prior-auth.submitted"]


def test_facts_told_together_reach_whom_they_would_reach_one_by_one(cast: Cast) -> None:
    requests = [stage.detected(cast), stage.detected(cast)]

    assert services.fan_out_next(now=SOON)
    assert not services.fan_out_next(now=SOON)

    for person in (cast.stella, cast.jones):
        assert {entry.prior_auth for entry in selectors.inbox(person)} == set(requests)


def test_a_worker_whose_lease_ran_out_does_not_fan_out_a_second_time(cast: Cast) -> None:
    stage.detected(cast)
    (slow,) = outbox.lease(at_most=1, now=SOON)
    services.fan_out_next(now=LATER)
    told = Delivery.objects.count()

    with pytest.raises(LeaseLost):
        services.fan_out([slow], now=LATER)

    assert Delivery.objects.count() == told > 0


def test_no_delivery_is_made_inside_a_transaction(transactional_db: None, cast: Cast) -> None:
    stage.detected(cast)
    services.fan_out_next(now=SOON)

    with pytest.raises(RuntimeError), transaction.atomic():
        services.deliver_next(now=SOON, channel=ChannelName.EMAIL)

    assert Delivery.objects.filter(channel="email", attempts=0).exists()


def test_what_leaves_the_house_is_called_for_once_the_fact_is_told_and_the_inbox_has_it_by_then(
    transactional_db: None, cast: Cast, settings: LazySettings
) -> None:
    settings.OUTBOX_NUDGE = "tests.outbox.bell.ring"
    stage.detected(cast)
    bell.rung.clear()

    services.fan_out_next(now=SOON)

    assert bell.rung == [Waiting.DELIVERIES]
    assert InboxEntry.objects.count() == 2
    assert set(Delivery.objects.filter(sent_at=None).values_list("channel", flat=True)) == {"email"}


def test_a_mail_server_that_is_away_postpones_the_mail_and_nothing_else(cast: Cast, settings: LazySettings) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", PostOffice().port
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    stage.detected(cast)

    drain()

    mail = Delivery.objects.get(channel="email")
    assert (mail.sent_at, mail.attempts, mail.last_error) == (None, 1, "ConnectionRefusedError")
    assert mail.due_at - SOON >= timedelta(seconds=2)
    assert InboxEntry.objects.count() == 2


def test_after_the_last_attempt_a_mail_is_dead_and_a_replay_sends_it(
    cast: Cast, settings: LazySettings, post_office: PostOffice
) -> None:
    settings.OUTBOX_ATTEMPTS = 2
    post_office.mood = Mood.REFUSE
    stage.detected(cast)
    drain(SOON)
    drain(LATER)
    dead = selectors.dead().get()
    post_office.mood = Mood.ACCEPT
    drain(LATER + timedelta(days=1))
    assert post_office.letters == []

    services.replay(delivery_id=dead.pk, now=LATER)
    drain(LATER)

    assert len(post_office.letters) == 1
    assert not selectors.dead().exists()


def test_only_a_dead_delivery_can_be_replayed(cast: Cast) -> None:
    stage.detected(cast)
    services.fan_out_next(now=SOON)
    waiting = selectors.unsent().order_by("pk")[0]

    with pytest.raises(NotFound):
        services.replay(delivery_id=waiting.pk, now=SOON)


def test_a_later_mail_of_the_same_request_waits_for_the_earlier_one(cast: Cast, post_office: PostOffice) -> None:
    post_office.mood = Mood.REFUSE
    prior_auth = stage.detected(cast)
    drain(SOON)
    post_office.mood = Mood.ACCEPT
    say(prior_auth, "prior-auth.approved")

    drain(SOON)
    held_back = list(post_office.letters)
    drain(LATER)

    assert held_back == []
    assert [mail["Subject"] for mail in post_office.mails()] == [
        f"Prior authorization request {prior_auth.number} was opened.",
        f"Prior authorization request {prior_auth.number} was approved.",
    ]


def test_one_waiting_mail_holds_up_neither_other_requests_nor_the_inbox(cast: Cast, post_office: PostOffice) -> None:
    post_office.mood = Mood.REFUSE
    first = stage.detected(cast)
    drain(SOON)
    post_office.mood = Mood.ACCEPT
    say(first, "prior-auth.approved")
    second = stage.detected(cast)

    drain(SOON)

    assert [mail["Subject"] for mail in post_office.mails()] == [
        f"Prior authorization request {second.number} was opened."
    ]
    assert selectors.inbox(cast.jones).filter(prior_auth=first, topic="prior-auth.approved").exists()


def test_one_persons_waiting_mail_does_not_hold_up_a_colleagues(cast: Cast, post_office: PostOffice) -> None:
    post_office.unknown = {"jones@example.org"}
    prior_auth = stage.detected(cast)
    drain(SOON)
    say(prior_auth, "prior-auth.information-requested")

    drain(SOON)

    assert [letter.rcpt_tos for letter in post_office.letters] == [["stella@example.org"]]


def test_a_dead_mail_does_not_hold_up_the_next_one(cast: Cast, settings: LazySettings, post_office: PostOffice) -> None:
    settings.OUTBOX_ATTEMPTS = 1
    post_office.mood = Mood.REFUSE
    prior_auth = stage.detected(cast)
    drain(SOON)
    post_office.mood = Mood.ACCEPT
    say(prior_auth, "prior-auth.approved")

    drain(SOON)

    assert [mail["Subject"] for mail in post_office.mails()] == [
        f"Prior authorization request {prior_auth.number} was approved."
    ]


@pytest.mark.django_db(transaction=True)
def test_several_workers_at_once_tell_everybody_exactly_once(cast: Cast, post_office: PostOffice) -> None:
    for _ in range(5):
        stage.detected(cast)
    start = Barrier(4)

    def work() -> None:
        start.wait()
        drain()
        connection.close()

    workers = [Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert InboxEntry.objects.count() == 10
    assert sorted(mail["Subject"] for mail in post_office.mails()) == sorted(
        f"Prior authorization request {row.number} was opened." for row in PriorAuth.objects.all()
    )
    assert not selectors.unsent().exists()


def test_an_inbox_is_ones_own_in_the_organization_one_acts_for(cast: Cast, post_office: PostOffice) -> None:
    entry = entry_of(cast)

    assert list(selectors.inbox(cast.stella)) == [entry]
    assert entry not in selectors.inbox(cast.jones)
    assert not selectors.inbox(cast.mallory).exists()


def test_acting_for_another_organization_one_does_not_see_it(cast: Cast, post_office: PostOffice) -> None:
    entry_of(cast)
    stella = cast.people["stella"]
    add_membership(person=stella, organization=cast.hillside, role=Role.STAFF)

    assert not selectors.inbox(actor_for(person=stella, organization=cast.hillside)).exists()


def test_reading_an_entry_keeps_the_first_time(cast: Cast, post_office: PostOffice) -> None:
    key = NoticeId(entry_of(cast).public_id)

    services.mark_read(notice_id=key, by=cast.stella, now=SOON)
    entry = services.mark_read(notice_id=key, by=cast.stella, now=LATER)

    assert (entry.read_at, entry.acknowledged_at) == (SOON, None)


def test_acknowledging_reads_the_entry_and_is_on_the_trail_once(cast: Cast, post_office: PostOffice) -> None:
    key = NoticeId(entry_of(cast).public_id)

    services.acknowledge(notice_id=key, by=cast.stella, now=SOON)
    entry = services.acknowledge(notice_id=key, by=cast.stella, now=LATER)

    assert (entry.read_at, entry.acknowledged_at) == (SOON, SOON)
    assert AuditEntry.objects.filter(action="acknowledge", subject_id=key).count() == 1


@pytest.mark.parametrize("verb", [services.mark_read, services.acknowledge])
@pytest.mark.parametrize("who", ["mallory", "oscar", "jones"])
def test_somebody_elses_entry_does_not_exist_for_anyone(
    cast: Cast, post_office: PostOffice, verb: object, who: str
) -> None:
    entry = entry_of(cast)
    assert callable(verb)

    with pytest.raises(NotFound):
        verb(notice_id=NoticeId(entry.public_id), by=getattr(cast, who), now=LATER)

    entry.refresh_from_db()
    assert (entry.read_at, entry.acknowledged_at) == (None, None)


def late_notices() -> list[tuple[int, str]]:
    return list(Breach.objects.order_by("pk").values_list("prior_auth", "kind"))


def test_notice_of_a_decision_is_found_by_an_index_of_its_request(cast: Cast) -> None:
    prior_auth = stage.approved(cast)

    with connection.cursor() as cursor, CaptureQueriesContext(connection) as asked:
        cursor.execute("SET LOCAL enable_seqscan = off")
        selectors.decision_notices(prior_auth)
        cursor.execute(f"EXPLAIN {asked.captured_queries[-1]['sql']}")
        plan = " ".join(row[0] for row in cursor.fetchall())

    assert "outbox_by_subject" in plan


def test_a_decision_in_time_of_which_the_clinic_hears_late_is_a_breach_noted_once(cast: Cast) -> None:
    prior_auth = stage.in_review(cast)
    determinations.approve(prior_auth_id=stage.key_of(prior_auth), by=cast.rae, now=stage.later(71))
    assert services.note_late_notices(now=stage.later(72)) == 0

    drain(stage.later(72.1))
    noted = [services.note_late_notices(now=stage.later(hours)) for hours in (72.2, 73)]

    assert (noted, late_notices()) == ([1, 0], [(prior_auth.pk, "notify_by")])
    assert OutboxMessage.objects.filter(topic="prior-auth.overdue").count() == 1


def test_a_decision_of_which_the_clinic_never_hears_is_a_breach_when_notice_is_due(cast: Cast) -> None:
    prior_auth = stage.approved(cast)

    assert services.note_late_notices(now=stage.later(72)) == 0
    assert services.note_late_notices(now=stage.later(73)) == 1
    assert late_notices() == [(prior_auth.pk, "notify_by")]


def test_what_was_missed_long_before_anybody_looked_is_noted_and_told_to_nobody(cast: Cast) -> None:
    old, recent = stage.approved(cast), stage.in_review(cast, now=stage.later(50))
    determinations.approve(prior_auth_id=stage.key_of(recent), by=cast.rae, now=stage.later(51))

    assert services.note_late_notices(now=stage.later(72 + 73)) == 2

    assert set(late_notices()) == {(old.pk, "notify_by"), (recent.pk, "notify_by")}
    told = OutboxMessage.objects.filter(topic="prior-auth.overdue")
    assert told.get().subject_id == recent.public_id


def test_a_decision_of_which_the_clinic_hears_in_time_is_none_however_long_after_it(cast: Cast) -> None:
    stage.approved(cast)
    drain(stage.later(70))

    assert (services.note_late_notices(now=stage.later(24 * 9)), late_notices()) == (0, [])


def test_notice_of_a_late_decision_is_late_with_it_and_the_administrators_hear_of_it_once(cast: Cast) -> None:
    prior_auth = stage.in_review(cast)
    determinations.approve(prior_auth_id=stage.key_of(prior_auth), by=cast.rae, now=stage.later(80))
    drain(stage.later(80))

    assert services.note_late_notices(now=stage.later(81)) == 1

    assert late_notices() == [(prior_auth.pk, "decide_by"), (prior_auth.pk, "notify_by")]
    assert OutboxMessage.objects.filter(topic="prior-auth.overdue").count() == 1
