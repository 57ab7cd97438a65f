"""The insurer's side: claim, ask, refer, decide."""

from datetime import date
from decimal import Decimal
from threading import Barrier, Thread

import pytest
from django.db import connections

from authz.access.models import Licence
from authz.errors import AuthzError, InvalidInput, NotFound
from authz.policies.reasons import LibraryReason
from authz.policies.selectors import reasons_of
from authz.policies.services import record_reason
from authz.prior_auths import selectors
from authz.prior_auths.determination import Grant, Reason
from authz.prior_auths.models import Authorization, Determination, PriorAuth
from authz.prior_auths.services import determinations, questions, queue
from authz.prior_auths.services.grounds import LicenceNeeded
from authz.prior_auths.services.queue import LEASE, LeaseHeldByAnother, ReviewerNeeded
from authz.prior_auths.services.steps import IllegalStep
from tests import cast as stage
from tests.cast import NOW, TODAY, Cast, key_of, later

OXYCODONE_10 = "1049611"
MORPHINE_15 = "894780"
REASON = Reason(code="not-necessary", text="Seven days are enough after this procedure.", criterion="Policy 3.2")


def test_a_claimed_request_is_leased_to_its_reviewer(cast: Cast) -> None:
    prior_auth = stage.in_review(cast)

    assert (prior_auth.state, prior_auth.reviewer, prior_auth.leased_until) == (
        "in_review",
        cast.people["rae"],
        NOW + LEASE,
    )


def test_a_reviewer_of_another_insurer_finds_nothing(cast: Cast) -> None:
    with pytest.raises(NotFound):
        queue.claim(prior_auth_id=key_of(stage.queued(cast)), by=cast.oscar, now=NOW)


def test_a_machine_cannot_review(cast: Cast) -> None:
    with pytest.raises(ReviewerNeeded):
        queue.claim(prior_auth_id=key_of(stage.queued(cast)), by=stage.machine_of(cast.rae), now=NOW)


def test_another_reviewer_waits_until_the_lease_runs_out(cast: Cast) -> None:
    key = key_of(stage.in_review(cast))

    with pytest.raises(LeaseHeldByAnother):
        determinations.approve(prior_auth_id=key, by=cast.patel, now=later(0.4))

    assert queue.release_expired(now=later(0.4)) == 0
    assert queue.release_expired(now=later(0.6)) == 1
    assert PriorAuth.objects.get(public_id=key).state == "queued"


def test_approving_as_asked_opens_an_authorization_for_each_line(cast: Cast) -> None:
    prior_auth = determinations.approve(prior_auth_id=key_of(stage.in_review(cast)), by=cast.rae, now=later(1 / 60))

    granted = Authorization.objects.get(prior_auth=prior_auth)
    assert prior_auth.state == "decided"
    assert (granted.days_granted, granted.quantity_granted) == (10, Decimal(40))
    assert (granted.starts_on, granted.ends_on) == (TODAY, date(2025, 3, 12))
    assert Determination.objects.get(prior_auth=prior_auth).was_late is False


def test_after_an_approval_the_rule_needs_nothing_more_for_those_days(cast: Cast) -> None:
    prior_auth = determinations.approve(prior_auth_id=key_of(stage.in_review(cast)), by=cast.rae, now=later(0.1))

    stage.fill(cast, prior_auth.patient, 5, on=TODAY, now=later(1))

    assert PriorAuth.objects.filter(patient=prior_auth.patient).count() == 1


def test_use_beyond_the_authorization_opens_a_new_request(cast: Cast) -> None:
    prior_auth = determinations.approve(prior_auth_id=key_of(stage.in_review(cast)), by=cast.rae, now=later(0.1))

    stage.fill(cast, prior_auth.patient, 10, on=date(2025, 3, 13), now=later(24 * 10))

    renewal = PriorAuth.objects.exclude(pk=prior_auth.pk).get()
    assert (renewal.state, renewal.pa_required_from) == ("detected", date(2025, 3, 13))


def test_a_nurse_cannot_deny(cast: Cast) -> None:
    with pytest.raises(IllegalStep):
        determinations.deny(prior_auth_id=key_of(stage.in_review(cast)), reason=REASON, by=cast.rae, now=NOW)


