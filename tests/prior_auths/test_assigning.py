"""Who of the clinic works on a request: a colleague, said with its event, and nobody else's business."""

import pytest

from authz.errors import InvalidInput, NotFound
from authz.ids import PersonId, PriorAuthId
from authz.prior_auths import selectors
from authz.prior_auths.lifecycle import Step
from authz.prior_auths.models import PriorAuth
from authz.prior_auths.services import assigning, questions
from authz.prior_auths.services.steps import IllegalStep
from tests.cast import NOW, Cast, detected, in_review, key_of, later, queued


def person(cast: Cast, name: str) -> PersonId:
    return PersonId(cast.people[name].public_id)


def assignee(row: PriorAuth) -> str:
    return str(PriorAuth.objects.get(pk=row.pk).assignee or "")


def test_a_request_is_given_to_a_colleague_and_taken_back(cast: Cast) -> None:
    row = detected(cast)

    given = assigning.assign(prior_auth_id=key_of(row), person_id=person(cast, "jones"), by=cast.stella, now=NOW)
    again = assigning.assign(prior_auth_id=key_of(row), person_id=person(cast, "jones"), by=cast.stella, now=NOW)

    assert assignee(row) == "Dr Jones"
    assert again.version == given.version == row.version + 1
    assert [event.step for event in selectors.events(cast.stella, key_of(row))][-1] == Step.ASSIGN.value
    assigning.assign(prior_auth_id=key_of(row), person_id=None, by=cast.jones, now=NOW)
    assert assignee(row) == ""


@pytest.mark.parametrize("name", ["rae", "mallory"])
def test_nobody_of_another_organization_can_be_given_it(cast: Cast, name: str) -> None:
    row = detected(cast)

    with pytest.raises(InvalidInput):
        assigning.assign(prior_auth_id=key_of(row), person_id=person(cast, name), by=cast.stella, now=NOW)
    with pytest.raises(NotFound):
        assigning.assign(prior_auth_id=key_of(row), person_id=person(cast, "mallory"), by=cast.mallory, now=NOW)

    assert assignee(row) == ""


def test_of_several_all_are_assigned_or_none(cast: Cast) -> None:
    ours, theirs = detected(cast), in_review(cast)
    both = [PriorAuthId(row.public_id) for row in (ours, theirs)]

    with pytest.raises(IllegalStep):
        assigning.assign_all(prior_auth_ids=both, person_id=person(cast, "stella"), by=cast.stella, now=NOW)

    assert assignee(ours) == ""
    assigning.assign_all(prior_auth_ids=both[:1], person_id=person(cast, "stella"), by=cast.stella, now=NOW)
    assert assignee(ours) == "Stella Marsh"


def test_the_insurer_does_not_hear_how_the_clinic_shares_out_its_work(cast: Cast) -> None:
    row = in_review(cast)
    questions.ask(prior_auth_id=key_of(row), questions=["Since when?"], by=cast.rae, now=later(1))

    assigning.assign(prior_auth_id=key_of(row), person_id=person(cast, "stella"), by=cast.stella, now=later(2))

    assert Step.ASSIGN.value in [event.step for event in selectors.events(cast.stella, key_of(row))]
    assert Step.ASSIGN.value not in [event.step for event in selectors.events(cast.rae, key_of(row))]


def test_what_waits_for_a_reviewer_is_not_assigned_so_its_version_stays(cast: Cast) -> None:
    row = queued(cast)

    with pytest.raises(IllegalStep):
        assigning.assign(prior_auth_id=key_of(row), person_id=person(cast, "stella"), by=cast.stella, now=NOW)

    assert PriorAuth.objects.get(pk=row.pk).version == row.version
