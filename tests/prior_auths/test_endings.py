"""How a request ends without a determination, and comes back: dismissed, linked, voided, returned, reopened."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial

import pytest

from authz.access.roles import Actor
from authz.errors import Forbidden, InvalidInput, NotFound
from authz.ids import PatientId
from authz.outbox.models import OutboxMessage
from authz.prior_auths import selectors, worklist
from authz.prior_auths.determination import Reason
from authz.prior_auths.lifecycle import DismissalReason, ReopeningReason, Step
from authz.prior_auths.models import Authorization, Determination, PriorAuth
from authz.prior_auths.new_fact import NewFact, StatedFact
from authz.prior_auths.services import determinations, endings, intake, questions, queue, reopening, request
from authz.prior_auths.services.deciding import as_asked
from authz.prior_auths.services.detection import AlreadyOpen
from authz.prior_auths.services.endings import SecondPersonNeeded
from authz.prior_auths.services.questions import ReturnNotAllowed
from authz.prior_auths.services.queue import AnotherDeciderNeeded, LeaseHeldByAnother
from authz.prior_auths.services.reopening import AskedAnew, ReopeningTooLate
from authz.prior_auths.services.steps import IllegalStep
from tests import cast as stage
from tests.cast import NOW, Cast, key_of, later
from tests.prior_auths.test_packet import answered

REASON = Reason(code="not-necessary", text="Seven days are enough after this procedure.", criterion="Policy 3.2")


def opened_by_hand(cast: Cast) -> PriorAuth:
    patient = stage.register(cast)
    stage.fill(cast, patient, 5)
    return intake.open_request(
        patient_id=PatientId(patient.public_id), reason="The course will be longer.", by=cast.stella, now=NOW
    )


def told(topic: str) -> int:
    return OutboxMessage.objects.filter(topic=f"prior-auth.{topic}").count()


def test_what_is_opened_by_hand_is_a_draft_that_says_why(cast: Cast) -> None:
    opened = opened_by_hand(cast)

    assert (opened.state, opened.reason, opened.answers is not None) == ("draft", "The course will be longer.", True)
    assert [event.actor_name for event in opened.events.all()] == ["Stella Marsh"]
    assert told("opened") == 1


def test_the_rule_lets_alone_what_people_opened_without_it(cast: Cast) -> None:
    opened = opened_by_hand(cast)

    stage.fill(cast, opened.patient, 1, on=stage.TODAY)

    opened.refresh_from_db()
    assert (opened.state, opened.need_in_doubt_at) == ("draft", None)


def test_the_rule_follows_a_request_opened_by_hand_instead_of_opening_a_second_one(cast: Cast) -> None:
    opened = opened_by_hand(cast)

    stage.fill(cast, opened.patient, 10, on=stage.TODAY)

    assert PriorAuth.objects.get().covered_days == 10


def test_a_use_has_one_active_request_whoever_opens_it(cast: Cast) -> None:
    detected = stage.detected(cast)

    with pytest.raises(AlreadyOpen) as refusal:
        intake.open_request(patient_id=PatientId(detected.patient.public_id), reason="Again.", by=cast.stella, now=NOW)

    assert refusal.value.context == {"request": str(detected.public_id)}


def test_whose_the_active_request_is_another_clinic_does_not_learn(cast: Cast) -> None:
    patient = stage.register(cast, member_id="M-1", insured=False)
    stage.insure(cast, patient, member_id="M-1")
    stage.fill(cast, patient, 10)
    stage.register(cast, by=cast.mallory, mrn="HILL-MRN", member_id="M-1", insured=False)

    with pytest.raises(AlreadyOpen) as refusal:
        intake.open_request(patient_id=PatientId(patient.public_id), reason="Ours.", by=cast.mallory, now=NOW)

    assert refusal.value.context == {}


def test_without_any_use_there_is_nothing_to_ask_for(cast: Cast) -> None:
    patient = PatientId(stage.register(cast).public_id)

    with pytest.raises(InvalidInput):
        intake.open_request(patient_id=patient, reason="Soon.", by=cast.stella, now=NOW)
    with pytest.raises(NotFound):
        intake.open_request(patient_id=patient, reason="Soon.", by=cast.mallory, now=NOW)
    with pytest.raises(Forbidden):
        intake.open_request(patient_id=patient, reason="Soon.", by=stage.with_role(cast.stella), now=NOW)


def test_what_is_missing_goes_to_the_clinic_and_the_completed_request_into_the_queue(cast: Cast) -> None:
    returned = stage.incomplete(cast)
    item = returned.information_requests.get()

    completed = questions.complete(
        prior_auth_id=key_of(returned), answers={item.public_id: "Attached."}, by=cast.stella, now=later(1)
    )

    assert (completed.state, completed.reviewer) == ("queued", None)
    assert (told("returned"), told("completed")) == (1, 1)


def test_a_return_names_what_is_missing(cast: Cast) -> None:
    key = key_of(stage.queued(cast))

    with pytest.raises(InvalidInput) as refusal:
        questions.return_incomplete(prior_auth_id=key, missing=[" "], by=cast.ivy, now=NOW)

    assert set(refusal.value.fields) == {"missing"}


@pytest.mark.parametrize("regime", ["generic", "part_d", "part_d_exception", "erisa"])
def test_where_the_clock_runs_on_or_goes_on_by_itself_nothing_is_returned(cast: Cast, regime: str) -> None:
    cast.plan.regime = regime
    cast.plan.save()
    key = key_of(stage.queued(cast))

    with pytest.raises(ReturnNotAllowed):
        questions.return_incomplete(prior_auth_id=key, missing=["A note."], by=cast.ivy, now=NOW)


def test_a_second_return_that_comes_too_late_to_let_the_clock_wait_is_refused(cast: Cast) -> None:
    returned = stage.incomplete(cast)
    answers = {returned.information_requests.get().public_id: "Attached."}
    questions.complete(prior_auth_id=key_of(returned), answers=answers, by=cast.stella, now=later(60))

    with pytest.raises(ReturnNotAllowed):
        questions.return_incomplete(prior_auth_id=key_of(returned), missing=["More."], by=cast.ivy, now=later(80))


def test_what_is_no_valid_request_is_dismissed_with_a_coded_reason(cast: Cast) -> None:
    ended = endings.dismiss(
        prior_auth_id=key_of(stage.queued(cast)),
        code=DismissalReason.NOT_A_MEMBER,
        reason="Left the plan in February.",
        by=cast.ivy,
        now=NOW,
    )

    assert (ended.state, ended.events.last().code) == ("dismissed", "not_a_member")  # type: ignore[union-attr]
    assert not Determination.objects.exists()


def test_intake_does_not_dismiss_what_a_reviewer_has_in_hand(cast: Cast) -> None:
    key = key_of(stage.in_review(cast))

    with pytest.raises(LeaseHeldByAnother):
        endings.dismiss(
            prior_auth_id=key, code=DismissalReason.NOT_REQUIRED, reason="Not required.", by=cast.ivy, now=NOW
        )


def two_requests(cast: Cast) -> tuple[PriorAuth, PriorAuth]:
    """Return a patient's two requests that the clinic works on, each on a use of its own until a fill made them one."""
    first = stage.drafted(cast)
    stage.fill(cast, first.patient, 10, on=date(2025, 6, 1), now=later(24 * 100))
    second = PriorAuth.objects.exclude(pk=first.pk).get()
    request.take_up(prior_auth_id=key_of(second), by=cast.stella, now=later(24 * 100))
    request.answer_questions(
        prior_auth_id=key_of(second), answers={"pdmp.checked": True}, by=cast.stella, now=later(24 * 100)
    )
    stage.fill(cast, first.patient, 80, on=date(2025, 3, 13), now=later(24 * 101))
    second.refresh_from_db()
    return first, second


