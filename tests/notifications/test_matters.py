from datetime import datetime, time, timedelta
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authz.access import services as access
from authz.access import tenancy
from authz.access.models import Organization
from authz.access.roles import Role
from authz.access.selectors import actor_for
from authz.audit.models import AuditEntry
from authz.ids import NoticeId
from authz.notifications import selectors, services
from authz.notifications.matrix import MATRIX
from authz.notifications.matters.ladder import Rung
from authz.notifications.matters.models import Closing, Escalation, Matter
from authz.notifications.matters.standing import STANDS_WHILE
from authz.notifications.models import NEEDLESS, Delivery, InboxEntry
from authz.outbox.models import OutboxMessage
from authz.prior_auths.appeal_lifecycle import AppealOutcome
from authz.prior_auths.lifecycle import ReopeningReason
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import deeming, queue, reopening, request
from tests import cast as stage
from tests.cast import NOW, Cast
from tests.notifications.stage import SOON, drain, say
from tests.notifications.test_wishes import kim, wants
from tests.post_office import PostOffice
from tests.prior_auths.test_independent_review import reviewed

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def asked(cast: Cast) -> PriorAuth:
    """Return a request that waits for Dr Jones's attestation, who has been told; no run-out is near."""
    key = stage.key_of(stage.detected(cast))
    request.take_up(prior_auth_id=key, by=cast.stella, now=NOW)
    prior_auth = request.ask_prescriber(prior_auth_id=key, question="Please attest.", by=cast.stella, now=NOW)
    PriorAuth.objects.filter(pk=prior_auth.pk).update(runs_out_on=(NOW + 90 * DAY).date())
    drain(SOON)
    return prior_auth


def matter(topic: str = "prior-auth.prescriber-asked") -> Matter:
    return Matter.objects.get(topic=topic)


def rungs() -> list[str]:
    """Return the rungs taken for the attestation, in their order."""
    return list(matter().escalations.order_by("pk").values_list("rung", flat=True))


def work(now: datetime) -> None:
    """Do what workers do at that instant: escalate, tell, deliver."""
    services.escalate_due(now=now)
    drain(now)


def told(topic: str) -> set[str]:
    """Return who has an entry of that topic in the inbox."""
    return set(InboxEntry.objects.filter(topic=topic).values_list("person__full_name", flat=True))


def administrator(cast: Cast) -> None:
    person = access.create_person(email="cleo@example.org", full_name="Cleo", password=stage.PASSWORD)
    access.add_membership(person=person, organization=cast.riverside, role=Role.CLINIC_ADMIN)


def test_every_topic_that_asks_for_an_act_says_by_which_fact_it_is_done() -> None:
    assert set(STANDS_WHILE) == {
        topic for topic, groups in MATRIX.items() if any(notice.needs_act for notice in groups.values())
    }


def test_nobody_answers_and_the_ladder_is_climbed_to_its_end(cast: Cast, post_office: PostOffice) -> None:
    wants(cast.jones, delegate=kim(cast).public_id)
    administrator(cast)
    asked(cast)

    for day in range(1, 9):
        work(NOW + day * DAY + timedelta(hours=1))

    assert rungs() == ["reminder", "delegate", "team", "administrator"]
    assert told("notice.reminder") == {"Dr Jones"}
    assert told("notice.delegated") == {"Dr Kim"}
    assert told("notice.to-team") == {"Stella Marsh"}
    assert told("notice.to-administrator") == {"Cleo"}
    assert post_office.mails_to("kim@example.org")[0]["Subject"].startswith("Action needed: ")
    assert Delivery.objects.get(recipient__full_name="Dr Kim", channel="inbox").on_behalf_of == cast.people["jones"]
    assert AuditEntry.objects.filter(subject_kind="escalation").count() == 4


def test_a_rung_without_anybody_is_passed(cast: Cast) -> None:
    asked(cast)

    work(NOW + 2 * DAY)
    work(NOW + 4 * DAY)

    assert rungs() == ["reminder", "team"]


def test_the_insurers_ladder_leads_from_the_reviewer_to_the_team_and_its_administrator(cast: Cast) -> None:
    colleague = access.create_person(email="ann@example.org", full_name="Ann Lee", password=stage.PASSWORD)
    access.add_membership(person=colleague, organization=cast.evergreen, role=Role.REVIEWER)
    prior_auth = stage.in_review(cast)
    drain()
    say(prior_auth, "prior-auth.answered")
    drain()

    for hours in range(1, 24 * 4):
        work(NOW + timedelta(hours=hours))

    assert told("notice.reminder") >= {"Rae Quinn"}
    assert told("notice.to-team") >= {"Ann Lee"}
    assert told("notice.to-administrator") >= {"Nora Brook"}


def test_what_was_reopened_is_not_forgotten_in_the_queue(cast: Cast) -> None:
    key = stage.key_of(stage.denied(cast))
    drain()
    reopening.reopen(prior_auth_id=key, code=ReopeningReason.FRAUD, reason="Forged.", by=cast.nora, now=NOW)
    queue.release_expired(now=NOW)

    for day in range(16):
        work(SOON + day * DAY)

    assert "Nora Brook" in told("notice.to-administrator")


