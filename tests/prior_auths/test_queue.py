"""The insurer's queue: the most pressing first, one request never in two hands, and what reviewers say about it."""

from collections import Counter
from threading import Barrier, Thread

import pytest
from django.db import connections

from authz.access import services as access
from authz.access.roles import Role
from authz.errors import Forbidden, InvalidInput
from authz.ids import PersonId, new_id
from authz.prior_auths import review_queue, selectors
from authz.prior_auths.deadlines import Urgency
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.review_queue import Part, Whose
from authz.prior_auths.services import absences, due_instants, questions, queue, request
from authz.prior_auths.services.queue import LEASE, ConflictOfInterest, LeaseHeldByAnother, NotInHand
from authz.prior_auths.services.steps import IllegalStep
from tests import cast as stage
from tests.cast import NOW, Cast, key_of, later


def copies(prior_auth: PriorAuth, count: int) -> None:
    """Put as many more requests like this one into the queue."""
    rows = []
    for number in range(count):
        row = PriorAuth.objects.get(pk=prior_auth.pk)
        row.pk, row.public_id, row.number = None, new_id(), f"PA-COPY-{number}"
        row.episode_anchor, row.record_ids = new_id(), [new_id()]
        rows.append(row)
    PriorAuth.objects.bulk_create(rows)


def person_id(cast: Cast, name: str) -> PersonId:
    return PersonId(cast.people[name].public_id)


def test_the_queue_goes_by_the_deadline_and_then_by_who_runs_out_first(cast: Cast) -> None:
    slow, quick, also_slow = stage.queued(cast), stage.drafted(cast), stage.queued(cast)
    request.submit(prior_auth_id=key_of(quick), by=cast.stella, now=later(1), urgency=Urgency.EXPEDITED)
    PriorAuth.objects.filter(pk=also_slow.pk).update(runs_out_on=stage.TODAY)

    assert list(review_queue.review_queue(cast.rae)) == [quick, also_slow, slow]
    assert list(review_queue.at_risk(review_queue.review_queue(cast.rae), now=later(18))) == [quick]


def test_a_clinic_has_no_review_queue_and_another_insurer_an_empty_one(cast: Cast) -> None:
    stage.queued(cast)

    assert not review_queue.review_queue(cast.oscar).exists()
    with pytest.raises(Forbidden):
        review_queue.review_queue(cast.stella)
    with pytest.raises(Forbidden):
        queue.claim_next(by=cast.ivy, now=NOW)


def test_mine_the_teams_and_nobodys(cast: Cast) -> None:
    held, waiting = stage.in_review(cast), stage.queued(cast)
    rows = review_queue.review_queue(cast.rae)

    assert list(review_queue.of(rows, Whose.MINE, cast.rae)) == [held]
    assert list(review_queue.of(rows, Whose.TEAM, cast.patel)) == [held]
    assert list(review_queue.of(rows, Whose.UNASSIGNED, cast.rae)) == [waiting]


def test_the_next_one_is_the_most_pressing_and_then_there_is_none(cast: Cast) -> None:
    first, second = stage.queued(cast), stage.queued(cast, now=later(1))

    taken = [queue.claim_next(by=cast.rae, now=later(2)) for _ in range(3)]

    assert taken == [first, second, None]
    assert taken[0] is not None
    assert (taken[0].state, taken[0].leased_until) == ("in_review", later(2) + LEASE)


def test_a_physician_is_offered_first_what_only_a_physician_decides(cast: Cast) -> None:
    stage.queued(cast)
    referred = stage.in_clinical_review(cast, now=later(1))

    taken = queue.claim_next(by=cast.patel, now=later(2))

    assert taken == referred
    assert (taken.state, taken.reviewer_id) == ("clinical_review", cast.people["patel"].pk)


def test_what_was_passed_over_is_offered_to_others(cast: Cast) -> None:
    queued = stage.queued(cast)

    queue.skip(prior_auth_id=key_of(queued), reason="I know the patient.", by=cast.rae, now=NOW)

    assert queue.claim_next(by=cast.rae, now=NOW) is None
    assert queue.claim_next(by=cast.patel, now=NOW) == queued
    with pytest.raises(IllegalStep):
        queue.skip(prior_auth_id=key_of(queued), reason="Again.", by=cast.rae, now=NOW)