def test_a_physician_denies_with_a_licence_and_a_reason(cast: Cast) -> None:
    prior_auth = determinations.deny(
        prior_auth_id=key_of(stage.in_clinical_review(cast)), reason=REASON, by=cast.patel, now=NOW
    )

    decided = Determination.objects.get(prior_auth=prior_auth)
    assert (decided.outcome, decided.decided_by) == ("denied", cast.people["patel"])
    assert decided.licence == Licence.objects.get(number="MD-1001")
    assert not Authorization.objects.exists()


def test_a_physician_whose_licence_has_run_out_cannot_deny(cast: Cast) -> None:
    key = key_of(stage.in_clinical_review(cast))
    Licence.objects.update(valid_until=date(2025, 3, 2))

    with pytest.raises(LicenceNeeded):
        determinations.deny(prior_auth_id=key, reason=REASON, by=cast.patel, now=NOW)

    assert PriorAuth.objects.get(public_id=key).state == "clinical_review"


def test_a_denial_without_a_reason_is_refused(cast: Cast) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Reason(code="x", text=" ", criterion="")

    assert set(refusal.value.fields) == {"reason.text", "reason.criterion"}


def test_a_denial_gives_a_reason_of_the_library_and_says_what_would_change_it(cast: Cast) -> None:
    key = key_of(stage.in_clinical_review(cast))
    own_words = Reason(code="because", text="Because.", criterion="None")

    with pytest.raises(InvalidInput) as refusal:
        determinations.deny(prior_auth_id=key, reason=own_words, by=cast.patel, now=NOW)
    determinations.deny(prior_auth_id=key, reason=REASON, by=cast.patel, now=NOW)

    assert set(refusal.value.fields) == {"reason.code"}
    assert Determination.objects.get().would_change.startswith("A clinical reason why a shorter course")


def test_an_insurer_says_a_reason_in_its_own_words(cast: Cast) -> None:
    own = LibraryReason(code="not-necessary", text="Too long.", criterion="Our 7.1", would_change="A second opinion.")

    record_reason(reason=own, by=cast.nora, now=NOW)

    determinations.deny(prior_auth_id=key_of(stage.in_clinical_review(cast)), reason=REASON, by=cast.patel, now=NOW)
    assert Determination.objects.get().would_change == "A second opinion."
    assert reasons_of(cast.summit.pk)["not-necessary"].text.startswith("A shorter course")


def test_another_drug_is_granted_when_it_is_the_same_ingredient_and_no_stronger(cast: Cast) -> None:
    key = key_of(stage.in_clinical_review(cast))
    whole = {"days": 10, "quantity": Decimal(40), "starts_on": TODAY, "ends_on": date(2025, 3, 12)}

    for other in (OXYCODONE_10, MORPHINE_15, "nothing"):
        with pytest.raises(InvalidInput) as refusal:
            determinations.approve_in_part(
                prior_auth_id=key, grants={1: Grant(**whole, rxcui=other)}, reason=REASON, by=cast.patel, now=NOW
            )
        assert set(refusal.value.fields) == {"grants.1"}


def test_a_lower_daily_dose_is_a_part(cast: Cast) -> None:
    part = Grant(
        days=10, quantity=Decimal(40), starts_on=TODAY, ends_on=date(2025, 3, 12), daily_units=Decimal(3), refills=0
    )

    decided = determinations.approve_in_part(
        prior_auth_id=key_of(stage.in_clinical_review(cast)), grants={1: part}, reason=REASON, by=cast.patel, now=NOW
    )

    line = decided.determinations.get().lines.get()
    assert (line.asked_daily_units, line.granted_daily_units, line.granted_rxcui) == (4, 3, stage.OXYCODONE_5)


def test_refills_that_nobody_asked_for_are_not_granted(cast: Cast) -> None:
    key = key_of(stage.in_clinical_review(cast))
    more = Grant(days=10, quantity=Decimal(40), starts_on=TODAY, ends_on=date(2025, 3, 12), refills=1)

    with pytest.raises(InvalidInput) as refusal:
        determinations.approve_in_part(prior_auth_id=key, grants={1: more}, reason=REASON, by=cast.patel, now=NOW)

    assert refusal.value.fields == {"grants.1": ["More is granted than was asked for."]}