def test_a_duplicate_is_linked_to_the_request_that_stands(cast: Cast) -> None:
    first, second = two_requests(cast)

    linked = endings.link_duplicate(
        prior_auth_id=key_of(second), survivor_id=key_of(first), by=cast.stella, now=later(24 * 102)
    )

    assert (linked.state, linked.duplicate_of) == ("duplicate", first)


def test_nothing_is_linked_to_what_ended_without_a_decision(cast: Cast) -> None:
    first, second = two_requests(cast)
    request.withdraw(prior_auth_id=key_of(first), reason="Not wanted.", by=cast.stella, now=later(24 * 102))

    for survivor in (key_of(first), None):
        with pytest.raises(InvalidInput):
            endings.link_duplicate(
                prior_auth_id=key_of(second), survivor_id=survivor, by=cast.stella, now=later(24 * 103)
            )


@pytest.mark.parametrize("is_in_part", [False, True])
def test_nobody_ends_what_is_asked_anew_in_favor_of_what_was_decided_against_it(cast: Cast, is_in_part: bool) -> None:
    reviewed = stage.in_clinical_review(cast)
    if is_in_part:
        grants = {1: replace(as_asked(reviewed.lines.get()), quantity=Decimal(20))}
        decide = partial(determinations.approve_in_part, grants=grants)
    else:
        decide = partial(determinations.deny)
    denied = decide(prior_auth_id=key_of(reviewed), reason=REASON, by=cast.patel, now=NOW)
    fact = StatedFact(kind=NewFact.TEST_RESULT, sentence="The MRI shows non-union.")
    patient_id = PatientId(denied.patient.public_id)
    drafted = intake.open_request(patient_id=patient_id, reason="Again.", new_fact=fact, by=cast.stella, now=later(3))
    again = request.submit(prior_auth_id=key_of(answered(cast, drafted)), by=cast.stella, now=later(3))

    for reader in (cast.stella, cast.ivy):
        with pytest.raises(InvalidInput) as refusal:
            endings.link_duplicate(prior_auth_id=key_of(again), survivor_id=key_of(denied), by=reader, now=later(4))
        assert set(refusal.value.fields) == {"survivor"}
    assert worklist.same_use(again) == []