def test_what_somebody_has_in_hand_goes_back_when_they_pass_it_over(cast: Cast) -> None:
    claimed, referred = stage.in_review(cast), stage.in_clinical_review(cast)
    queue.take_in_hand(prior_auth_id=key_of(referred), by=cast.patel, now=NOW)

    queue.skip(prior_auth_id=key_of(claimed), reason="I know the patient.", by=cast.rae, now=NOW)
    queue.skip(prior_auth_id=key_of(referred), reason="I know the patient.", by=cast.patel, now=NOW)

    rows = PriorAuth.objects.order_by("pk").values_list("state", "reviewer", "leased_until")
    assert list(rows) == [("queued", None, None), ("clinical_review", None, None)]
    assert queue.claim_next(by=cast.rae, now=NOW) is None


def test_what_was_passed_over_is_offered_again_the_next_day_or_once_it_is_at_risk(cast: Cast) -> None:
    first, second = stage.queued(cast), stage.queued(cast, now=later(30))
    for row in (first, second):
        queue.skip(prior_auth_id=key_of(row), reason="I know the patient.", by=cast.rae, now=later(31))

    assert queue.claim_next(by=cast.rae, now=later(54)) is None
    assert queue.claim_next(by=cast.rae, now=later(55)) == first
    PriorAuth.objects.filter(pk=second.pk).update(due_at=later(61))
    assert queue.claim_next(by=cast.rae, now=later(53.5)) == second, (
        "less than eight hours are left, and nothing else waits"
    )


def test_what_was_passed_over_and_is_at_risk_comes_after_all_that_waits(cast: Cast) -> None:
    pressing, other = stage.queued(cast), stage.queued(cast, now=later(60))
    queue.skip(prior_auth_id=key_of(pressing), reason="I know the patient.", by=cast.rae, now=later(66))

    taken = [queue.claim_next(by=cast.rae, now=later(66)) for _ in range(3)]

    assert taken == [other, pressing, None]


def test_a_physician_is_offered_what_waits_in_the_queue_before_what_they_passed_over(cast: Cast) -> None:
    referred, queued = stage.in_clinical_review(cast), stage.queued(cast, now=later(60))
    queue.skip(prior_auth_id=key_of(referred), reason="I know the patient.", by=cast.patel, now=later(66))

    taken = [queue.claim_next(by=cast.patel, now=later(66)) for _ in range(3)]

    assert taken == [queued, referred, None]


def test_why_a_request_was_passed_over_colleagues_read_and_the_clinic_does_not(cast: Cast) -> None:
    key = key_of(stage.queued(cast))
    queue.skip(prior_auth_id=key, reason="I know the patient.", by=cast.rae, now=NOW)

    seen = {
        by.name: [skip.reason for skip in selectors.prior_auth(by, key).skips.all()] for by in (cast.patel, cast.jones)
    }

    assert seen == {"Dr Patel": ["I know the patient."], "Dr Jones": []}


def test_a_physicians_lease_ends_as_well_and_they_can_give_a_request_back(cast: Cast) -> None:
    expired, given_back = stage.in_clinical_review(cast), stage.in_clinical_review(cast)
    for row in (expired, given_back):
        queue.take_in_hand(prior_auth_id=key_of(row), by=cast.patel, now=NOW)

    queue.give_back(prior_auth_id=key_of(given_back), reason="Not my field.", by=cast.patel, now=later(0.1))

    assert [queue.release_expired(now=later(0.6)) for _ in range(2)] == [1, 0]
    rows = PriorAuth.objects.order_by("pk").values_list("state", "reviewer", "leased_until")
    assert list(rows) == [("clinical_review", None, None)] * 2
    assert [load.in_hand for load in review_queue.workload(cast.patel, now=later(0.6))] == [0, 0]


def test_nobody_reviews_what_concerns_their_own_clinic(cast: Cast) -> None:
    queued = stage.queued(cast)
    access.add_membership(person=cast.people["rae"], organization=cast.riverside, role=Role.PRESCRIBER)

    assert queue.claim_next(by=cast.rae, now=NOW) is None
    with pytest.raises(ConflictOfInterest):
        queue.claim(prior_auth_id=key_of(queued), by=cast.rae, now=NOW)


def test_what_concerns_ones_own_prescriptions_is_passed_by_and_stops_nobody(cast: Cast) -> None:
    own, other = stage.queued(cast), stage.queued(cast, now=later(1))
    PriorAuth.objects.filter(pk=other.pk).update(prescriber=None)
    cast.prescriber.person = cast.people["rae"]
    cast.prescriber.save()

    assert queue.claim_next(by=cast.rae, now=later(1)) == other
    assert queue.claim_next(by=cast.patel, now=later(1)) == own