def test_a_part_is_granted_line_by_line(cast: Cast) -> None:
    part = Grant(days=5, quantity=Decimal(20), starts_on=TODAY, ends_on=date(2025, 3, 7))

    prior_auth = determinations.approve_in_part(
        prior_auth_id=key_of(stage.in_clinical_review(cast)), grants={1: part}, reason=REASON, by=cast.patel, now=NOW
    )

    line = Determination.objects.get(prior_auth=prior_auth).lines.get()
    assert (line.asked_days, line.granted_days, line.asked_quantity, line.granted_quantity) == (10, 5, 40, 20)
    assert Authorization.objects.get(prior_auth=prior_auth).ends_on == date(2025, 3, 7)


@pytest.mark.parametrize(
    ("grants", "field"),
    [
        ({}, "grants"),
        ({2: Grant(days=5, quantity=None, starts_on=TODAY, ends_on=TODAY)}, "grants.2"),
        ({1: Grant(days=10, quantity=Decimal(40), starts_on=TODAY, ends_on=TODAY, daily_units=Decimal(5))}, "grants.1"),
        ({1: Grant(days=11, quantity=Decimal(40), starts_on=TODAY, ends_on=TODAY)}, "grants.1"),
        ({1: Grant(days=10, quantity=Decimal(40), starts_on=TODAY, ends_on=date(2025, 3, 12))}, "grants"),
    ],
)
def test_a_part_is_neither_nothing_nor_all_nor_more(cast: Cast, grants: dict[int, Grant], field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        determinations.approve_in_part(
            prior_auth_id=key_of(stage.in_clinical_review(cast)), grants=grants, reason=REASON, by=cast.patel, now=NOW
        )

    assert set(refusal.value.fields) == {field}
    assert not Determination.objects.exists()


def test_a_question_goes_to_the_clinic_and_its_answer_back_to_the_same_reviewer(cast: Cast) -> None:
    key = key_of(stage.in_review(cast))
    asked = questions.ask(prior_auth_id=key, questions=["Which operation?"], by=cast.rae, now=NOW)
    question = asked.information_requests.get()

    answered = questions.answer(
        prior_auth_id=key, answers={question.public_id: "Left knee."}, by=cast.stella, now=later(1)
    )

    assert (answered.state, answered.reviewer) == ("in_review", cast.people["rae"])
    question.refresh_from_db()
    assert question.answer == "Left knee."


def test_every_question_must_be_answered(cast: Cast) -> None:
    key = key_of(stage.in_review(cast))
    asked = questions.ask(prior_auth_id=key, questions=["Which?", "When?"], by=cast.rae, now=NOW)
    first = asked.information_requests.order_by("pk")[0]

    with pytest.raises(InvalidInput) as refusal:
        questions.answer(prior_auth_id=key, answers={first.public_id: "Left knee."}, by=cast.stella, now=NOW)

    assert len(refusal.value.fields) == 1


def test_a_late_decision_is_marked_late(cast: Cast) -> None:
    prior_auth = stage.in_review(cast)
    due = selectors.due(prior_auth)
    assert due is not None

    determinations.approve(prior_auth_id=key_of(prior_auth), by=cast.rae, now=later(72.1))

    assert due.at == later(72)
    assert Determination.objects.get(prior_auth=prior_auth).was_late is True


@pytest.mark.django_db(transaction=True)
def test_two_deciders_at_once_make_one_determination() -> None:
    cast = stage.assemble()
    key = key_of(stage.in_clinical_review(cast))
    together, refused = Barrier(2), []

    def decide(step: str) -> None:
        try:
            together.wait(timeout=10)
            if step == "approve":
                determinations.approve(prior_auth_id=key, by=cast.patel, now=NOW)
            else:
                determinations.deny(prior_auth_id=key, reason=REASON, by=cast.patel, now=NOW)
        except AuthzError as refusal:
            refused.append(refusal.code)
        finally:
            connections.close_all()

    threads = [Thread(target=decide, args=(step,)) for step in ("approve", "deny")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert Determination.objects.count() == 1
    assert refused == ["illegal-step"]
