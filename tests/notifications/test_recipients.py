import pytest

from authz.access import services as access
from authz.access.roles import Role
from authz.notifications import selectors
from authz.notifications.matrix import MATRIX
from authz.outbox.models import OutboxMessage
from authz.pain.services import HINT_FOUND
from authz.prescriptions.emergency.services import OPENED
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import absences, questions, queue, request
from authz.prior_auths.services.questions import Item
from tests import cast as stage
from tests.cast import NOW, Cast
from tests.notifications.stage import say
from tests.pain.stage import hinted

pytestmark = pytest.mark.django_db


def told(cast: Cast, prior_auth: PriorAuth, topic: str) -> dict[str, str]:
    """Return who hears of the topic and how, in words: "inbox", "email+inbox", with "!" when it waits for them."""
    say(prior_auth, topic)
    return heard(cast)


def heard(cast: Cast) -> dict[str, str]:
    """Return who hears of the latest fact, and how."""
    names = {person.pk: name for name, person in cast.people.items()}
    return {
        names[recipient.person_id]: ("email+" if notice.goes_out else "") + "inbox" + ("!" if notice.needs_act else "")
        for recipient, notice in selectors.recipients(OutboxMessage.objects.latest("pk")).items()
    }


@pytest.mark.parametrize(
    ("topic", "who"),
    [
        ("prior-auth.opened", {"stella": "inbox!", "jones": "email+inbox"}),
        ("prior-auth.prescriber-asked", {"jones": "email+inbox!"}),
        ("prior-auth.prescriber-answered", {"stella": "inbox!"}),
        ("prior-auth.submitted", {"rae": "inbox!"}),
        ("prior-auth.information-requested", {"stella": "email+inbox!", "jones": "inbox"}),
        ("prior-auth.answered", {"rae": "inbox!"}),
        ("prior-auth.referred", {"patel": "email+inbox!"}),
        ("prior-auth.approved", {"stella": "inbox", "jones": "email+inbox"}),
        ("prior-auth.denied", {"stella": "inbox!", "jones": "email+inbox!"}),
    ],
)
def test_each_event_reaches_its_people_and_nobody_else(cast: Cast, topic: str, who: dict[str, str]) -> None:
    assert told(cast, stage.in_review(cast), topic) == who


def test_a_prescriber_whose_question_it_is_is_asked_for_an_act(cast: Cast) -> None:
    held, theirs = stage.in_review(cast), Item("Do you taper?", Role.PRESCRIBER)
    questions.ask(prior_auth_id=stage.key_of(held), questions=[theirs], by=cast.rae, now=stage.NOW)

    who = {"stella": "email+inbox!", "jones": "email+inbox!"}
    assert told(cast, held, "prior-auth.information-requested") == who


@pytest.mark.parametrize("topic", sorted(set(MATRIX) - {HINT_FOUND, OPENED}))
def test_strangers_hear_of_nothing(cast: Cast, topic: str) -> None:
    everyone = told(cast, stage.in_review(cast), topic)

    assert everyone
    assert not {"mallory", "oscar"} & set(everyone)


def test_of_a_pain_hint_hears_the_prescriber_alone(cast: Cast) -> None:
    access.add_membership(person=cast.people["stella"], organization=cast.riverside, role=Role.PRESCRIBER)
    hinted(cast)

    assert heard(cast) == {"jones": "email+inbox"}


def test_the_insurer_hears_nothing_of_a_request_that_never_came_to_it(cast: Cast) -> None:
    prior_auth = stage.detected(cast)
    prior_auth = request.withdraw(prior_auth_id=stage.key_of(prior_auth), reason="Tapered.", by=cast.stella, now=NOW)

    assert told(cast, prior_auth, "prior-auth.withdrawn") == {}
    assert told(cast, prior_auth, "prior-auth.submitted") == {}


def test_answers_go_to_the_reviewer_who_asked_not_to_colleagues(cast: Cast) -> None:
    colleague = access.create_person(email="ann@example.org", full_name="Ann Lee", password=stage.PASSWORD)
    access.add_membership(person=colleague, organization=cast.evergreen, role=Role.REVIEWER)
    cast.people["ann"] = colleague
    prior_auth = stage.in_review(cast)

    assert told(cast, prior_auth, "prior-auth.answered") == {"rae": "inbox!"}
    assert told(cast, prior_auth, "prior-auth.submitted") == {"rae": "inbox!", "ann": "inbox!"}


def test_when_nobody_has_the_request_all_reviewers_hear_the_answer(cast: Cast) -> None:
    prior_auth = stage.in_review(cast)
    prior_auth = queue.release(prior_auth_id=stage.key_of(prior_auth), reason="Lunch.", by=cast.rae, now=NOW)

    assert told(cast, prior_auth, "prior-auth.answered") == {"rae": "inbox!"}


def test_a_reviewer_who_left_is_replaced_by_those_who_are_there(cast: Cast) -> None:
    colleague = access.create_person(email="ann@example.org", full_name="Ann Lee", password=stage.PASSWORD)
    access.add_membership(person=colleague, organization=cast.evergreen, role=Role.REVIEWER)
    cast.people["ann"] = colleague
    prior_auth = stage.in_review(cast)
    cast.people["rae"].is_active = False
    cast.people["rae"].save()

    assert told(cast, prior_auth, "prior-auth.answered") == {"ann": "inbox!"}


def test_a_prescriber_who_does_not_belong_to_the_clinic_is_not_told(cast: Cast) -> None:
    prior_auth = stage.detected(cast)
    cast.people["jones"].memberships.all().delete()

    assert told(cast, prior_auth, "prior-auth.opened") == {"stella": "inbox!"}


def test_a_request_without_a_prescriber_is_told_to_the_staff_alone(cast: Cast) -> None:
    prior_auth = stage.detected(cast)
    prior_auth.prescriber = None
    prior_auth.save()

    assert told(cast, prior_auth, "prior-auth.opened") == {"stella": "inbox!"}


def test_a_prescriber_who_is_also_staff_hears_once_by_every_channel_of_both(cast: Cast) -> None:
    access.add_membership(person=cast.people["jones"], organization=cast.riverside, role=Role.STAFF)

    assert told(cast, stage.detected(cast), "prior-auth.opened") == {"stella": "inbox!", "jones": "email+inbox!"}


def test_a_colleague_who_did_not_prescribe_is_not_told(cast: Cast) -> None:
    colleague = access.create_person(email="kim@example.org", full_name="Dr Kim", password=stage.PASSWORD)
    access.add_membership(person=colleague, organization=cast.riverside, role=Role.PRESCRIBER)
    cast.people["kim"] = colleague

    assert told(cast, stage.detected(cast), "prior-auth.opened") == {"stella": "inbox!", "jones": "email+inbox"}


def test_while_the_reviewer_is_away_colleagues_hear_of_what_would_be_theirs(cast: Cast) -> None:
    prior_auth = stage.in_review(cast)
    max_ = access.create_person(email="max@example.org", full_name="Max Brandt", password=stage.PASSWORD)
    access.add_membership(person=max_, organization=cast.evergreen, role=Role.REVIEWER)
    cast.people["max"] = max_
    absences.be_away(starts_at=NOW, ends_at=stage.later(48), by=cast.rae, now=NOW)

    assert set(told(cast, prior_auth, "prior-auth.answered")) == {"rae", "max"}