def deemed_adverse(cast: Cast) -> PriorAuth:
    """Return a request that Part D makes adverse after 72 hours, of which both sides are told."""
    cast.plan.regime = "part_d"
    cast.plan.save()
    prior_auth = stage.queued(cast)
    deeming.deem_due(now=stage.later(72.1))
    drain(stage.later(72.1))
    return prior_auth


def reminded(organization: Organization) -> list[datetime]:
    """Return when the people of an organization were reminded of what the law has made adverse."""
    matters = Matter.objects.filter(topic="prior-auth.deemed-adverse", organization=organization)
    return list(Escalation.objects.filter(matter__in=matters, rung=Rung.REMINDER.value).values_list("at", flat=True))


def test_the_time_to_forward_presses_the_insurer_and_not_the_clinic(cast: Cast) -> None:
    deemed_adverse(cast)

    for hours in (77, 79, 95):
        work(stage.later(hours))

    assert reminded(cast.evergreen) == [stage.later(79)]  # once a quarter of the 24 hours is over
    assert reminded(cast.riverside) == []


def test_what_is_forwarded_is_open_for_nobody_any_longer(cast: Cast) -> None:
    key = stage.key_of(deemed_adverse(cast))

    deeming.forward(prior_auth_id=key, reason="IRE-7", by=cast.ivy, now=stage.later(74))
    for hours in (75, 98, 125):
        work(stage.later(hours))

    assert reminded(cast.evergreen) == []
    assert reminded(cast.riverside) == []


def overdue() -> str:
    """Return what became of the notice of a time limit that was missed: empty while it stands."""
    return matter("prior-auth.overdue").closing


def approved_and_given_up_telling(cast: Cast) -> None:
    """Have a request approved of which nobody hears before what was given up is tried again."""
    stage.approved(cast)
    OutboxMessage.objects.filter(topic="prior-auth.approved").update(dead_at=NOW)


def test_a_notice_that_is_late_is_open_for_the_insurer_until_the_clinic_has_it(cast: Cast) -> None:
    approved_and_given_up_telling(cast)
    services.note_late_notices(now=stage.later(73))
    drain(stage.later(73))
    services.escalate_due(now=stage.later(80))
    before = overdue()
    with tenancy.within(cast.evergreen.pk):
        waits = selectors.waiting(cast.nora).count()

    services.replay_all(now=stage.later(81))
    drain(stage.later(81))
    services.note_late_notices(now=stage.later(81))

    assert (before, waits) == ("", 1)
    assert overdue() == Closing.RESOLVED.value


def test_what_is_forwarded_late_is_open_for_the_insurer_until_it_is_forwarded(cast: Cast) -> None:
    key = stage.key_of(deemed_adverse(cast))
    deeming.note_unforwarded(now=stage.later(98))
    work(stage.later(98))
    before = overdue()

    deeming.forward(prior_auth_id=key, reason="IRE-7", by=cast.ivy, now=stage.later(99))
    work(stage.later(200))

    assert (before, overdue()) == ("", Closing.RESOLVED.value)


def test_a_notice_that_is_late_is_open_until_somebody_takes_it_in_hand(cast: Cast) -> None:
    approved_and_given_up_telling(cast)
    services.note_late_notices(now=stage.later(73))
    drain(stage.later(73))

    entry = InboxEntry.objects.get(delivery__matter__topic="prior-auth.overdue")
    services.acknowledge(notice_id=NoticeId(entry.public_id), by=cast.nora, now=stage.later(74))

    assert overdue() == Closing.ACKNOWLEDGED.value


def test_once_the_independent_reviewer_decided_what_the_law_made_adverse_is_open_for_nobody(cast: Cast) -> None:
    prior_auth = deemed_adverse(cast)
    deeming.forward(prior_auth_id=stage.key_of(prior_auth), reason="IRE-7", by=cast.ivy, now=stage.later(74))

    reviewed(cast, prior_auth, AppealOutcome.UPHELD, decided_on=stage.TODAY + timedelta(days=3), now=stage.later(74.5))
    for hours in (75, 98, 125):
        work(stage.later(hours))

    assert reminded(cast.riverside) == []


def test_the_moment_it_is_done_it_is_open_for_nobody_and_nobody_else_is_told(cast: Cast) -> None:
    prior_auth = asked(cast)
    work(NOW + 2 * DAY)
    opened = selectors.inbox(cast.jones).filter(is_open=True).count()

    request.answer_prescriber(
        prior_auth_id=stage.key_of(prior_auth), answers={"pr.attest": True}, by=cast.jones, now=NOW + 3 * DAY
    )
    at_once = selectors.inbox(cast.jones).filter(is_open=True).count()
    work(NOW + 9 * DAY)

    assert (opened, at_once) == (2, 0)
    assert rungs() == ["reminder"]
    assert matter().closing == Closing.RESOLVED.value


