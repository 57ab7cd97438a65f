"""When the time runs out: a breach is noted once, and the law decides where it does. A decision in time always wins."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Event, Thread

import pytest
from django.db import connections, transaction

from authz.ids import PriorAuthId
from authz.outbox.models import OutboxMessage
from authz.policies.history import Kind
from authz.prior_auths import selectors
from authz.prior_auths.determination import Grant, Reason
from authz.prior_auths.lifecycle import DismissalReason
from authz.prior_auths.models import Authorization, Breach, Determination, PriorAuth
from authz.prior_auths.services import deeming, determinations, endings, questions
from authz.prior_auths.services.deeming import NothingToForward
from authz.prior_auths.services.steps import DecidedByLaw
from tests import cast as stage
from tests.cast import TODAY, Cast, key_of, later


def under(cast: Cast, regime: str) -> None:
    cast.plan.regime = regime
    cast.plan.save()


def due_of(prior_auth: PriorAuth) -> datetime:
    due = selectors.due(prior_auth)
    assert due is not None
    return due.at


def told(topic: str) -> int:
    return OutboxMessage.objects.filter(topic=f"prior-auth.{topic}").count()


def test_at_the_due_instant_nothing_has_happened_and_right_after_it_the_law_approves(cast: Cast) -> None:
    under(cast, "california")
    queued = stage.queued(cast)

    assert deeming.deem_due(now=due_of(queued)) == 0
    assert deeming.deem_due(now=later(73)) == 1
    assert deeming.deem_due(now=later(74)) == 0

    decided = Determination.objects.get(prior_auth=queued)
    assert (decided.outcome, decided.basis, decided.decided_by, decided.was_late) == (
        "deemed_approved",
        "law",
        None,
        True,
    )
    assert Authorization.objects.get().days_granted == 10
    assert (told("deemed-approved"), told("overdue"), Breach.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize("builder", [stage.queued, stage.in_review, stage.in_clinical_review])
def test_part_d_makes_it_adverse_wherever_it_is_and_to_be_forwarded(cast: Cast, builder: object) -> None:
    under(cast, "part_d")
    prior_auth = builder(cast)  # type: ignore[operator]

    deeming.deem_due(now=later(73))

    decided = Determination.objects.get(prior_auth=prior_auth)
    assert (decided.outcome, decided.licence, told("deemed-adverse")) == ("deemed_adverse", None, 1)
    assert not Authorization.objects.exists()


def test_what_is_adverse_by_law_is_forwarded_once(cast: Cast) -> None:
    under(cast, "part_d")
    key = key_of(stage.queued(cast))
    deeming.deem_due(now=later(73))

    deeming.forward(prior_auth_id=key, reason="IRE-7", by=cast.ivy, now=later(74))
    with pytest.raises(NothingToForward):
        deeming.forward(prior_auth_id=key, reason="IRE-7", by=cast.ivy, now=later(75))

    assert deeming.note_unforwarded(now=later(24 * 9)) == 0
    assert not Breach.objects.filter(kind="forward_by").exists()


def test_not_forwarding_in_time_is_a_breach_noted_once(cast: Cast) -> None:
    under(cast, "part_d")
    stage.queued(cast)
    deeming.deem_due(now=later(73))

    assert deeming.note_unforwarded(now=later(73 + 20)) == 0
    assert deeming.note_unforwarded(now=later(73 + 25)) == 1
    assert deeming.note_unforwarded(now=later(73 + 26)) == 0


def test_where_the_law_says_nothing_the_request_stays_open_and_the_breach_is_noted_once(cast: Cast) -> None:
    queued = stage.queued(cast)

    assert (deeming.deem_due(now=later(73)), deeming.deem_due(now=later(74))) == (0, 0)

    queued.refresh_from_db()
    assert (queued.state, Breach.objects.get().due_at, told("overdue")) == ("queued", later(72), 1)


REASON = Reason(code="not-necessary", text="Seven days are enough.", criterion="Policy 3.2")
A_PART = {1: Grant(days=4, quantity=Decimal(16), starts_on=TODAY, ends_on=TODAY + timedelta(days=3))}

AGAINST: dict[str, tuple[Callable[[Cast], PriorAuth], Callable[[Cast, PriorAuthId, datetime], object]]] = {
    "deny": (
        stage.in_clinical_review,
        lambda cast, key, now: determinations.deny(prior_auth_id=key, reason=REASON, by=cast.patel, now=now),
    ),
    "approve in part": (
        stage.in_clinical_review,
        lambda cast, key, now: determinations.approve_in_part(
            prior_auth_id=key, grants=A_PART, reason=REASON, by=cast.patel, now=now
        ),
    ),
    "dismiss": (
        stage.queued,
        lambda cast, key, now: endings.dismiss(
            prior_auth_id=key, code=DismissalReason.NOT_A_MEMBER, reason="Not insured.", by=cast.ivy, now=now
        ),
    ),
    "link as a duplicate": (
        stage.queued,
        lambda cast, key, now: endings.link_duplicate(
            prior_auth_id=key, survivor_id=survivor(cast, key), by=cast.ivy, now=now
        ),
    ),
    "return": (
        stage.queued,
        lambda cast, key, now: questions.return_incomplete(
            prior_auth_id=key, missing=["The chart note."], by=cast.ivy, now=now
        ),
    ),
    "ask": (
        stage.in_review,
        lambda cast, key, now: questions.ask(prior_auth_id=key, questions=["Which knee?"], by=cast.rae, now=now),
    ),
}


def survivor(cast: Cast, key: PriorAuthId) -> PriorAuthId:
    """Return another request for the same use, as if its orders and fills had turned out to be those."""
    one, other = PriorAuth.objects.get(public_id=key), stage.queued(cast)
    PriorAuth.objects.filter(pk=other.pk).update(
        patient=one.patient, coverage=one.coverage, record_ids=[*other.record_ids, *one.record_ids]
    )
    return key_of(other)


@pytest.mark.parametrize("against", list(AGAINST))
def test_once_the_law_has_approved_nothing_is_done_against_it_before_that_is_recorded(cast: Cast, against: str) -> None:
    under(cast, "california")
    builder, act = AGAINST[against]
    prior_auth = builder(cast)
    over = due_of(prior_auth)

    with pytest.raises(DecidedByLaw, match="it is approved by law"):
        act(cast, key_of(prior_auth), over + timedelta(microseconds=1))

    deeming.deem_due(now=over + timedelta(minutes=1))
    assert Determination.objects.get(prior_auth=prior_auth).outcome == "deemed_approved"
    assert Breach.objects.filter(prior_auth=prior_auth).count() == 1


def test_at_the_due_instant_a_physician_still_denies(cast: Cast) -> None:
    under(cast, "part_d")
    prior_auth = stage.in_clinical_review(cast)

    determinations.deny(prior_auth_id=key_of(prior_auth), reason=REASON, by=cast.patel, now=due_of(prior_auth))

    assert (deeming.deem_due(now=later(73)), Determination.objects.get().outcome) == (0, "denied")


def test_where_the_law_decides_nothing_people_still_do(cast: Cast) -> None:
    prior_auth = stage.in_clinical_review(cast)

    determinations.deny(prior_auth_id=key_of(prior_auth), reason=REASON, by=cast.patel, now=later(80))

    assert Determination.objects.get().was_late


def test_what_is_adverse_by_law_may_be_approved_in_full_until_that_is_recorded_and_is_not_forwarded(cast: Cast) -> None:
    under(cast, "part_d")
    prior_auth = stage.in_review(cast)
    over = due_of(prior_auth)

    determinations.approve(prior_auth_id=key_of(prior_auth), by=cast.rae, now=over + timedelta(seconds=20))

    assert deeming.deem_due(now=over + timedelta(minutes=1)) == 0
    assert (Determination.objects.get().was_late, Breach.objects.get().kind) == (True, "decide_by")
    forward = selectors.clocks_of(prior_auth).get(Kind.FORWARD_BY)
    assert forward is not None
    assert forward.is_missed(by=later(24 * 9)) is False


def test_a_request_that_cannot_be_worked_on_stops_no_other_and_is_not_passed_over_in_silence(
    cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    under(cast, "california")
    broken, sound = stage.queued(cast), stage.queued(cast)
    before_all_calendars = datetime.min.replace(tzinfo=UTC)
    broken.events.create(sequence=0, step="submit", at=before_all_calendars, actor_name="Nobody")

    with pytest.raises(ExceptionGroup) as fault:
        deeming.deem_due(now=later(73))

    assert [type(one) for one in fault.value.exceptions] == [OverflowError]
    assert caplog.messages == [f"Row {broken.pk} could not be worked on; the others have their turn."]
    assert [row.prior_auth for row in Determination.objects.all()] == [sound]


def test_a_clock_that_stood_still_is_not_missed(cast: Cast) -> None:
    returned = stage.incomplete(cast)
    assert (selectors.due(returned), returned.due_at) == (None, None)
    item = returned.information_requests.get()

    assert deeming.deem_due(now=later(90)) == 0
    again = questions.complete(
        prior_auth_id=key_of(returned), answers={item.public_id: "Here."}, by=cast.stella, now=later(100)
    )

    assert again.due_at == due_of(again) == later(172)


@pytest.mark.django_db(transaction=True)
def test_a_decision_made_in_time_and_still_uncommitted_beats_deeming() -> None:
    cast = stage.assemble()
    under(cast, "part_d")
    prior_auth = stage.in_review(cast)
    is_decided, has_started = Event(), Event()

    def deem() -> None:
        is_decided.wait(timeout=20)
        has_started.set()
        deeming.deem_due(now=later(73))
        connections.close_all()

    job = Thread(target=deem)
    job.start()
    with transaction.atomic():
        determinations.approve(prior_auth_id=key_of(prior_auth), by=cast.rae, now=due_of(prior_auth))
        is_decided.set()
        has_started.wait(timeout=20)
        job.join(timeout=0.5)
        assert job.is_alive(), "deeming waits for the decision's lock"
    job.join(timeout=20)

    decided = Determination.objects.get()
    assert (decided.outcome, decided.was_late) == ("approved", False)