def test_nothing_is_linked_to_a_request_for_another_use(cast: Cast) -> None:
    first = stage.denied(cast)
    stage.fill(cast, first.patient, 10, on=date(2025, 10, 1), now=later(24 * 230))
    second = PriorAuth.objects.exclude(pk=first.pk).get()

    with pytest.raises(InvalidInput):
        endings.link_duplicate(
            prior_auth_id=key_of(second), survivor_id=key_of(first), by=cast.stella, now=later(24 * 231)
        )


def test_a_request_is_no_duplicate_of_itself_of_another_patients_or_of_a_duplicate(cast: Cast) -> None:
    first, second = two_requests(cast)
    other = stage.detected(cast)
    endings.link_duplicate(prior_auth_id=key_of(second), survivor_id=key_of(first), by=cast.stella, now=NOW)

    for survivor in (key_of(first), key_of(other), key_of(second), None):
        with pytest.raises(InvalidInput) as refusal:
            endings.link_duplicate(prior_auth_id=key_of(first), survivor_id=survivor, by=cast.stella, now=NOW)
        assert set(refusal.value.fields) == {"survivor"}


def test_two_of_the_staff_void_a_request(cast: Cast) -> None:
    decided = stage.approved(cast)

    endings.propose_void(prior_auth_id=key_of(decided), reason="Wrong patient.", by=cast.stella, now=later(1))
    with pytest.raises(SecondPersonNeeded):
        endings.void(prior_auth_id=key_of(decided), reason="Wrong patient.", by=cast.stella, now=later(1))
    voided = endings.void(
        prior_auth_id=key_of(decided), reason="Wrong patient.", by=stage.colleague(cast), now=later(2)
    )

    assert voided.state == "voided"
    assert Authorization.objects.get().revoked_at == later(2)
    assert told("voided") == 1


def test_a_prescriber_of_the_clinic_is_the_second_person(cast: Cast) -> None:
    key = key_of(stage.detected(cast))
    endings.propose_void(prior_auth_id=key, reason="Wrong patient.", by=cast.stella, now=NOW)

    with pytest.raises(IllegalStep):
        endings.propose_void(prior_auth_id=key, reason="Wrong patient.", by=cast.jones, now=NOW)

    assert endings.void(prior_auth_id=key, reason="Wrong patient.", by=cast.jones, now=NOW).state == "voided"


