"""What the insurer asks: whose it is to answer, by when, and what happens when no answer comes."""

import pytest

from authz.access.roles import Role
from authz.errors import InvalidInput
from authz.outbox.models import OutboxMessage
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import questions, queue
from tests import cast as stage
from tests.cast import NOW, Cast, key_of, later


def asked(cast: Cast, **how: object) -> PriorAuth:
    held = stage.in_review(cast)
    return questions.ask(prior_auth_id=key_of(held), questions=["Which?"], by=cast.rae, now=NOW, **how)  # type: ignore[arg-type]


def test_an_item_says_whose_it_is_and_by_when_it_is_wanted(cast: Cast) -> None:
    item = asked(cast, owner=Role.PRESCRIBER, reply_by=later(24)).information_requests.get()

    assert (item.owner, item.reply_by) == ("prescriber", later(24))


def test_answers_are_not_wanted_before_they_are_asked_for(cast: Cast) -> None:
    with pytest.raises(InvalidInput) as refusal:
        asked(cast, reply_by=NOW)

    assert set(refusal.value.fields) == {"reply_by"}


def test_without_an_answer_in_time_the_same_reviewer_goes_on(cast: Cast) -> None:
    waiting = asked(cast, reply_by=later(24))

    assert questions.resume_unanswered(now=later(24)) == 0
    assert questions.resume_unanswered(now=later(24.1)) == 1
    assert questions.resume_unanswered(now=later(24.2)) == 0

    waiting.refresh_from_db()
    assert (waiting.state, waiting.reviewer_id) == ("in_review", cast.people["rae"].pk)
    assert waiting.leased_until == later(24.1) + queue.LEASE
    assert OutboxMessage.objects.filter(topic="prior-auth.unanswered").count() == 1


def test_where_nobody_said_by_when_the_review_waits(cast: Cast) -> None:
    asked(cast)

    assert questions.resume_unanswered(now=later(24 * 30)) == 0


def test_where_the_regime_says_how_long_it_says_it_alone(cast: Cast) -> None:
    cast.plan.regime = "erisa"
    cast.plan.save()
    asked(cast, reply_by=later(24))

    assert questions.resume_unanswered(now=later(24 * 44)) == 0
    assert questions.resume_unanswered(now=later(24 * 60)) == 1