def test_a_heartbeat_keeps_a_request_in_hand_and_changes_nothing_else(cast: Cast) -> None:
    held = stage.in_review(cast)

    renewed = queue.renew_lease(prior_auth_id=key_of(held), by=cast.rae, now=later(0.4))

    assert (renewed.leased_until, renewed.version) == (later(0.4) + LEASE, held.version)
    for by, now in ((cast.patel, later(0.5)), (cast.rae, later(2))):
        with pytest.raises(NotInHand):
            queue.renew_lease(prior_auth_id=key_of(held), by=by, now=now)


def test_a_request_is_handed_to_a_colleague_by_who_has_it_or_an_administrator(cast: Cast) -> None:
    key = key_of(stage.in_review(cast))

    with pytest.raises(LeaseHeldByAnother):
        queue.reassign(prior_auth_id=key, person_id=person_id(cast, "patel"), reason="Mine.", by=cast.patel, now=NOW)
    handed = queue.reassign(
        prior_auth_id=key, person_id=person_id(cast, "patel"), reason="Yours.", by=cast.nora, now=NOW
    )

    assert handed.reviewer_id == cast.people["patel"].pk
    for name in ("ivy", "oscar", "stella"):
        with pytest.raises(InvalidInput):
            queue.reassign(prior_auth_id=key, person_id=person_id(cast, name), reason="x", by=cast.patel, now=NOW)


def test_a_machine_has_nothing_in_hand(cast: Cast) -> None:
    stage.queued(cast)
    machine = stage.machine_of(cast.rae)

    assert not review_queue.of(review_queue.review_queue(machine), Whose.MINE, machine).exists()
    counts = review_queue.counts(machine, now=NOW)
    assert (counts[Part.MINE], counts[Part.TEAM], counts[Part.UNASSIGNED]) == (0, 0, 1)


def test_nothing_is_handed_to_somebody_who_is_away_and_answers_go_to_the_queue(cast: Cast) -> None:
    key = key_of(stage.in_review(cast))
    asked = questions.ask(prior_auth_id=key, questions=["Which?"], by=cast.rae, now=NOW)
    question = asked.information_requests.get()
    absences.be_away(starts_at=NOW, ends_at=later(48), by=cast.rae, now=NOW)

    questions.answer(prior_auth_id=key, answers={question.public_id: "Left."}, by=cast.stella, now=later(1))
    assert queue.release_expired(now=later(1)) == 1
    queue.claim(prior_auth_id=key, by=cast.patel, now=later(1))

    with pytest.raises(InvalidInput) as refusal:
        queue.reassign(prior_auth_id=key, person_id=person_id(cast, "rae"), reason="x", by=cast.patel, now=later(1))
    assert refusal.value.fields == {"person": ["That colleague is away."]}


def test_the_workload_tells_who_has_how_much(cast: Cast) -> None:
    stage.in_review(cast)
    absences.be_away(starts_at=NOW, ends_at=later(1), by=cast.patel, now=NOW)

    loads = {load.name: load for load in review_queue.workload(cast.nora, now=later(0.5))}

    assert (loads["Rae Quinn"].in_hand, loads["Rae Quinn"].at_risk, loads["Rae Quinn"].is_absent) == (1, 0, False)
    assert (loads["Dr Patel"].in_hand, loads["Dr Patel"].is_absent) == (0, True)


def test_the_kept_due_instant_is_the_computed_one_after_every_step_and_is_mended(cast: Cast) -> None:
    rows = [stage.queued(cast), stage.in_review(cast), stage.in_clinical_review(cast), stage.incomplete(cast)]
    assert due_instants.mend() == []

    PriorAuth.objects.filter(pk=rows[0].pk).update(due_at=NOW)

    assert due_instants.mend() == [rows[0].public_id]
    kept = PriorAuth.objects.get(pk=rows[0].pk)
    due = selectors.due(kept)
    assert due is not None
    assert kept.due_at == due.at == later(72)


@pytest.mark.django_db(transaction=True)
def test_fifty_reviewers_at_once_never_share_a_request() -> None:
    cast = stage.assemble()
    copies(stage.queued(cast), 44)
    together, taken = Barrier(50), []

    def work() -> None:
        together.wait(timeout=60)
        try:
            found = queue.claim_next(by=cast.rae, now=NOW)
            taken.append(found.pk if found else None)
        finally:
            connections.close_all()

    threads = [Thread(target=work) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    shared = {key: count for key, count in Counter(taken).items() if key is not None and count > 1}
    assert (shared, len(taken)) == ({}, 50)
    assert PriorAuth.objects.filter(state="in_review").count() == sum(key is not None for key in taken) >= 40