def test_to_void_is_offered_only_where_somebody_else_proposed_it(cast: Cast) -> None:
    key, tess = key_of(stage.in_review(cast)), stage.colleague(cast)

    def offers() -> list[bool]:
        readers = (cast.stella, tess, cast.jones, stage.machine_of(tess), cast.nora)
        return [Step.VOID in selectors.allowed_steps(selectors.prior_auth(by, key), by) for by in readers]

    before = offers()
    endings.propose_void(prior_auth_id=key, reason="Wrong patient.", by=cast.stella, now=later(1))

    assert before == [False, False, False, False, True]
    assert offers() == [False, True, True, False, True]


def test_a_proposal_to_void_holds_while_the_request_is_as_it_was(cast: Cast) -> None:
    key, tess = key_of(stage.drafted(cast)), stage.colleague(cast)
    endings.propose_void(prior_auth_id=key, reason="Wrong patient.", by=cast.stella, now=NOW)
    request.submit(prior_auth_id=key, by=cast.stella, now=later(1))

    with pytest.raises(SecondPersonNeeded, match="as it is now"):
        endings.void(prior_auth_id=key, reason="Wrong patient.", by=tess, now=later(2))
    endings.propose_void(prior_auth_id=key, reason="Still.", by=cast.stella, now=later(3))

    assert endings.void(prior_auth_id=key, reason="Wrong patient.", by=tess, now=later(4)).state == "voided"


def test_nobody_voids_alone_but_an_insurers_administrator(cast: Cast) -> None:
    key = key_of(stage.queued(cast))

    with pytest.raises(SecondPersonNeeded):
        endings.void(prior_auth_id=key, reason="Wrong.", by=stage.colleague(cast), now=NOW)
    with pytest.raises(SecondPersonNeeded):
        endings.propose_void(prior_auth_id=key, reason="Wrong.", by=stage.machine_of(cast.stella), now=NOW)

    assert endings.void(prior_auth_id=key, reason="Wrong.", by=cast.nora, now=NOW).state == "voided"
    with pytest.raises(IllegalStep):
        endings.void(prior_auth_id=key, reason="Wrong.", by=cast.nora, now=NOW)


def test_after_voiding_the_need_opens_a_new_request(cast: Cast) -> None:
    voided = endings.void(prior_auth_id=key_of(stage.approved(cast)), reason="Wrong.", by=cast.nora, now=later(1))

    stage.fill(cast, voided.patient, 1, on=stage.TODAY)

    assert sorted(PriorAuth.objects.values_list("state", flat=True)) == ["detected", "voided"]


def reopened(cast: Cast, decided: PriorAuth, *, by: Actor) -> PriorAuth:
    return reopening.reopen(
        prior_auth_id=key_of(decided),
        code=ReopeningReason.NEW_MATERIAL_EVIDENCE,
        reason="A new image.",
        by=by,
        now=later(1),
    )


def test_a_reopened_request_is_decided_again_and_the_later_determination_supersedes(cast: Cast) -> None:
    decided = stage.approved(cast)
    before = decided.determinations.get()

    again = reopened(cast, decided, by=cast.patel)
    assert (again.state, again.reviewer, selectors.due(again)) == ("in_review", cast.people["patel"], None)
    determinations.refer(prior_auth_id=key_of(again), reason="Myself.", by=cast.patel, now=later(1))
    determinations.deny(prior_auth_id=key_of(again), reason=REASON, by=cast.patel, now=later(1))

    assert Determination.objects.get(outcome="denied").supersedes == before