def test_a_step_that_tells_nobody_resolves_too(cast: Cast) -> None:
    prior_auth = stage.queued(cast)
    drain()
    before = selectors.inbox(cast.rae).filter(is_open=True).count()

    queue.claim(prior_auth_id=stage.key_of(prior_auth), by=cast.rae, now=SOON)

    assert (before, selectors.inbox(cast.rae).filter(is_open=True).count()) == (1, 0)


def test_a_rung_that_was_taken_tells_nobody_when_it_is_done_before_it_is_told(
    cast: Cast, post_office: PostOffice
) -> None:
    prior_auth = asked(cast)
    services.escalate_due(now=NOW + 2 * DAY)
    request.answer_prescriber(
        prior_auth_id=stage.key_of(prior_auth), answers={"pr.attest": True}, by=cast.jones, now=NOW + 2 * DAY
    )

    drain(NOW + 2 * DAY)

    assert rungs() == ["reminder"]
    assert told("notice.reminder") == set()


def test_a_mail_that_waited_is_not_sent_when_it_is_done_by_then(cast: Cast, post_office: PostOffice) -> None:
    wants(cast.jones, quiet_hours={"starts": time(9), "ends": time(23)})
    prior_auth = asked(cast)
    waiting = Delivery.objects.get(message__topic="prior-auth.prescriber-asked", channel="email")
    request.answer_prescriber(
        prior_auth_id=stage.key_of(prior_auth), answers={"pr.attest": True}, by=cast.jones, now=SOON
    )

    drain(NOW + DAY)

    waiting.refresh_from_db()
    assert waiting.last_error == NEEDLESS
    assert len(post_office.mails_to("jones@example.org")) == 1


def test_who_takes_it_in_hand_stops_the_ladder_for_the_organization(cast: Cast) -> None:
    asked(cast)
    work(NOW + 2 * DAY)
    reminder = selectors.inbox(cast.jones).get(topic="notice.reminder")

    entry = services.acknowledge(notice_id=NoticeId(reminder.public_id), by=cast.jones, now=NOW + 2 * DAY)
    work(NOW + 9 * DAY)

    assert entry.is_open is False  # type: ignore[attr-defined]
    assert rungs() == ["reminder"]
    assert matter().closing == Closing.ACKNOWLEDGED.value
    assert not selectors.inbox(cast.jones).filter(is_open=True, topic="prior-auth.prescriber-asked").exists()


def test_what_is_asked_anew_takes_the_place_of_what_was_asked(cast: Cast) -> None:
    prior_auth = asked(cast)

    say(prior_auth, "prior-auth.prescriber-asked")
    drain(SOON)

    assert list(Matter.objects.filter(topic="prior-auth.prescriber-asked").order_by("pk").values_list("closing")) == [
        (Closing.ASKED_ANEW.value,),
        ("",),
    ]


def test_the_database_takes_no_rung_twice(cast: Cast) -> None:
    asked(cast)
    work(NOW + 2 * DAY)

    with pytest.raises(IntegrityError, match="a_rung_is_taken_once"), transaction.atomic():
        Escalation.objects.create(matter=matter(), rung=Rung.REMINDER.value, at=NOW)


def test_another_organization_is_never_told(cast: Cast) -> None:
    asked(cast)

    for day in range(1, 9):
        work(NOW + day * DAY)

    assert not selectors.inbox(cast.mallory).exists()
    stella_elsewhere = actor_for(person=cast.people["stella"], organization=cast.hillside)
    assert not selectors.inbox(stella_elsewhere).exists()


@pytest.mark.django_db(transaction=True)
def test_several_workers_at_once_take_a_rung_once(cast: Cast) -> None:
    asked(cast)
    start = Barrier(4)

    def look() -> None:
        start.wait()
        services.escalate_due(now=NOW + 2 * DAY)
        connection.close()

    workers = [Thread(target=look) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert rungs() == ["reminder"]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["look", "look again", "answer", "acknowledge"]), min_size=3, max_size=8))
def test_never_two_of_a_rung_and_never_one_after_it_is_done(cast: Cast, moves: list[str]) -> None:
    point = transaction.savepoint()
    prior_auth, at, done_at = asked(cast), NOW, None
    here = Matter.objects.get(prior_auth=prior_auth, topic="prior-auth.prescriber-asked")
    key = stage.key_of(prior_auth)

    for move in moves:
        at += timedelta(hours=30 if move == "look" else 1)
        if move == "answer" and done_at is None:
            done_at = at
            request.answer_prescriber(prior_auth_id=key, answers={"pr.attest": True}, by=cast.jones, now=at)
        elif move == "acknowledge" and done_at is None:
            done_at = at
            entry = selectors.inbox(cast.jones).get(prior_auth=prior_auth, topic="prior-auth.prescriber-asked")
            services.acknowledge(notice_id=NoticeId(entry.public_id), by=cast.jones, now=at)
        services.escalate_due(now=at)

    taken = list(here.escalations.values_list("rung", "at"))
    transaction.savepoint_rollback(point)
    assert len({rung for rung, _ in taken}) == len(taken)
    assert done_at is None or all(when < done_at for _, when in taken)
