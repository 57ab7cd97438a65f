"""People and workers at the same request in the same instant: one of them is first, and the others find it so."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connections

from authz.errors import AuthzError
from authz.ids import FillId
from authz.outbox.models import OutboxMessage
from authz.prescriptions.models import Fill
from authz.prior_auths.determination import Reason
from authz.prior_auths.lifecycle import ACTIVE, ReopeningReason
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import determinations, intake, queue, renewals, reopening, request
from tests import cast as stage
from tests.cast import NOW, Cast, key_of, later

REASON = Reason(code="not-necessary", text="Seven days are enough after this procedure.", criterion="Policy 3.2")

pytestmark = pytest.mark.thorough

# Who is first is chance.
several_times = pytest.mark.parametrize("turn", range(4))


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Let all begin in the same instant, each on a connection of its own; return what came out, refusals as well."""
    together = Barrier(len(works))

    def one(work: Callable[[], Any]) -> Any:
        try:
            together.wait(timeout=20)
            return work()
        except AuthzError as refused:
            return refused
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


def steps_of(row: PriorAuth) -> list[str]:
    """Return the steps taken, in order: each went on from where the one before it had led, and none is lost."""
    events = list(row.events.order_by("sequence"))
    assert [event.from_state for event in events[1:]] == [event.to_state for event in events[:-1]]
    assert events[-1].to_state == row.state
    return [event.step for event in events]


def reverse(row: PriorAuth, cast: Cast) -> Callable[[], object]:
    fill = Fill.objects.get(patient=row.patient)
    return lambda: intake.reverse_fill(fill_id=FillId(fill.public_id), by=cast.stella, now=later(1))


@several_times
@pytest.mark.django_db(transaction=True)
def test_a_request_whose_lease_ends_while_it_is_taken_is_in_one_hand(turn: int) -> None:
    cast = stage.assemble()
    row = stage.in_review(cast)
    key, over = key_of(row), NOW + queue.LEASE

    at_once(
        lambda: queue.release_expired(now=over),
        lambda: queue.claim(prior_auth_id=key, by=cast.patel, now=over),
        lambda: queue.renew_lease(prior_auth_id=key, by=cast.rae, now=over),
        lambda: queue.claim_next(by=cast.patel, now=over),
    )

    row.refresh_from_db()
    steps = steps_of(row)
    has_ended = steps.count("release")
    holder = {"release": None, "claim": cast.patel.person_id if has_ended else cast.rae.person_id}[steps[-1]]
    assert has_ended <= 1, "a sweep passes by what somebody is at; the next one finds it"
    assert (row.reviewer_id, row.leased_until is None) == (holder, holder is None)
    assert queue.release_expired(now=over) == (not has_ended)


@several_times
@pytest.mark.django_db(transaction=True)
def test_a_reviewer_who_decides_while_the_lease_ends_decides_or_has_it_no_more(turn: int) -> None:
    cast = stage.assemble()
    row = stage.in_review(cast)
    key, over = key_of(row), NOW + queue.LEASE

    _, decided = at_once(
        lambda: queue.release_expired(now=over),
        lambda: determinations.approve(prior_auth_id=key, by=cast.rae, now=over),
    )

    row.refresh_from_db()
    is_refused = isinstance(decided, AuthzError)
    assert steps_of(row)[-1] == ("release" if is_refused else "approve")
    assert row.determinations.count() == (0 if is_refused else 1)


@several_times
@pytest.mark.django_db(transaction=True)
def test_what_is_submitted_while_its_cause_is_reversed_is_submitted_and_in_doubt(turn: int) -> None:
    cast = stage.assemble()
    row = stage.drafted(cast)
    key = key_of(row)

    submitted, _ = at_once(lambda: request.submit(prior_auth_id=key, by=cast.stella, now=later(1)), reverse(row, cast))

    row.refresh_from_db()
    assert not isinstance(submitted, AuthzError)
    assert (row.state, row.need_in_doubt_at) == ("queued", later(1))
    assert "retract" not in steps_of(row)


@several_times
@pytest.mark.django_db(transaction=True)
def test_what_is_taken_up_while_its_cause_is_reversed_is_retracted_before_or_after(turn: int) -> None:
    cast = stage.assemble()
    row = stage.detected(cast)
    key = key_of(row)

    taken, _ = at_once(lambda: request.take_up(prior_auth_id=key, by=cast.stella, now=later(1)), reverse(row, cast))

    row.refresh_from_db()
    assert row.state == "lapsed"
    assert steps_of(row)[1:] == (["retract"] if isinstance(taken, AuthzError) else ["take_up", "retract"])


@several_times
@pytest.mark.django_db(transaction=True)
def test_of_two_who_decide_one_decides(turn: int) -> None:
    cast = stage.assemble()
    row = stage.in_clinical_review(cast)
    key = key_of(row)
    queue.take_in_hand(prior_auth_id=key, by=cast.patel, now=NOW)
    before = OutboxMessage.objects.filter(subject_id=row.public_id).count()

    outcomes = at_once(
        lambda: determinations.approve(prior_auth_id=key, by=cast.patel, now=NOW),
        lambda: determinations.deny(prior_auth_id=key, reason=REASON, by=cast.patel, now=NOW),
    )

    row.refresh_from_db()
    assert [isinstance(outcome, AuthzError) for outcome in outcomes].count(True) == 1
    assert row.determinations.count() == 1
    assert OutboxMessage.objects.filter(subject_id=row.public_id).count() == before + 1
    steps_of(row)


@several_times
@pytest.mark.django_db(transaction=True)
def test_what_is_reopened_while_its_renewal_is_prepared_is_the_only_one_that_is_active(turn: int) -> None:
    cast = stage.assemble()
    row = stage.approved(cast)
    key, at = key_of(row), later(24 * 6)

    reopened, _ = at_once(
        lambda: reopening.reopen(prior_auth_id=key, code=ReopeningReason.FRAUD, reason="Forged.", by=cast.nora, now=at),
        lambda: renewals.open_renewals(now=at),
    )

    assert not isinstance(reopened, AuthzError)
    assert list(PriorAuth.objects.filter(state__in=[state.value for state in ACTIVE])) == [row]