def test_no_end_without_a_decision_takes_the_place_of_what_was_decided_once(cast: Cast) -> None:
    key = key_of(reopened(cast, stage.denied(cast), by=cast.nora))
    queue.release_expired(now=later(1))
    withdraw = partial(request.withdraw, reason="We do not want it any more.", by=cast.stella)
    dismiss = partial(endings.dismiss, code=DismissalReason.NOT_REQUIRED, reason="Not required.", by=cast.ivy)
    link = partial(endings.link_duplicate, survivor_id=key, by=cast.ivy)

    for end in (withdraw, dismiss, link):
        with pytest.raises(IllegalStep, match="reopened") as refusal:
            end(prior_auth_id=key, now=later(2))
        assert {"withdraw", "dismiss", "link_duplicate"}.isdisjoint(refusal.value.context["allowed"])

    again = PriorAuth.objects.get()
    assert again.state == "queued"
    for reader in (cast.stella, cast.ivy, cast.rae):
        steps = {step.value for step in selectors.allowed_steps(again, reader)}
        assert {"withdraw", "dismiss", "link_duplicate"}.isdisjoint(steps)


def test_what_was_reopened_is_not_returned_though_its_clock_waits_for_an_answer(cast: Cast) -> None:
    cast.plan.regime = "california"
    cast.plan.save()
    key = key_of(stage.in_review(cast))
    questions.ask(prior_auth_id=key, questions=["Which scan?"], by=cast.rae, now=later(1))
    questions.resume_unanswered(now=later(24 * 30))
    decided = determinations.approve(prior_auth_id=key, by=cast.rae, now=later(24 * 30))
    again = reopening.reopen(
        prior_auth_id=key, code=ReopeningReason.CLERICAL_ERROR, reason="A slip.", by=cast.nora, now=later(24 * 30)
    )
    queue.release_expired(now=later(24 * 31))
    again.refresh_from_db()

    with pytest.raises(IllegalStep, match="reopened"):
        questions.return_incomplete(prior_auth_id=key_of(decided), missing=["A note."], by=cast.ivy, now=later(24 * 31))

    assert again.state == "queued"
    assert Step.RETURN not in selectors.allowed_steps(again, cast.ivy)


def test_a_superseded_authorization_authorizes_nothing(cast: Cast) -> None:
    again = reopened(cast, stage.approved(cast), by=cast.patel)
    determinations.refer(prior_auth_id=key_of(again), reason="Myself.", by=cast.patel, now=later(1))
    determinations.deny(prior_auth_id=key_of(again), reason=REASON, by=cast.patel, now=later(1))

    stage.fill(cast, again.patient, 11, on=stage.TODAY, now=later(2))

    assert PriorAuth.objects.exclude(pk=again.pk).get().pa_required_from == date(2025, 3, 10)


def test_who_decided_against_it_does_not_look_at_it_again(cast: Cast) -> None:
    again = reopened(cast, stage.denied(cast), by=cast.patel)
    key = key_of(again)
    assert again.reviewer is None

    with pytest.raises(AnotherDeciderNeeded):
        determinations.approve(prior_auth_id=key, by=cast.patel, now=later(1))
    assert queue.release_expired(now=later(1)) == 1
    with pytest.raises(AnotherDeciderNeeded):
        queue.claim(prior_auth_id=key, by=cast.patel, now=later(1))
    queue.claim(prior_auth_id=key, by=cast.rae, now=later(1))
    determinations.refer(prior_auth_id=key, reason="See the image.", by=cast.rae, now=later(1))
    with pytest.raises(AnotherDeciderNeeded):
        queue.take_in_hand(prior_auth_id=key, by=cast.patel, now=later(1))

    assert Determination.objects.count() == 1


def test_what_is_asked_anew_is_not_reopened(cast: Cast) -> None:
    decided = stage.denied(cast)
    stage.fill(cast, decided.patient, 5, on=date(2025, 3, 13), now=later(24 * 10))

    with pytest.raises(AskedAnew):
        reopened(cast, decided, by=cast.nora)


def test_after_the_regimes_limit_only_fraud_reopens(cast: Cast) -> None:
    cast.plan.regime = "part_d"
    cast.plan.save()
    key, much_later = key_of(stage.denied(cast)), later(24 * 366 * 6)

    with pytest.raises(ReopeningTooLate):
        reopening.reopen(
            prior_auth_id=key, code=ReopeningReason.CLERICAL_ERROR, reason="A slip.", by=cast.nora, now=much_later
        )

    assert reopening.reopen(
        prior_auth_id=key, code=ReopeningReason.FRAUD, reason="Forged.", by=cast.nora, now=much_later
    )
