"""Peer-to-peer calls: offered, a time found by both sides, and what came of them; nothing is decided by one."""

from dataclasses import replace
from datetime import datetime
from functools import partial

import pytest
from django.db import IntegrityError, transaction

from authz.access.roles import Role
from authz.access.tenancy import within
from authz.errors import Forbidden, InvalidInput, NotFound, StaleVersion
from authz.ids import CallId, CallTimeId
from authz.outbox.models import OutboxMessage
from authz.policies import regimes
from authz.prior_auths import calls
from authz.prior_auths.call_lifecycle import ENDED, OPEN, TABLE, CallOutcome, CallState, CallStep, steps_for
from authz.prior_auths.lifecycle import DismissalReason
from authz.prior_auths.models import Call, Determination
from authz.prior_auths.services import calling, determinations, endings, queue, request
from authz.prior_auths.services.calling import AlreadyOffered, NothingToTalkAbout
from authz.prior_auths.services.steps import IllegalStep
from tests import cast as stage
from tests.cast import NOW, Cast, key_of, later
from tests.prior_auths.test_promises import refused
from tests.prior_auths.test_review import REASON

TIMES = (later(24), later(48))


def offered(cast: Cast, times: tuple[datetime, ...] = TIMES) -> CallId:
    call = calling.offer(prior_auth_id=key_of(stage.denied(cast)), times=times, by=cast.patel, now=NOW)
    return CallId(call.public_id)


def first_time(key: CallId) -> CallTimeId:
    return CallTimeId(calls.times(Call.objects.get(public_id=key))[0].public_id)


def told(topic: str) -> int:
    return OutboxMessage.objects.filter(topic=f"peer-to-peer.{topic}").count()


@pytest.mark.parametrize("step", CallStep)
def test_every_step_has_a_row_that_others_hear_of(step: CallStep) -> None:
    assert TABLE[step].by
    assert TABLE[step].says.startswith("peer-to-peer.")


@pytest.mark.parametrize("state", CallState)
def test_an_open_call_goes_on_and_an_ended_one_does_not(state: CallState) -> None:
    assert bool(steps_for(state=state, roles=set(Role))) is (state in OPEN)
    assert (state in ENDED) is (state not in OPEN)


def test_the_clinic_accepts_one_of_the_times_and_the_outcome_is_kept(cast: Cast) -> None:
    key = offered(cast)

    calling.accept(call_id=key, time_id=first_time(key), by=cast.jones, now=later(1))
    with pytest.raises(InvalidInput) as early:
        calling.conclude(
            call_id=key, outcome=CallOutcome.WILL_APPROVE, reason="Agreed.", by=cast.patel, now=later(23.9)
        )
    done = calling.conclude(
        call_id=key, outcome=CallOutcome.WILL_APPROVE, reason="Agreed.", by=cast.patel, now=later(24)
    )

    assert set(early.value.fields) == {"outcome"}
    assert (done.state, done.outcome, done.starts_at) == ("concluded", "will_approve", later(24))
    assert [event.step for event in done.events.all()] == ["offer", "accept", "conclude"]
    assert [told(topic) for topic in ("offered", "agreed", "concluded")] == [1, 1, 1]
    assert Determination.objects.get().outcome == "denied"


def test_the_clinic_proposes_other_times_and_the_insurer_confirms_one_of_those_alone(cast: Cast) -> None:
    key = offered(cast)
    was_offered = first_time(key)
    calling.propose_times(call_id=key, times=[later(72)], by=cast.stella, now=later(1))

    with pytest.raises(InvalidInput):
        calling.confirm(call_id=key, time_id=was_offered, by=cast.rae, now=later(2))
    with pytest.raises(IllegalStep) as refusal:
        calling.accept(call_id=key, time_id=first_time(key), by=cast.stella, now=later(2))
    with pytest.raises(StaleVersion):
        calling.confirm(call_id=key, time_id=first_time(key), by=cast.rae, now=later(2), expected_version=1)
    agreed = calling.confirm(call_id=key, time_id=first_time(key), by=cast.rae, now=later(2))

    assert refusal.value.context["allowed"] == ["propose_times", "decline"]
    assert (agreed.state, agreed.starts_at, calls.times(agreed)) == ("agreed", later(72), [])


@pytest.mark.parametrize("times", [[later(-1)], [NOW], [later(1), later(1)], [later(hour) for hour in range(1, 7)], []])
def test_times_lie_ahead_are_named_once_and_are_few(cast: Cast, times: list[datetime]) -> None:
    key = offered(cast, ())

    with pytest.raises(InvalidInput) as refusal:
        calling.offer_times(call_id=key, times=times, by=cast.rae, now=NOW)

    assert set(refusal.value.fields) == {"times"}
    assert Call.objects.get().version == 1


def test_a_time_that_is_over_is_not_accepted_and_a_call_without_one_was_not_held(cast: Cast) -> None:
    key = offered(cast)

    with pytest.raises(InvalidInput):
        calling.accept(call_id=key, time_id=first_time(key), by=cast.stella, now=later(24))
    with pytest.raises(InvalidInput):
        calling.conclude(call_id=key, outcome=CallOutcome.WILL_STAND, reason="No.", by=cast.rae, now=later(99))

    done = calling.conclude(call_id=key, outcome=CallOutcome.NOT_HELD, reason="No.", by=cast.rae, now=later(99))
    assert (done.state, done.outcome) == ("concluded", "not_held")


