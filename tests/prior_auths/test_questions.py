"""What the insurer asks: whose it is to answer, by when, and what happens when no answer comes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from authz.access.roles import Actor, Role
from authz.errors import InvalidInput
from authz.outbox.models import OutboxMessage
from authz.policies.history import Kind
from authz.prior_auths import selectors
from authz.prior_auths.lifecycle import ReopeningReason, Step
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.review_queue import AT_RISK
from authz.prior_auths.services import absences, deeming, questions, queue, reopening, timing
from authz.prior_auths.services.questions import Item
from authz.prior_auths.services.steps import IllegalStep
from tests import cast as stage
from tests.cast import NOW, Cast, key_of, later

DAY = 24
TO_ANSWER = {Step.ANSWER, Step.ANSWER_IN_PART, Step.ANSWER_LATE}


def under(cast: Cast, regime: str) -> None:
    cast.plan.regime = regime
    cast.plan.save()


def asked(cast: Cast, *items: Item | str, now: datetime = NOW) -> PriorAuth:
    return ask(cast, stage.in_review(cast, now=now), *items, now=now)


def ask(cast: Cast, held: PriorAuth, *items: Item | str, now: datetime) -> PriorAuth:
    return questions.ask(prior_auth_id=key_of(held), questions=items or ["Which?"], by=cast.rae, now=now)


def answer(prior_auth: PriorAuth, *texts: str, by: Actor, now: datetime, late: bool = False) -> PriorAuth:
    """Answer the open questions in their order; an empty text leaves one open."""
    rows = prior_auth.information_requests.filter(answered_at=None).order_by("pk")
    said = {row.public_id: text for row, text in zip(rows, texts, strict=True) if text}
    take = questions.answer_late if late else questions.answer
    return take(prior_auth_id=key_of(prior_auth), answers=said, by=by, now=now)


def reply_by(prior_auth: PriorAuth) -> datetime:
    clock = selectors.clocks_of(prior_auth).get(Kind.INFORMATION_REPLY_BY)
    assert clock is not None
    assert clock.due_at is not None
    return clock.due_at


def test_an_item_says_whose_it_is_and_by_when_it_is_wanted(cast: Cast) -> None:
    waiting = asked(cast, Item("Which?", Role.PRESCRIBER, later(24)), Item("Since when?", reply_by=later(12)), "Why?")

    items = [(row.owner, row.reply_by) for row in waiting.information_requests.order_by("pk")]
    assert items == [("prescriber", later(24)), ("staff", later(12)), ("staff", later(72) - AT_RISK)]


@pytest.mark.parametrize(
    ("regime", "hours", "told"),
    [
        ("generic", 0, "It must lie ahead."),
        ("generic", 73, "The decision is due before that."),
        ("erisa", DAY * 44, "The regime gives more time to answer."),
        ("erisa", DAY * 90, "The decision is due before that."),
    ],
)
def test_an_answer_is_not_wanted_at_a_time_that_helps_nobody(cast: Cast, regime: str, hours: int, told: str) -> None:
    under(cast, regime)

    with pytest.raises(InvalidInput) as refusal:
        asked(cast, "Which?", Item("When?", reply_by=later(hours)))

    assert refusal.value.fields == {"items[1].reply_by": [told]}


def test_without_an_answer_in_time_the_same_reviewer_goes_on(cast: Cast) -> None:
    waiting = asked(cast, Item("Which?", reply_by=later(24)))

    assert questions.resume_unanswered(now=later(24)) == 0
    assert questions.resume_unanswered(now=later(24.1)) == 1
    assert questions.resume_unanswered(now=later(24.2)) == 0

    waiting.refresh_from_db()
    assert (waiting.state, waiting.reviewer_id) == ("in_review", cast.people["rae"].pk)
    assert OutboxMessage.objects.filter(topic="prior-auth.unanswered").count() == 1


@pytest.mark.parametrize(
    ("regime", "hours"),
    [("generic", 64), ("part_d", 64), ("part_d_exception", 64), ("medicaid", 16), ("california", 72)],
)
def test_where_nobody_said_by_when_the_review_goes_on_with_time_left_to_decide(
    cast: Cast, regime: str, hours: int
) -> None:
    under(cast, regime)
    waiting = asked(cast)

    assert reply_by(waiting) == later(hours)
    assert questions.resume_unanswered(now=later(hours)) == 0
    assert questions.resume_unanswered(now=later(hours) + timedelta(seconds=1)) == 1

    waiting.refresh_from_db()
    assert waiting.due_at is None or waiting.due_at >= later(hours) + AT_RISK


def test_who_is_asked_late_has_half_of_the_time_that_is_left(cast: Cast) -> None:
    held = stage.in_review(cast)
    queue.release(prior_auth_id=key_of(held), reason="Later.", by=cast.rae, now=NOW)
    queue.claim(prior_auth_id=key_of(held), by=cast.rae, now=later(66))

    assert reply_by(ask(cast, held, now=later(66))) == later(69)


def test_where_the_regime_says_how_long_the_review_waits_so_long(cast: Cast) -> None:
    under(cast, "erisa")
    waiting = asked(cast)

    assert waiting.information_requests.get().reply_by == reply_by(waiting)
    assert questions.resume_unanswered(now=later(DAY * 44)) == 0
    assert questions.resume_unanswered(now=later(DAY * 46)) == 1


def test_what_is_asked_again_after_no_answer_is_not_taken_back_at_once(cast: Cast) -> None:
    under(cast, "erisa")
    waiting = asked(cast)
    questions.resume_unanswered(now=later(DAY * 46))
    ask(cast, waiting, Item("And when?", reply_by=later(DAY * 51)), now=later(DAY * 46))

    assert questions.resume_unanswered(now=later(DAY * 46 + 1)) == 0
    assert reply_by(waiting) == later(DAY * 51)


def test_a_second_question_does_not_outlast_a_clock_that_stops_once(cast: Cast) -> None:
    under(cast, "erisa")
    waiting = asked(cast)
    answer(waiting, "Since May.", by=cast.stella, now=later(DAY))
    waiting = ask(cast, waiting, now=later(DAY))

    assert waiting.due_at is not None
    assert reply_by(waiting) == waiting.due_at - AT_RISK
    assert questions.resume_unanswered(now=reply_by(waiting) + timedelta(seconds=1)) == 1


def test_what_is_asked_in_a_reopened_review_is_wanted_within_the_time_of_a_decision(cast: Cast) -> None:
    key, why = key_of(stage.approved(cast)), "The quantity was mistyped."
    clerical = ReopeningReason.CLERICAL_ERROR
    reopened = reopening.reopen(prior_auth_id=key, code=clerical, reason=why, by=cast.nora, now=later(DAY * 10))

    assert reply_by(ask(cast, reopened, now=later(DAY * 10))) == later(DAY * 10 + 72)


def test_to_expedite_makes_the_answers_wanted_sooner(cast: Cast) -> None:
    waiting = asked(cast)
    timing.expedite(prior_auth_id=key_of(waiting), reason="He is in pain.", by=cast.stella, now=later(2))

    assert waiting.information_requests.get().reply_by == later(26) - AT_RISK
    assert questions.resume_unanswered(now=later(18.1)) == 1


def test_each_answers_what_is_theirs_and_with_the_last_the_review_goes_on(cast: Cast) -> None:
    waiting = asked(cast, Item("Which operation?"), Item("Do you taper?", Role.PRESCRIBER))

    with pytest.raises(InvalidInput) as refusal:
        answer(waiting, "The knee.", "Yes.", by=cast.stella, now=later(1))
    assert list(refusal.value.fields.values()) == [["Only the prescriber can answer this."]]
    in_part = answer(waiting, "The knee.", "", by=cast.stella, now=later(1))
    whole = answer(waiting, "Yes, from Monday.", by=cast.jones, now=later(2))

    assert (in_part.state, in_part.version > waiting.version, whole.state) == ("info_requested", True, "in_review")


def test_what_is_there_is_given_while_the_insurer_waits_for_the_rest(cast: Cast) -> None:
    waiting = asked(cast, "Which operation?", "When?")
    first, second = waiting.information_requests.order_by("pk")
    some, rest = {first.public_id: "The knee."}, {second.public_id: "In May."}

    half = questions.answer_in_part(prior_auth_id=key_of(waiting), answers=some, by=cast.stella, now=later(1))
    whole = questions.answer_in_part(prior_auth_id=key_of(waiting), answers=rest, by=cast.stella, now=later(2))

    assert (half.state, whole.state) == ("info_requested", "in_review")
    assert OutboxMessage.objects.filter(topic="prior-auth.answered").count() == 1


def test_questions_stand_in_the_order_in_which_they_were_asked(cast: Cast) -> None:
    waiting = asked(cast, "Which operation?", "When?", "Is a taper planned?")
    first = waiting.information_requests.order_by("pk")[0]

    questions.answer_in_part(
        prior_auth_id=key_of(waiting), answers={first.public_id: "The knee."}, by=cast.stella, now=later(1)
    )

    seen = selectors.prior_auth(cast.rae, key_of(waiting)).information_requests.all()
    assert [one.question for one in seen] == ["Which operation?", "When?", "Is a taper planned?"]


def test_the_staff_leave_nothing_open_that_is_theirs(cast: Cast) -> None:
    waiting = asked(cast, "Which operation?", "When?")

    with pytest.raises(InvalidInput) as refusal:
        answer(waiting, "The knee.", "", by=cast.stella, now=later(1))

    assert list(refusal.value.fields.values()) == [["Answer this question."]]
    assert not waiting.information_requests.filter(answered_at__isnull=False).exists()


def test_a_late_answer_is_taken_while_nothing_is_decided_and_leaves_the_review_where_it_is(cast: Cast) -> None:
    waiting = asked(cast, Item("Which?", reply_by=later(24)))
    questions.resume_unanswered(now=later(25))
    late = answer(waiting, "The knee.", by=cast.stella, now=later(26), late=True)

    assert (late.state, late.reviewer_id) == ("in_review", cast.people["rae"].pk)
    assert waiting.information_requests.get().answer == "The knee."
    assert OutboxMessage.objects.filter(topic="prior-auth.answered-late").count() == 1


def test_to_answer_in_part_takes_two_open_questions_and_to_answer_late_takes_one(cast: Cast) -> None:
    def offered(prior_auth: PriorAuth) -> set[str]:
        rows = [
            selectors.prior_auth(cast.stella, key_of(prior_auth)),
            selectors.listed(cast.stella).get(pk=prior_auth.pk),
        ]
        told = [{*selectors.allowed_steps(row, cast.stella)} & TO_ANSWER for row in rows]
        assert told[0] == told[1]
        return {step.value for step in told[0]}

    held, one, two = stage.in_review(cast), asked(cast), asked(cast, "Which?", "When?")

    assert (offered(held), offered(one), offered(two)) == (set(), {"answer"}, {"answer", "answer_in_part"})
    with pytest.raises(IllegalStep) as refusal:
        answer(held, by=cast.stella, now=NOW)
    assert "answer_late" not in refusal.value.context["allowed"]
    questions.resume_unanswered(now=later(71))
    assert (offered(one), offered(two)) == ({"answer_late"}, {"answer_late"})


def test_a_late_answer_starts_a_clock_that_waits_for_it(cast: Cast) -> None:
    under(cast, "california")
    waiting = asked(cast, Item("Which?", reply_by=later(24)))
    questions.resume_unanswered(now=later(25))
    late = answer(waiting, "The knee.", by=cast.stella, now=later(26), late=True)

    assert (waiting.due_at, late.due_at) == (None, later(26 + 72))


@pytest.mark.parametrize("regime", ["california", "oklahoma"])
def test_a_clock_that_waits_goes_on_with_the_last_late_answer_alone(cast: Cast, regime: str) -> None:
    start = datetime(2025, 12, 1, 15, tzinfo=UTC)
    under(cast, regime)
    waiting = asked(cast, "Which operation?", "When?", now=start)
    questions.resume_unanswered(now=start + timedelta(days=9))

    half = answer(waiting, "The knee.", "", by=cast.stella, now=start + timedelta(days=10), late=True)
    assert (half.state, half.due_at, deeming.deem_due(now=start + timedelta(days=20))) == ("in_review", None, 0)
    whole = answer(waiting, "In May.", by=cast.stella, now=start + timedelta(days=20), late=True)

    assert whole.due_at is not None
    assert [*OutboxMessage.objects.order_by("pk").values_list("topic", flat=True)][-2:] == [
        "prior-auth.answered-in-part",
        "prior-auth.answered-late",
    ]


def test_a_clock_that_waits_does_not_go_on_while_a_question_is_open_whose_time_is_over(cast: Cast) -> None:
    under(cast, "california")
    waiting = asked(cast, Item("Which?", reply_by=later(10)), Item("When?", reply_by=later(40)))
    answer(waiting, "", "In May.", by=cast.stella, now=later(20))
    assert questions.resume_unanswered(now=later(20)) == 1

    waiting.refresh_from_db()
    assert (waiting.state, waiting.reviewer_id, waiting.due_at) == ("in_review", cast.people["rae"].pk, None)
    assert answer(waiting, "The knee.", by=cast.stella, now=later(21), late=True).due_at == later(21 + 72)


def test_what_was_returned_is_complete_with_every_open_question_whenever_it_was_wanted(cast: Cast) -> None:
    under(cast, "california")
    waiting, key = asked(cast, Item("Which?", reply_by=later(10))), key_of(PriorAuth.objects.get())
    questions.resume_unanswered(now=later(11))
    queue.release(prior_auth_id=key, reason="Later.", by=cast.rae, now=later(11))
    questions.return_incomplete(prior_auth_id=key, missing=["The chart note."], by=cast.ivy, now=later(12))
    which, note = waiting.information_requests.order_by("pk").values_list("public_id", flat=True)
    said = {"prior_auth_id": key, "by": cast.stella, "now": later(13)}

    with pytest.raises(InvalidInput) as refusal:
        questions.complete(answers={note: "Attached."}, **said)
    whole = questions.complete(answers={note: "Attached.", which: "The knee."}, **said)

    assert refusal.value.fields == {f"answers.{which}": ["Answer this question."]}
    assert (whole.state, whole.due_at) == ("queued", later(13 + 72))


def test_what_was_not_answered_in_time_need_not_be_answered_with_the_next_question(cast: Cast) -> None:
    waiting = asked(cast, Item("Which?", reply_by=later(24)))
    questions.resume_unanswered(now=later(25))
    ask(cast, waiting, "When?", now=later(25))

    answer(waiting, "", "In May.", by=cast.stella, now=later(26))
    assert questions.resume_unanswered(now=later(26)) == 1


@pytest.mark.parametrize(
    ("regime", "answered", "kept"),
    [("generic", 1, 64), ("erisa", DAY, DAY + 72), ("generic", 64, 64.5), ("california", 20, 20 + 64)],
)
def test_what_comes_back_is_kept_over_a_night_but_not_into_the_risk_of_a_breach(
    cast: Cast, regime: str, answered: int, kept: float
) -> None:
    under(cast, regime)
    back = answer(asked(cast), "The knee.", by=cast.stella, now=later(answered))

    queue.renew_lease(prior_auth_id=key_of(back), by=cast.rae, now=later(answered))
    back.refresh_from_db()

    assert (back.reviewer_id, back.leased_until) == (cast.people["rae"].pk, later(kept))
    assert queue.claim_next(by=cast.patel, now=later(kept) - timedelta(seconds=1)) is None


def test_what_comes_back_is_not_kept_for_somebody_who_goes_away(cast: Cast) -> None:
    absences.be_away(starts_at=later(5), ends_at=later(50), by=cast.rae, now=NOW)
    back = answer(asked(cast), "The knee.", by=cast.stella, now=later(1))

    assert back.leased_until == later(5)


def test_who_goes_away_later_keeps_nothing_meanwhile(cast: Cast) -> None:
    back = answer(asked(cast), "The knee.", by=cast.stella, now=later(1))
    absences.be_away(starts_at=later(5), ends_at=later(50), by=cast.rae, now=later(2))

    back.refresh_from_db()
    assert back.leased_until == later(5)


@pytest.mark.parametrize("leave", [stage.deactivate, stage.end_memberships])
def test_what_comes_back_is_not_kept_for_somebody_who_has_left(cast: Cast, leave: Callable[[Cast, str], None]) -> None:
    waiting = asked(cast)
    leave(cast, "rae")
    back = answer(waiting, "The knee.", by=cast.stella, now=later(1))

    assert queue.release_expired(now=later(1)) == 1
    assert queue.claim_next(by=cast.patel, now=later(1)) == back
    assert back.events.get(step="release").note == "The reviewer has left."