def test_one_call_of_a_request_is_open_and_the_clinic_may_do_without(cast: Cast) -> None:
    key = offered(cast)
    call = Call.objects.get(public_id=key)
    again = {"prior_auth_id": key_of(call.prior_auth), "times": (), "by": cast.rae, "now": later(1)}

    with pytest.raises(AlreadyOffered) as refusal:
        calling.offer(**again)  # type: ignore[arg-type]
    with pytest.raises(IntegrityError, match="one_open_call"), transaction.atomic():
        Call.objects.create(prior_auth=call.prior_auth, state="offered", is_required=False, offered_at=NOW)
    calling.decline(call_id=key, reason="We appeal.", by=cast.jones, now=later(1))

    assert refusal.value.context["call"] == str(key)
    assert calling.offer(**again).state == "offered"  # type: ignore[arg-type]


def test_the_clinic_asks_for_a_call_and_the_insurer_answers_with_times(cast: Cast) -> None:
    denied = key_of(stage.denied(cast))

    with pytest.raises(InvalidInput) as without:
        calling.ask_for(prior_auth_id=denied, times=(), by=cast.stella, now=NOW)
    call = calling.ask_for(prior_auth_id=denied, times=TIMES, by=cast.stella, now=NOW)
    key, heard = CallId(call.public_id), told("times-proposed")
    calling.offer_times(call_id=key, times=[later(30)], by=cast.patel, now=later(1))
    agreed = calling.accept(call_id=key, time_id=first_time(key), by=cast.jones, now=later(2))

    assert set(without.value.fields) == {"times"}
    assert (call.state, heard) == ("proposed", 1)
    assert (agreed.state, agreed.starts_at) == ("agreed", later(30))
    assert [event.step for event in agreed.events.all()] == ["propose_times", "offer_times", "accept"]


def test_a_call_is_not_asked_for_twice_nor_by_who_has_no_part_in_it(cast: Cast) -> None:
    denied, approved = key_of(stage.denied(cast)), key_of(stage.approved(cast))
    ask = partial(calling.ask_for, times=TIMES, now=NOW)

    with pytest.raises(NothingToTalkAbout):
        ask(prior_auth_id=approved, by=cast.stella)
    with pytest.raises(Forbidden):
        ask(prior_auth_id=denied, by=cast.rae)
    with pytest.raises(NotFound):
        ask(prior_auth_id=denied, by=cast.mallory)
    ask(prior_auth_id=denied, by=cast.jones)
    with pytest.raises(AlreadyOffered):
        ask(prior_auth_id=denied, by=cast.stella)


def test_only_a_reviewer_offers_and_only_where_there_is_something_to_talk_about(cast: Cast) -> None:
    queued, approved = stage.queued(cast), stage.approved(cast)
    said = {"times": (), "now": NOW}

    for row in (queued, approved):
        with pytest.raises(NothingToTalkAbout):
            calling.offer(prior_auth_id=key_of(row), by=cast.rae, **said)  # type: ignore[arg-type]
    queue.claim(prior_auth_id=key_of(queued), by=cast.rae, now=NOW)
    with pytest.raises(Forbidden):
        calling.offer(prior_auth_id=key_of(queued), by=cast.stella, **said)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        calling.offer(prior_auth_id=key_of(queued), by=cast.oscar, **said)  # type: ignore[arg-type]

    assert calling.offer(prior_auth_id=key_of(queued), by=cast.rae, **said).is_required is False  # type: ignore[arg-type]


def test_where_the_regime_requires_it_a_call_is_offered_once_and_elsewhere_it_is_not(cast: Cast) -> None:
    denied, ours = stage.denied(cast), regimes.version("generic", "1")
    assert not Call.objects.exists()

    for required in (False, True, True):
        regime = replace(ours, peer_to_peer_required=required)
        with within(cast.evergreen.pk):
            calling.offer_where_required(prior_auth=denied, regime=regime, now=NOW)

    call = Call.objects.get()
    assert (call.is_required, call.state, call.events.get().actor_name, told("offered")) == (
        True,
        "offered",
        "Authz",
        1,
    )


@pytest.mark.parametrize("end", ["withdraw", "dismiss", "void", "approve"])
def test_once_the_request_has_ended_or_is_approved_there_is_no_call_any_more(cast: Cast, end: str) -> None:
    key = key_of(stage.in_review(cast))
    calling.offer(prior_auth_id=key, times=TIMES, by=cast.rae, now=NOW)
    ends = {
        "withdraw": partial(request.withdraw, reason="Not wanted.", by=cast.stella),
        "dismiss": partial(endings.dismiss, code=DismissalReason.NOT_REQUIRED, reason="Not required.", by=cast.rae),
        "void": partial(endings.void, reason="Wrong patient.", by=cast.nora),
        "approve": partial(determinations.approve, by=cast.rae),
    }

    with within(cast.riverside.pk if end == "withdraw" else cast.evergreen.pk):
        ends[end](prior_auth_id=key, now=later(1))

    call = Call.objects.get()
    assert (call.state, told("cancelled")) == ("cancelled", 1)
    assert [event.actor_name for event in call.events.all()] == ["Rae Quinn", "Authz"]
    assert not calls.times(call)


def test_a_denial_leaves_a_call_about_it_open(cast: Cast) -> None:
    key = key_of(stage.in_clinical_review(cast))
    calling.offer(prior_auth_id=key, times=TIMES, by=cast.rae, now=NOW)

    determinations.deny(prior_auth_id=key, reason=REASON, by=cast.patel, now=later(1))

    assert Call.objects.get().state == "offered"


def test_what_was_said_of_a_call_stays(cast: Cast) -> None:
    offered(cast)

    refused("UPDATE authz_callevent SET id = id", [], "append-only|permission denied")
    refused("DELETE FROM authz_calltime", [], "append-only|permission denied")
